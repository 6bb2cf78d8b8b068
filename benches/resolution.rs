//! Speed of resolution and rendering.
fn main() {}
