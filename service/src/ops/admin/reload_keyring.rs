use bucketry_contract::v1::{ReloadKeyringRequest, ReloadKeyringResponse};
use serde_json::json;
use tonic::Request;

use super::get_keyring::sealing_keys;
use crate::catalog::model::AuditEntry;
use crate::catalog::mutation::{AppendAudit, Mutation};
use crate::error::Error;
use crate::ops::tokens::{About, audit_entry};
use crate::request::Service;
use crate::sealing::SealingError;

const ACTION: &str = "keyring.reload";

pub(crate) async fn reload_keyring(
    service: &Service,
    request: Request<ReloadKeyringRequest>,
) -> Result<ReloadKeyringResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service.admit_account(caller, &asked).await?;
    reload(service).await?;
    let entry = audit_entry(service, &grant, ACTION, About::default(), details(service));
    append(service, entry).await?;
    Ok(ReloadKeyringResponse {
        keys: sealing_keys(service).await?,
    })
}

/// The same without a caller: whoever may send this process a signal may do it.
pub(crate) async fn reload_by_signal(service: &Service, signal: &'static str) -> Result<(), Error> {
    reload(service).await?;
    let entry = AuditEntry {
        at: service.now(),
        actor: signal.to_owned(),
        address: None,
        action: ACTION.to_owned(),
        account: None,
        bucket: None,
        access_key: None,
        request_id: String::new(),
        details: details(service).to_string(),
    };
    append(service, entry).await
}

/// Not in the caller's name: the reload has happened, even if the caller's key was revoked meanwhile.
async fn append(service: &Service, entry: AuditEntry) -> Result<(), Error> {
    let mutation = Mutation::by_system(service.now(), AppendAudit).audited(vec![entry]);
    Ok(service.catalog.submit(mutation).await?)
}

async fn reload(service: &Service) -> Result<(), Error> {
    match service.keyring.reload(&service.catalog).await {
        Ok(()) => Ok(()),
        Err(SealingError::Catalog(error)) => Err(error.into()),
        Err(error) => Err(Error::KeyringRefused {
            problem: error.to_string(),
        }),
    }
}

fn details(service: &Service) -> serde_json::Value {
    let keyring = service.keyring.current();
    let ids: Vec<u32> = keyring.ids().map(|id| id.get()).collect();
    json!({ "active": keyring.active_id().get(), "keys": ids })
}
