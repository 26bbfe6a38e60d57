//! The contract of bucketry: messages, clients, servers, the descriptor set, the error mapping and the access table,
//! all compiled from `proto/`.

pub mod access_table;
pub mod errors;

mod generated {
    // The annotations' own messages have Rust types that nothing here needs.
    #![allow(
        missing_docs,
        unreachable_pub,
        dead_code,
        clippy::all,
        clippy::unwrap_used
    )]
    include!(concat!(env!("OUT_DIR"), "/contract.rs"));
}

pub use generated::bucketry::{access, adapter, v1};

/// The messages of a read, wherever the service is: in this process, or behind the generated client.
pub type GetObjectStream = tonic::codegen::BoxStream<v1::GetObjectResponse>;

/// The encoded `FileDescriptorSet` of every file, annotations kept: for the generator and for tools that map JSON.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bucketry.binpb"));

/// The encoded `FileDescriptorSet` as published: without the annotations and without the edge's package. For
/// reflection.
pub const PUBLISHED_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/published.binpb"));

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "bucketry";
