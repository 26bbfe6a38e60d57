use bucketry_contract::v1::{CreateAccountRequest, CreateAccountResponse};
use serde_json::json;
use tonic::Request;

use crate::catalog::model::{KeyLimits, KeyScope};
use crate::catalog::mutation::CreateAccount;
use crate::catalog::{CatalogError, Refusal};
use crate::convert::{account_to_proto, is_unnameable};
use crate::domain::{AccountId, OwnerId};
use crate::error::Error;
use crate::ops::tokens::{About, NewKey, audit_entry, issue_key};
use crate::request::{Grant, Service};

const MAX_NAME_CHARS: usize = 64;

pub(crate) async fn create_account(
    service: &Service,
    request: Request<CreateAccountRequest>,
) -> Result<CreateAccountResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service.admit_account(caller, &asked).await?;
    let name = account_name(asked.display_name)?;
    let id = AccountId(service.catalog.next_id().await?);
    let about = About {
        account: Some(id),
        ..About::default()
    };
    let change = CreateAccount {
        id,
        owner_id: OwnerId::from_bytes(service.random()?),
        name: name.clone(),
    };
    let entry = audit_entry(
        service,
        &grant,
        "account.create",
        about,
        json!({ "name": name }),
    );
    let account = match service.commit(&grant, change, vec![entry]).await {
        Err(CatalogError::Refused(Refusal::AccountExists)) => {
            return Err(Error::AccountAlreadyExists { name });
        }
        other => other?,
    };
    let new = NewKey {
        scope: KeyScope::Account(id),
        name: "administrator".to_owned(),
        allowed: Vec::new(),
        disallowed: Vec::new(),
        expires: None,
        limits: KeyLimits::default(),
    };
    let (row, secret) = issue_key(service, new, grant.actor()).await?;
    let about = About {
        access_key: Some(row.pk),
        ..about
    };
    let details = json!({ "access_key_id": row.access_key_id.to_string() });
    let entry = audit_entry(service, &grant, "account.create_key", about, details);
    let key = service.commit(&grant, row, vec![entry]).await?;
    Ok(CreateAccountResponse {
        account: Some(account_to_proto(&account)),
        access_key_id: key.access_key_id.to_string(),
        secret_access_key: secret.expose().to_owned(),
    })
}

fn account_name(name: String) -> Result<String, Error> {
    let fits = (1..=MAX_NAME_CHARS).contains(&name.chars().count());
    if fits && !name.chars().any(is_unnameable) && !name.trim().is_empty() {
        return Ok(name);
    }
    Err(Error::InvalidArgument {
        field: "display_name",
        problem: format!("must have 1 to {MAX_NAME_CHARS} characters, no control characters"),
    })
}
