use std::collections::BTreeSet;
use std::sync::Arc;

use bucketry_contract::v1::{Token, UpdateTokenRequest, UpdateTokenResponse};
use serde_json::json;
use tonic::Request;

use super::settings::TokenSettings;
use super::uses::with_use;
use super::{About, admit_token, audit_entry, warnings};
use crate::access::IpRules;
use crate::catalog::model::{AccessKey, AuditEntry, KeyState};
use crate::catalog::mutation::{KeyEdit, UpdateAccessKey};
use crate::catalog::{CatalogError, Refusal};
use crate::convert::{
    expiry_from_proto, ip_rules_from_proto, limits_from_proto, token_name, token_to_proto,
};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::request::{BucketGrant, Grant, Service};

/// How often an edit without a version is tried again because others edit meanwhile.
const MAX_TRIES: usize = 10;

pub(crate) async fn update_token(
    service: &Service,
    request: Request<UpdateTokenRequest>,
) -> Result<UpdateTokenResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let sent = asked.token.clone().unwrap_or_default();
    let (grant, before) =
        admit_token(service, caller, &asked, &sent.bucket, &sent.token_id).await?;
    let paths = asked.update_mask.unwrap_or_default().paths;
    let edit = edit(&sent, &paths, service.now())?;
    let version = Some(sent.version).filter(|&version| version != 0);
    let after = match asked.validate_only {
        true => {
            check_editable(&before, version)?;
            Arc::new(
                TokenSettings::from(before.as_ref())
                    .edited(&edit)
                    .of(&before),
            )
        }
        false => apply(service, &grant, before, &edit, version).await?,
    };
    let rules = IpRules::from_nets(&after.allowed, &after.disallowed);
    let shown = token_to_proto(&after, &grant.bucket, service.now());
    Ok(UpdateTokenResponse {
        token: Some(with_use(service, after.pk, shown).await),
        warnings: if edit.allowed.is_some() || edit.disallowed.is_some() {
            warnings(&rules, &grant)
        } else {
            Vec::new()
        },
    })
}

/// Edits the token at `version`, or whatever it is at if there is none. The commit is bound to the version that was
/// read, so that the record of the audit has what was there before, even when others edit at the same time. An edit that
/// changes nothing leaves version and audit alone.
async fn apply(
    service: &Service,
    grant: &BucketGrant,
    mut before: Arc<AccessKey>,
    edit: &KeyEdit,
    version: Option<i64>,
) -> Result<Arc<AccessKey>, Error> {
    for _ in 0..MAX_TRIES {
        check_editable(&before, version)?;
        let was = TokenSettings::from(before.as_ref());
        let will_be = was.edited(edit);
        if was == will_be {
            return Ok(before);
        }
        let change = UpdateAccessKey {
            pk: before.pk,
            if_version: Some(before.version),
            unless_last_of: None,
            edit: edit.clone(),
            by: grant.actor(),
        };
        let entry = record(service, grant, &before, &was, &will_be);
        match service.commit(grant, change, vec![entry]).await {
            Err(CatalogError::Refused(Refusal::VersionMoved { .. })) if version.is_none() => {
                let now = service.catalog.access_key_by_pk(before.pk).await?;
                before = now.ok_or_else(|| Error::NoSuchToken {
                    token_id: before.pk.to_string(),
                })?;
            }
            done => return Ok(done?),
        }
    }
    Err(Error::Conflict)
}

fn check_editable(token: &AccessKey, version: Option<i64>) -> Result<(), Error> {
    if token.state == KeyState::Revoked {
        return Err(Error::TokenRevoked);
    }
    if version.is_some_and(|version| version != token.version) {
        return Err(Error::VersionConflict {
            version: token.version,
        });
    }
    Ok(())
}

fn record(
    service: &Service,
    grant: &BucketGrant,
    before: &AccessKey,
    was: &TokenSettings,
    will_be: &TokenSettings,
) -> AuditEntry {
    let about = About::token(&grant.bucket, before.pk);
    let details = json!({ "before": was.to_json(), "after": will_be.to_json() });
    audit_entry(service, grant, "token.update", about, details)
}

/// What the mask names. What can never change is refused by name.
fn edit(sent: &Token, paths: &[String], now: Timestamp) -> Result<KeyEdit, Error> {
    if paths.is_empty() {
        return Err(Error::InvalidArgument {
            field: "update_mask",
            problem:
                "must name what to change: name, allowed_ips, disallowed_ips, expire_time, limits"
                    .to_owned(),
        });
    }
    let mut edit = KeyEdit::default();
    // A mask may name a field many times, and each list of IP rules costs its parsing.
    let named: BTreeSet<&String> = paths.iter().collect();
    for path in named {
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
            "expire_time" => {
                edit.expires = Some(expiry_from_proto(sent.expire_time.as_ref(), now)?);
            }
            "limits" => edit.limits = Some(limits_from_proto(sent.limits.as_ref())?),
            "permission" | "access_key_id" | "secret_access_key" | "bucket" | "token_id"
            | "state" | "version" | "create_time" | "update_time" | "revoke_time"
            | "created_by" | "last_use" | "request_count" => {
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

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

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
        let named = edit(&sent, &mask(&["name"]), NOW).unwrap();
        assert_eq!(named.name.as_deref(), Some("n"));
        assert_eq!((named.allowed, named.disallowed), (None, None));
        let emptied = edit(&sent, &mask(&["disallowed_ips"]), NOW).unwrap();
        assert_eq!(emptied.disallowed, Some(vec![]));
    }

    #[test]
    fn what_can_never_change_is_refused_by_name() {
        for path in ["permission", "access_key_id", "secret_access_key"] {
            let refused = edit(&Token::default(), &mask(&[path]), NOW);
            assert!(matches!(refused, Err(Error::ImmutableField { field }) if field == path));
        }
        assert!(matches!(
            edit(&Token::default(), &mask(&["colour"]), NOW),
            Err(Error::InvalidArgument { .. })
        ));
        assert!(edit(&Token::default(), &[], NOW).is_err());
    }

    #[test]
    fn expiry_and_limits_are_set_and_cleared() {
        use std::num::{NonZeroU32, NonZeroU64};

        use bucketry_contract::v1::TokenLimits;

        use crate::catalog::model::KeyLimits;

        let mut sent = Token {
            expire_time: Some(prost_types::Timestamp {
                seconds: 1_001,
                nanos: 0,
            }),
            limits: Some(TokenLimits {
                requests_per_second: 5,
                bytes_per_day: 1 << 40,
            }),
            ..Default::default()
        };
        let both = mask(&["expire_time", "limits"]);
        let set = edit(&sent, &both, NOW).unwrap();
        assert_eq!(set.expires, Some(Some(Timestamp::from_seconds(1_001))));
        let limits = KeyLimits {
            requests_per_second: NonZeroU32::new(5),
            bytes_per_day: NonZeroU64::new(1 << 40),
        };
        assert_eq!(set.limits, Some(limits));
        let cleared = edit(&Token::default(), &both, NOW).unwrap();
        assert_eq!(
            (cleared.expires, cleared.limits),
            (Some(None), Some(KeyLimits::default()))
        );
        // It must lie ahead: a token is ended by revoking it, not by an expiry in the past.
        sent.expire_time = Some(prost_types::Timestamp {
            seconds: 1_000,
            nanos: 0,
        });
        let past = edit(&sent, &both, NOW);
        assert!(
            matches!(past, Err(Error::InvalidArgument { field, .. }) if field == "expire_time")
        );
    }
}
