//! Puts the parts together and runs them: the only wiring.
