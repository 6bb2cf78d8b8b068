//! Tables as text: bytes to rows with their lines, and rows to domain drafts with every row's errors. No state, no HTTP.

mod blanks;
pub mod cells;
pub mod devices;
pub mod reader;
pub mod sites;
