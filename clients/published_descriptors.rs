//! Writes the descriptor set of the contract as it is published, which the SDKs are generated from, to standard output.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(bucketry_contract::PUBLISHED_DESCRIPTOR_SET)
}
