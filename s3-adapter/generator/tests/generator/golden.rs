//! The committed golden table and compatibility page are those of the contract. `BUCKETRY_BLESS=1` rewrites them.

use std::fs;
use std::path::Path;

use bucketry_s3_generator::{ClientResult, Generated};

use crate::contract;

fn compare(name: &str, generated: &str) {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name);
    #[expect(clippy::disallowed_methods, reason = "an argument of this test")]
    let is_blessed = std::env::var_os("BUCKETRY_BLESS").is_some();
    if is_blessed {
        fs::write(&committed, generated).unwrap();
    }
    let found = fs::read_to_string(&committed).unwrap_or_default();
    let first = found
        .lines()
        .zip(generated.lines())
        .position(|(old, new)| old != new);
    assert!(
        found == generated,
        "{name} differs (first at line {:?}); review, then BUCKETRY_BLESS=1",
        first.map(|line| line + 1)
    );
}

#[test]
fn the_golden_table_is_committed() {
    compare(
        "s3-api.json",
        &Generated::from_descriptor_set(&contract::real())
            .unwrap()
            .golden_table(),
    );
}

/// What the real clients reported when all of them ran last.
fn clients() -> Vec<ClientResult> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/results.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_compatibility_page_is_committed() {
    compare(
        "s3-compat.md",
        &Generated::from_descriptor_set(&contract::real())
            .unwrap()
            .compatibility_page(&clients()),
    );
}
