//! Tokens: access keys of one bucket.

mod clone_token;
mod create_session;
mod create_token;
mod describe_client_address;
mod explain_access;
mod get_token;
mod get_token_usage;
mod issue;
mod list_token_audit_events;
mod list_token_denials;
mod list_tokens;
mod purge_token;
mod revoke_token;
mod show_token_secret;
mod suspend_token;
mod update_token;

pub(crate) use clone_token::clone_token;
pub(crate) use create_session::create_session;
pub(crate) use create_token::create_token;
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

use std::sync::Arc;

use crate::access::{IpRules, IpRulesWarning};
use crate::catalog::model::{AccessKey, KeyScope};
use crate::domain::AccessKeyPk;
use crate::error::Error;
use crate::service::{Decided, Grant, Service};

/// The token of the admitted bucket, by its id or access key id.
async fn find_token(service: &Service, grant: &Grant, id: &str) -> Result<Arc<AccessKey>, Error> {
    let row = match id.parse::<i64>() {
        Ok(pk) => service.catalog.access_key_by_pk(AccessKeyPk(pk)).await?,
        Err(_) => match id.parse() {
            Ok(id) => service.catalog.access_key(&id).await?,
            Err(_) => None,
        },
    };
    row.filter(
        |row| matches!(row.scope, KeyScope::Bucket { bucket, .. } if bucket == grant.bucket.id),
    )
    .ok_or_else(|| Error::NoSuchToken {
        token_id: id.chars().take(128).collect(),
    })
}

/// What whoever sets IP rules should know.
fn warnings(rules: &IpRules, grant: &Grant) -> Vec<String> {
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
            "only IPv4 is allowed: clients that come by IPv6 are refused".to_owned()
        }
        IpRulesWarning::AllowsIpv6Only => {
            "only IPv6 is allowed: clients that come by IPv4 are refused".to_owned()
        }
    }
}
