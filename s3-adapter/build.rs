//! Writes the adapter's bindings from the descriptor set that the contract's build leaves behind.
#![expect(
    clippy::disallowed_methods,
    reason = "the environment is a build script's input"
)]

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use bucketry_s3_generator::Generated;

fn main() -> Result<(), Box<dyn Error>> {
    let descriptor = env::var("DEP_BUCKETRY_CONTRACT_DESCRIPTOR")?;
    println!("cargo::rerun-if-changed={descriptor}");
    let generated = Generated::from_descriptor_set(&fs::read(descriptor)?)?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("s3.rs");
    fs::write(out, generated.adapter_source())?;
    Ok(())
}
