//! Configuration files and schemas: bytes to domain values and back.

mod classify;
pub mod directory;
mod encoding;
pub mod read;
mod scan;
pub mod well_formed;
pub mod write;
pub mod xsd;

pub use classify::Shape;
