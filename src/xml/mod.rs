//! Configuration files: bytes to domain values and back.

mod classify;
mod encoding;
pub mod read;
mod scan;
pub mod write;

pub use classify::Shape;
