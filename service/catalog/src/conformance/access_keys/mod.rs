//! Access keys: their life, their lists, and the changes that they guard.

mod guards;
mod last_administrator;
mod lifecycle;
mod lists;

pub(super) use guards::{guard_every_write, guard_what_administrators_do};
pub(super) use last_administrator::{of_administrators_are_kept_to_the_last, revoke_unless_last};
pub(super) use lifecycle::{
    are_edited_by_version, are_found_after_their_making, are_purged_when_unusable,
    are_resealed_unnoticed, move_their_epoch_when_it_matters, stay_revoked,
};
pub(super) use lists::{are_listed_in_pages, of_buckets_that_are_gone_are_listed};

use crate::model::KeyState;
use crate::mutation::{KeyEdit, Mutation, UpdateAccessKey};
use crate::testing::later;
use bucketry_domain::AccessKeyPk;

fn edit(pk: AccessKeyPk, if_version: Option<i64>, edit: KeyEdit) -> Mutation<UpdateAccessKey> {
    let change = UpdateAccessKey {
        pk,
        if_version,
        unless_last_of: None,
        edit,
        by: "editor".into(),
    };
    Mutation::by_system(later(1), change)
}

fn state(state: KeyState) -> KeyEdit {
    KeyEdit {
        state: Some(state),
        ..KeyEdit::default()
    }
}
