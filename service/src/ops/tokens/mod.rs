//! Tokens: access keys of one bucket.

mod admit_token;
mod answer_challenge;
mod audit_details;
mod clone_token;
mod create_challenge;
mod create_session;
mod create_token;
mod describe_caller;
mod describe_client_address;
mod explain_access;
mod get_token;
mod get_token_usage;
mod issue;
mod list_token_audit_events;
mod list_token_denials;
mod list_tokens;
mod needs;
mod purge_token;
mod revoke_token;
mod settings;
mod show_token_secret;
mod suspend_token;
mod update_token;
mod uses;

use admit_token::admit_token;
pub(crate) use answer_challenge::answer_challenge;
pub(crate) use clone_token::clone_token;
pub(crate) use create_challenge::create_challenge;
pub(crate) use create_session::create_session;
pub(crate) use create_token::create_token;
pub(crate) use describe_caller::describe_caller;
pub(crate) use describe_client_address::describe_client_address;
pub(crate) use explain_access::explain_access;
pub(crate) use get_token::get_token;
pub(crate) use get_token_usage::get_token_usage;
pub(crate) use issue::{About, NewKey, audit_entry, issue_key, seal_key};
pub(crate) use list_token_audit_events::list_token_audit_events;
pub(crate) use list_token_denials::list_token_denials;
pub(crate) use list_tokens::list_tokens;
pub(crate) use purge_token::purge_token;
pub(crate) use revoke_token::revoke_token;
pub(crate) use show_token_secret::show_token_secret;
pub(crate) use suspend_token::{resume_token, suspend_token};
pub(crate) use update_token::update_token;
pub(crate) use uses::{recorded_uses, uses};

use crate::access::{IpRules, IpRulesWarning};
use crate::request::{BucketGrant, Grant};

/// What whoever sets IP rules should know.
fn warnings(rules: &IpRules, grant: &BucketGrant) -> Vec<String> {
    rules
        .warnings(grant.caller().address())
        .iter()
        .map(|warning| warning_text(*warning))
        .collect()
}

fn warning_text(warning: IpRulesWarning) -> String {
    match warning {
        IpRulesWarning::LocksOutEditor => "your own address could not use this token".to_owned(),
        IpRulesWarning::AllowsNobody => {
            "every allowed address is disallowed too: nobody can use this token".to_owned()
        }
        IpRulesWarning::AllowedEntryCovered(entry) => {
            format!("the allowed entry {entry} has no effect: it is disallowed too")
        }
        IpRulesWarning::AllowsIpv4Only => {
            "only IPv4 is allowed: clients using IPv6 are refused".to_owned()
        }
        IpRulesWarning::AllowsIpv6Only => {
            "only IPv6 is allowed: clients using IPv4 are refused".to_owned()
        }
    }
}
