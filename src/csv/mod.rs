//! Tables as text: bytes to rows with their lines, and rows to domain drafts with every row's errors. No state, no HTTP.

pub mod reader;
pub mod sites;
