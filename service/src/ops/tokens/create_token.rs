use bucketry_contract::v1::{CreateTokenRequest, CreateTokenResponse, Credentials, Token};
use tonic::Request;

use super::settings::TokenSettings;
use super::{About, NewKey, audit_entry, issue_key, warnings};
use crate::access::SecretKey;
use crate::catalog::model::{AccessKey, KeyScope};
use crate::convert::{
    expiry_from_proto, ip_rules_from_proto, limits_from_proto, permission_from_proto, token_name,
    token_to_proto,
};
use crate::error::Error;
use crate::request::{BucketGrant, Grant, Resource, Service};

pub(crate) async fn create_token(
    service: &Service,
    request: Request<CreateTokenRequest>,
) -> Result<CreateTokenResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::bucket(&asked.bucket))
        .await?;
    let rules = ip_rules_from_proto(&asked.allowed_ips, &asked.disallowed_ips)?;
    let new = NewKey {
        scope: KeyScope::Bucket {
            account: grant.bucket.account,
            bucket: grant.bucket.id,
            permission: permission_from_proto(asked.permission)?,
        },
        name: token_name(&asked.name)?,
        allowed: rules.allowed().to_vec(),
        disallowed: rules.disallowed().to_vec(),
        expires: expiry_from_proto(asked.expire_time.as_ref(), service.now())?,
        limits: limits_from_proto(asked.limits.as_ref())?,
    };
    let warnings = warnings(&rules, &grant);
    if asked.validate_only {
        return Ok(CreateTokenResponse {
            token: None,
            credentials: None,
            warnings,
        });
    }
    let (token, credentials) = make_token(service, &grant, new, None).await?;
    Ok(CreateTokenResponse {
        token: Some(token),
        credentials: Some(credentials),
        warnings,
    })
}

/// Makes a token of the admitted bucket, with its record in the audit; `original` is what it is a clone of.
pub(super) async fn make_token(
    service: &Service,
    grant: &BucketGrant,
    new: NewKey,
    original: Option<&AccessKey>,
) -> Result<(Token, Credentials), Error> {
    let (row, secret) = issue_key(service, new, grant.actor()).await?;
    let about = About::token(&grant.bucket, row.pk);
    let mut details = TokenSettings::from(&row).to_json();
    details["access_key_id"] = row.access_key_id.as_str().into();
    if let KeyScope::Bucket { permission, .. } = row.scope {
        details["permission"] = permission.to_string().into();
    }
    let action = match original {
        None => "token.create",
        Some(original) => {
            details["clone_of"] = original.pk.to_string().into();
            "token.clone"
        }
    };
    let entry = audit_entry(service, grant, action, about, details);
    let key = service.commit(grant, row, vec![entry]).await?;
    let token = token_to_proto(&key, &grant.bucket, service.now());
    let credentials = credentials(service, grant, &token.access_key_id, &secret);
    Ok((token, credentials))
}

/// The four values that a client needs.
pub(super) fn credentials(
    service: &Service,
    grant: &BucketGrant,
    access_key_id: &str,
    secret: &SecretKey,
) -> Credentials {
    Credentials {
        endpoint_url: service.settings.endpoint_url.clone(),
        bucket: grant.bucket.name.as_str().to_owned(),
        access_key_id: access_key_id.to_owned(),
        secret_access_key: secret.expose().to_owned(),
    }
}
