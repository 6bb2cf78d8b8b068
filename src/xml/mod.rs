//! Configuration files: bytes to domain values and back.
