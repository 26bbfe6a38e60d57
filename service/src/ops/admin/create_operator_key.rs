use bucketry_contract::v1::{CreateOperatorKeyRequest, CreateOperatorKeyResponse};
use tonic::Request;

use super::issue_admin_key::issue_admin_key;
use crate::catalog::model::KeyScope;
use crate::convert::admin_key_to_proto;
use crate::error::Error;
use crate::request::Service;

pub(crate) async fn create_operator_key(
    service: &Service,
    request: Request<CreateOperatorKeyRequest>,
) -> Result<CreateOperatorKeyResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service.admit_account(caller, &asked).await?;
    let scope = KeyScope::Everything;
    let (key, secret) =
        issue_admin_key(service, &grant, &asked.name, scope, "operator_key.create").await?;
    Ok(CreateOperatorKeyResponse {
        key: Some(admin_key_to_proto(&key)),
        secret_access_key: secret.expose().to_owned(),
    })
}
