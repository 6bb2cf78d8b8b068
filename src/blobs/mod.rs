//! Files that are too big for the database: uploads and logs, below the state directory.

pub mod logs;
