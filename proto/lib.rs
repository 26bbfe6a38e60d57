//! The contract of bucketry: messages, clients, servers and the descriptor set, all compiled from `proto/`.

mod generated {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used)]
    include!(concat!(env!("OUT_DIR"), "/contract.rs"));
}

pub use generated::bucketry::{access, adapter, v1};

/// The encoded `FileDescriptorSet` of every file, annotations kept: for reflection.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bucketry.binpb"));

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "bucketry";
