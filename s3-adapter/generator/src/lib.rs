//! Reads the annotations of the contract.
