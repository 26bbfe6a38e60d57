//! Compiles `proto/` without `protoc`: protox gives one descriptor set with the annotations kept (for reflection, the
//! generator and dependants) and one for the Rust code. The generator writes the error and access tables.
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use bucketry_s3_generator::Generated;
use protox::Compiler;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = proto_files(Path::new("proto"))?;
    let mut compiler = Compiler::new(["proto"])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(&files)?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    let descriptor = out.join("bucketry.binpb");
    let encoded = compiler.encode_file_descriptor_set();
    fs::write(&descriptor, &encoded)?;
    let published = bucketry_s3_generator::publish::stripped_descriptor_set(&encoded)?;
    fs::write(out.join("published.binpb"), published)?;
    let generated = Generated::from_descriptor_set(&encoded)?;
    fs::write(out.join("error_table.rs"), generated.error_table())?;
    fs::write(out.join("access_table.rs"), generated.access_table())?;
    // Dependants (the adapter's build script) read it as DEP_BUCKETRY_CONTRACT_DESCRIPTOR.
    println!("cargo::metadata=descriptor={}", descriptor.display());

    tonic_prost_build::configure()
        .bytes(".")
        .include_file("contract.rs")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

fn proto_files(root: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "proto") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
