//! Writes the published descriptor set: `published-descriptors <proto folder> <output file>`. SDKs are generated from
//! it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use bucketry_s3_generator::publish::stripped_descriptor_set;
use protox::Compiler;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, output] = arguments.as_slice() else {
        return Err("usage: published-descriptors <proto folder> <output file>".into());
    };
    let mut compiler = Compiler::new([folder])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(proto_files(folder)?)?;
    fs::write(
        output,
        stripped_descriptor_set(&compiler.encode_file_descriptor_set())?,
    )?;
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
            } else if path
                .extension()
                .is_some_and(|extension| extension == "proto")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
