//! The rows against the contract: every method has one, and the generated access table agrees.

use std::collections::BTreeSet;

use bucketry_contract::access_table::{self, AccessClass};
use bucketry_contract::v1::Permission;

use super::{PUBLIC, methods, rows};
use crate::permissions::{ALL, BOTH, NONE, READERS, WRITERS};

#[test]
fn every_method_has_a_row() {
    let known: BTreeSet<String> = rows()
        .map(|(service, (method, ..))| format!("{service}.{method}"))
        .collect();
    let served: BTreeSet<String> = methods()
        .iter()
        .map(|method| method.full_name().to_owned())
        .collect();
    assert_eq!(known, served);
}

/// The tokens that a class of the contract lets in, as the rules of tokens have it.
fn holders(class: AccessClass) -> &'static [Permission] {
    match class {
        AccessClass::Public | AccessClass::Authenticated => ALL,
        AccessClass::BucketProbe | AccessClass::CreateBucket => ALL,
        AccessClass::BucketSetting | AccessClass::Read | AccessClass::List => READERS,
        AccessClass::Write | AccessClass::ListParts => WRITERS,
        AccessClass::ReadWrite | AccessClass::Delete | AccessClass::Copy => BOTH,
        AccessClass::BucketAdmin | AccessClass::AccountAdmin => NONE,
        AccessClass::Operator | AccessClass::Edge | AccessClass::Unspecified => NONE,
    }
}

#[test]
fn the_generated_table_says_what_the_rows_say() {
    let mut compared = BTreeSet::new();
    for (service, (method, may, _)) in rows() {
        let access = access_table::of(service, method);
        let access = access.unwrap_or_else(|| panic!("{service}.{method} has no class"));
        assert_eq!(access.service, service);
        // The first row is the plain form, which the class is about.
        if compared.insert((service, method)) {
            assert_eq!(holders(access.class), may, "{service}.{method}");
        }
        let public = access.class == AccessClass::Public;
        assert_eq!(public, PUBLIC.contains(&method), "{service}.{method}");
    }
    assert_eq!(compared.len(), access_table::RPC_ACCESS.len());
    for access in access_table::READ_ACCESS {
        assert_eq!(holders(access.read.class), READERS, "{}", access.path);
    }
    let readable = access_table::READ_ACCESS.iter().map(|access| access.path);
    let readable: BTreeSet<&str> = readable.collect();
    assert_eq!(
        readable,
        BTreeSet::from(["cors", "name", "ownership_controls", "tagging"])
    );
    let tagging = access_table::of_update("UpdateObject", "attributes.tagging").unwrap();
    assert_eq!(holders(tagging.set.class), WRITERS);
    assert_eq!(holders(tagging.clear.class), BOTH);
    for update in access_table::UPDATE_ACCESS {
        if update.rpc != "UpdateObject" {
            let both = [update.set.class, update.clear.class];
            assert!(
                both.map(holders).iter().all(|may| may.is_empty()),
                "{update:?}"
            );
        }
    }
}
