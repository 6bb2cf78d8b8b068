//! Simulated phones. They know only the wire, as real ones do.
