//! The ckaad command line.
fn main() {}
