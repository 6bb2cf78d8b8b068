//! Shipped reference data (`data/`, embedded in the binary) turned into domain values.
