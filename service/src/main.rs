//! The `bucketry` binary.
fn main() {}
