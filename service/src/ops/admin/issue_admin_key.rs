//! What the creations of operator keys, account administrator keys and edge keys share.

use std::sync::Arc;

use serde_json::json;

use crate::access::SecretKey;
use crate::catalog::model::{AccessKey, KeyLimits, KeyScope};
use crate::convert::token_name;
use crate::error::Error;
use crate::ops::tokens::{About, NewKey, audit_entry, issue_key};
use crate::request::{Grant, Service};

/// Makes a key of this scope without limits, and records `action` in the audit.
pub(super) async fn issue_admin_key(
    service: &Service,
    grant: &impl Grant,
    name: &str,
    scope: KeyScope,
    action: &'static str,
) -> Result<(Arc<AccessKey>, SecretKey), Error> {
    let name = token_name(name)?;
    let new = NewKey {
        scope,
        name: name.clone(),
        allowed: Vec::new(),
        disallowed: Vec::new(),
        expires: None,
        limits: KeyLimits::default(),
    };
    let (row, secret) = issue_key(service, new, grant.actor()).await?;
    let about = About {
        account: scope.account(),
        access_key: Some(row.pk),
        bucket: None,
    };
    let details = json!({ "name": name, "access_key_id": row.access_key_id.to_string() });
    let entry = audit_entry(service, grant, action, about, details);
    let key = service.commit(grant, row, vec![entry]).await?;
    Ok((key, secret))
}
