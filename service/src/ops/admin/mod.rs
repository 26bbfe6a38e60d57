//! Accounts, the keys of their administrators, and the operator's operations.

mod admit_to_account;
mod create_account;
mod create_account_key;
mod create_edge_key;
mod create_operator_key;
mod get_keyring;
mod issue_admin_key;
mod list_accounts;
mod list_admin_keys;
mod list_audit_events;
mod reload_keyring;
mod revoke_admin_key;

pub(crate) use create_account::create_account;
pub(crate) use create_account_key::create_account_key;
pub(crate) use create_edge_key::create_edge_key;
pub(crate) use create_operator_key::create_operator_key;
pub(crate) use get_keyring::get_keyring;
pub(crate) use list_accounts::list_accounts;
pub(crate) use list_admin_keys::list_admin_keys;
pub(crate) use list_audit_events::list_audit_events;
pub(crate) use reload_keyring::{reload_by_signal, reload_keyring};
pub(crate) use revoke_admin_key::revoke_admin_key;
