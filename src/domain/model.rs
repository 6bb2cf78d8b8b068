//! Models and families of devices, and what is known of them.
