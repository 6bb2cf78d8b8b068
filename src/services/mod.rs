//! What pdms does, one file a subject: the only layer that reads and writes state. Synchronous; knows nothing of HTTP.
