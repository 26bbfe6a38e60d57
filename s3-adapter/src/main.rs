//! The `bucketry-s3-adapter` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    bucketry_s3_adapter::program::main()
}
