//! The cross-database suite.
fn main() {}
