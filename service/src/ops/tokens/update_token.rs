use bucketry_contract::v1::{Token, UpdateTokenRequest, UpdateTokenResponse};
use serde_json::json;
use tonic::Request;

use super::{About, audit_entry, find_token, warnings};
use crate::access::IpRules;
use crate::catalog::model::AccessKey;
use crate::catalog::mutation::{KeyEdit, UpdateAccessKey};
use crate::convert::{ip_rules_from_proto, token_name, token_to_proto};
use crate::error::Error;
use crate::service::{Grant, Service};

pub(crate) async fn update_token(
    service: &Service,
    request: Request<UpdateTokenRequest>,
) -> Result<UpdateTokenResponse, Error> {
    let caller = service.caller(&request, "UpdateToken").await?;
    let asked = request.into_inner();
    let bucket = asked.token.as_ref().map_or("", |token| &token.bucket);
    let grant = service.admit(caller, &asked, bucket, "").await?;
    let UpdateTokenRequest { token, update_mask } = asked;
    let sent = token.unwrap_or_default();
    let before = find_token(service, &grant, &sent.token_id).await?;
    let edit = edit(&sent, &update_mask.unwrap_or_default().paths)?;
    let change = UpdateAccessKey {
        pk: before.pk,
        if_version: Some(sent.version).filter(|&version| version != 0),
        edit: edit.clone(),
        now: service.now(),
        by: grant.actor(),
    };
    let entry = record(service, &grant, &before, &edit);
    let after = service.catalog.submit_audited(change, vec![entry]).await?;
    let rules = IpRules::from_nets(&after.allowed, &after.disallowed);
    Ok(UpdateTokenResponse {
        token: Some(token_to_proto(
            &after,
            Some(&grant.bucket.name),
            service.now(),
        )),
        warnings: if edit.allowed.is_some() || edit.disallowed.is_some() {
            warnings(&rules, &grant)
        } else {
            Vec::new()
        },
    })
}

fn record(
    service: &Service,
    grant: &Grant,
    before: &AccessKey,
    edit: &KeyEdit,
) -> crate::catalog::model::AuditEntry {
    let about = About {
        account: Some(grant.bucket.account),
        bucket: Some(grant.bucket.id),
        access_key: Some(before.pk),
    };
    let details = json!({
        "before": {
            "name": before.name,
            "allowed": before.allowed,
            "disallowed": before.disallowed,
        },
        "after": {
            "name": edit.name.as_ref().unwrap_or(&before.name),
            "allowed": edit.allowed.as_ref().unwrap_or(&before.allowed),
            "disallowed": edit.disallowed.as_ref().unwrap_or(&before.disallowed),
        },
    });
    audit_entry(service, grant, "token.update", about, details)
}

/// What the mask names. What can never change is refused by name.
fn edit(sent: &Token, paths: &[String]) -> Result<KeyEdit, Error> {
    if paths.is_empty() {
        return Err(Error::InvalidArgument {
            field: "update_mask",
            problem: "must name what to change: name, allowed_ips, disallowed_ips".to_owned(),
        });
    }
    let mut edit = KeyEdit::default();
    for path in paths {
        match path.as_str() {
            "name" => edit.name = Some(token_name(&sent.name)?),
            "allowed_ips" => {
                let rules = ip_rules_from_proto(&sent.allowed_ips, &[])?;
                edit.allowed = Some(rules.allowed().to_vec());
            }
            "disallowed_ips" => {
                let rules = ip_rules_from_proto(&[], &sent.disallowed_ips)?;
                edit.disallowed = Some(rules.disallowed().to_vec());
            }
            "permission" | "access_key_id" | "secret_access_key" | "bucket" | "token_id"
            | "state" | "version" | "create_time" | "update_time" | "expire_time"
            | "revoke_time" | "created_by" => {
                return Err(Error::ImmutableField {
                    field: path.clone(),
                });
            }
            _ => {
                return Err(Error::InvalidArgument {
                    field: "update_mask",
                    problem: format!("{path:?} is not a field of Token"),
                });
            }
        }
    }
    Ok(edit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|&path| path.to_owned()).collect()
    }

    #[test]
    fn only_what_the_mask_names_changes() {
        let sent = Token {
            name: "n".into(),
            allowed_ips: vec!["10.0.0.1".into()],
            ..Default::default()
        };
        let named = edit(&sent, &mask(&["name"])).unwrap();
        assert_eq!(named.name.as_deref(), Some("n"));
        assert_eq!((named.allowed, named.disallowed), (None, None));
        let emptied = edit(&sent, &mask(&["disallowed_ips"])).unwrap();
        assert_eq!(emptied.disallowed, Some(vec![]));
    }

    #[test]
    fn what_can_never_change_is_refused_by_name() {
        for path in ["permission", "access_key_id", "secret_access_key"] {
            let refused = edit(&Token::default(), &mask(&[path]));
            assert!(matches!(refused, Err(Error::ImmutableField { field }) if field == path));
        }
        assert!(matches!(
            edit(&Token::default(), &mask(&["colour"])),
            Err(Error::InvalidArgument { .. })
        ));
        assert!(edit(&Token::default(), &[]).is_err());
    }
}
