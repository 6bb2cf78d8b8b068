//! What an imported configuration file would change in a profile.
