//! S3 REST over the contract.
