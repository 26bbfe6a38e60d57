//! The decisions of a commit, pure: loaded state and a mutation in, a verdict and a changed state out. Both engines share
//! them, and mutations of one batch see what the earlier ones did. A refused mutation changes nothing.

mod access_key;
mod account;
mod bucket;
mod data;
mod guard;
mod needs;
mod object;
mod preconditions;
mod state;
mod upload;
mod usage;

#[cfg(test)]
mod tests;

pub(crate) use needs::{LockMode, Needs};
pub(crate) use state::{CurrentObject, State, UploadedPart};

use super::Verdict;
use super::model::AuditRecord;
use super::mutation::{Change, Mutation};
use super::outcome::Outcome;

/// Decides on one mutation and, if it is accepted, changes the state.
pub(crate) fn judge(state: &mut State, mutation: &Mutation) -> Verdict {
    guard::check_guard(state, mutation.caller, mutation.at)?;
    guard::check_policy(state, mutation.policy)?;
    let outcome = judge_change(state, mutation)?;
    for entry in &mutation.audit {
        let id = state.take_id();
        state.audit.push(AuditRecord {
            id,
            entry: entry.clone(),
        });
    }
    Ok(outcome)
}

fn judge_change(state: &mut State, mutation: &Mutation) -> Verdict {
    let at = mutation.at;
    match &mutation.change {
        Change::CreateAccount(change) => account::create_account(state, change, at),
        Change::UpdateAccount(change) => account::update_account(state, change),
        Change::CreateAccessKey(change) => access_key::create_access_key(state, change, at),
        Change::UpdateAccessKey(change) => access_key::update_access_key(state, change, at),
        Change::ResealAccessKey(change) => access_key::reseal_access_key(state, change),
        Change::PurgeAccessKey(change) => access_key::purge_access_key(state, change, at),
        Change::CreateBucket(change) => bucket::create_bucket(state, change, at),
        Change::UpdateBucket(change) => bucket::update_bucket(state, change),
        Change::DeleteBucket(change) => bucket::delete_bucket(state, change),
        Change::PutObject(change) => object::put_object(state, change, at),
        Change::DeleteObject(change) => object::delete_object(state, change, at),
        Change::UpdateObject(change) => object::update_object(state, change, at),
        Change::CreateUpload(change) => upload::create_upload(state, change, at),
        Change::PutPart(change) => upload::put_part(state, change, at),
        Change::AbortUpload(change) => upload::abort_upload(state, change, mutation.caller),
        Change::CompleteUpload(change) => upload::complete_upload(state, change, at),
        Change::RecordUsage(change) => usage::record_usage(state, change),
        Change::AppendAudit(_) => Ok(Outcome::Done),
    }
}
