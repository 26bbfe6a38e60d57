use bucketry_contract::v1::{CreateAccountKeyRequest, CreateAccountKeyResponse};
use tonic::Request;

use super::admit_to_account::admit_to_account;
use super::issue_admin_key::issue_admin_key;
use crate::catalog::model::KeyScope;
use crate::convert::admin_key_to_proto;
use crate::error::Error;
use crate::request::Service;

pub(crate) async fn create_account_key(
    service: &Service,
    request: Request<CreateAccountKeyRequest>,
) -> Result<CreateAccountKeyResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, account) = admit_to_account(service, caller, &asked, &asked.account_id).await?;
    let account = account.ok_or_else(|| Error::InvalidArgument {
        field: "account_id",
        problem: "must name the account: the caller is an operator".to_owned(),
    })?;
    let scope = KeyScope::Account(account);
    let (key, secret) =
        issue_admin_key(service, &grant, &asked.name, scope, "account.create_key").await?;
    Ok(CreateAccountKeyResponse {
        key: Some(admin_key_to_proto(&key)),
        secret_access_key: secret.expose().to_owned(),
    })
}
