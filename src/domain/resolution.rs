//! Merging the profiles of a device into one value for each parameter, with provenance.
