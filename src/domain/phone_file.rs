//! Which file a phone asks for or uploads, read from the path.
