use std::sync::Arc;

use super::State;
use crate::model::{Account, AccountState};
use crate::mutation::{CreateAccount, UpdateAccount};
use crate::{Outcome, Refusal, Verdict};
use bucketry_domain::{AccountId, Timestamp};

pub(super) fn create_account(state: &mut State, change: &CreateAccount, at: Timestamp) -> Verdict {
    if state.account_names.contains(&change.name) || state.accounts.get(&change.id).is_some() {
        return Err(Refusal::AccountExists);
    }
    let account = Arc::new(Account {
        id: change.id,
        owner_id: change.owner_id,
        name: change.name.clone(),
        state: AccountState::Active,
        created: at,
    });
    state.account_names.insert(change.name.clone());
    state.accounts.put(change.id, account.clone());
    Ok(Outcome::Account(account))
}

pub(super) fn update_account(state: &mut State, change: &UpdateAccount) -> Verdict {
    let account = state
        .accounts
        .get(&change.id)
        .ok_or(Refusal::AccountNotFound(change.id))?;
    let account = Arc::new(Account {
        state: change.state,
        ..Account::clone(account)
    });
    state.accounts.put(change.id, account.clone());
    Ok(Outcome::Account(account))
}

/// Refuses unless the account is there and active.
pub(super) fn check_account(state: &State, id: AccountId) -> Result<(), Refusal> {
    match state.accounts.get(&id) {
        Some(account) if account.state == AccountState::Active => Ok(()),
        _ => Err(Refusal::AccountNotFound(id)),
    }
}
