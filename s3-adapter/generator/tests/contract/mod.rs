//! Descriptor sets for tests: the real contract, and small ones in the middle of the real annotations.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use protox::Compiler;
use protox::file::{
    ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver,
};

fn proto_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto")
}

/// The contract of this repository.
pub fn real() -> Vec<u8> {
    let mut compiler = Compiler::new([proto_folder()]).unwrap();
    let files = ["admin_service", "object_service", "token_service", "errors"];
    compiler.include_imports(true);
    for file in files {
        compiler
            .open_file(format!("bucketry/v1/{file}.proto"))
            .unwrap();
    }
    compiler
        .open_file("bucketry/adapter/v1/adapter_service.proto")
        .unwrap();
    compiler.encode_file_descriptor_set()
}

const NAME: &str = "bucketry/test/v1/test.proto";

struct Memory(String);

impl FileResolver for Memory {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            NAME => File::from_source(name, &self.0),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// A contract of one service with these RPCs and messages, besides the real reasons.
pub fn small(rpcs: &str, messages: &str) -> Vec<u8> {
    let source = format!(
        "syntax = \"proto3\";
        package bucketry.test.v1;
        import \"bucketry/access/v1/access.proto\";
        import \"bucketry/s3/v1/annotations.proto\";
        import \"bucketry/v1/errors.proto\";
        service TestService {{ {rpcs} }}
        {messages}"
    );
    let mut resolver = ChainFileResolver::new();
    resolver.add(Memory(source));
    resolver.add(IncludeFileResolver::new(proto_folder()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).open_file(NAME).unwrap();
    compiler.encode_file_descriptor_set()
}
