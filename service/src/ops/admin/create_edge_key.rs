use bucketry_contract::v1::{CreateEdgeKeyRequest, CreateEdgeKeyResponse};
use serde_json::json;
use tonic::Request;

use crate::catalog::model::{KeyLimits, KeyScope};
use crate::convert::{admin_key_to_proto, token_name};
use crate::error::Error;
use crate::ops::tokens::{About, NewKey, audit_entry, issue_key};
use crate::service::{Decided, Service};

pub(crate) async fn create_edge_key(
    service: &Service,
    request: Request<CreateEdgeKeyRequest>,
) -> Result<CreateEdgeKeyResponse, Error> {
    let caller = service.caller(&request, "CreateEdgeKey").await?;
    let asked = request.into_inner();
    let grant = service.admit_account(caller, &asked).await?;
    let name = token_name(&asked.name)?;
    let new = NewKey {
        scope: KeyScope::Edge,
        name: name.clone(),
        allowed: Vec::new(),
        disallowed: Vec::new(),
        expires: None,
        limits: KeyLimits::default(),
    };
    let (row, secret) = issue_key(service, new, grant.actor()).await?;
    let about = About {
        access_key: Some(row.pk),
        ..About::default()
    };
    let details = json!({ "name": name, "access_key_id": row.access_key_id.to_string() });
    let entry = audit_entry(service, &grant, "edge_key.create", about, details);
    let key = service.administer(&grant, row, &[entry]).await?;
    Ok(CreateEdgeKeyResponse {
        key: Some(admin_key_to_proto(&key)),
        secret_access_key: secret.expose().to_owned(),
    })
}
