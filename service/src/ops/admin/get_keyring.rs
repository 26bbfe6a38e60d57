use bucketry_contract::v1::{GetKeyringRequest, GetKeyringResponse, SealingKey};
use tonic::Request;

use crate::error::Error;
use crate::request::Service;

pub(crate) async fn get_keyring(
    service: &Service,
    request: Request<GetKeyringRequest>,
) -> Result<GetKeyringResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    service.admit_account(caller, &asked).await?;
    Ok(GetKeyringResponse {
        keys: sealing_keys(service).await?,
    })
}

/// The keys by number, without the keys themselves.
pub(super) async fn sealing_keys(service: &Service) -> Result<Vec<SealingKey>, Error> {
    let keys = service.keyring.status(&service.catalog).await?;
    Ok(keys
        .into_iter()
        .map(|key| SealingKey {
            key_id: key.kek_id.to_string(),
            active: key.active,
            loaded: key.loaded,
            sealed_secrets: key.sealed_secrets,
        })
        .collect())
}
