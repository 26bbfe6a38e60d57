//! Reads the S3 and access annotations of the contract and writes code from them: routing, typed parsing, rendering and
//! dispatch for the adapter; the access and error tables for the contract; the golden table and the compatibility page.
//!
//! To add an operation: put a `binding` on its RPC (or a `sub_resource` on its field) and places on the fields that no
//! other operation has bound yet; the build refuses what is missing, by name. Bless the golden table
//! (`BUCKETRY_BLESS=1 cargo test -p bucketry-s3-generator`), review its diff, run the oracle, write the hook if it is
//! one, and add its request to the routing test.
//!
//! The input is an encoded `FileDescriptorSet` with its options kept (prost-types drops them; protox keeps them).

mod access;
mod annotations;
mod check;
mod codec;
mod derived;
mod dispatch;
mod enums;
mod errors;
mod golden;
mod members;
mod model;
mod operations;
mod page;
mod parse;
mod profiles;
pub mod publish;
mod read;
mod render;
mod resolve;
mod routes;
mod s3_model;
mod shape;
mod source;
mod sub_resource;
mod walk;

pub use model::ContractError;
pub use page::ClientResult;

use model::Contract;

/// What is written from one contract.
#[derive(Debug)]
pub struct Generated {
    contract: Contract,
}

impl Generated {
    /// Reads and checks the contract in an encoded `FileDescriptorSet`.
    ///
    /// # Errors
    /// The first [`ContractError`].
    pub fn from_descriptor_set(descriptor_set: &[u8]) -> Result<Self, ContractError> {
        let contract = read::contract(descriptor_set)?;
        check::contract(&contract)?;
        Ok(Self { contract })
    }

    /// Rust for the contract crate: the S3 code, HTTP status and gRPC code of every reason.
    #[must_use]
    pub fn error_table(&self) -> String {
        errors::source(&self.contract)
    }

    /// Rust for the contract crate: the access of every RPC, and of a concrete request.
    #[must_use]
    pub fn access_table(&self) -> String {
        access::source(&self.contract)
    }

    /// Rust for the adapter: operations, routing, parsing, rendering, dispatch.
    #[must_use]
    pub fn adapter_source(&self) -> String {
        let mut source = operations::source(&self.contract);
        source.push_str(&routes::source(&self.contract));
        source.push_str(&enums::source(&self.contract));
        source.push_str(&parse::source(&self.contract));
        source.push_str(&render::source(&self.contract));
        source.push_str(&dispatch::source(&self.contract));
        source
    }

    /// `s3-api.json`: every operation with the place of each of its members. Reviewed and committed, because a changed
    /// option value is not a breaking change to other tools.
    #[must_use]
    pub fn golden_table(&self) -> String {
        golden::table(&self.contract)
    }

    /// `s3-compat.md`: the same for people, with the clients that were tested.
    #[must_use]
    pub fn compatibility_page(&self, clients: &[ClientResult]) -> String {
        page::page(&self.contract, clients)
    }
}
