use bucketry_contract::v1::{ReloadKeyringRequest, ReloadKeyringResponse};
use tonic::Request;

use crate::error::Error;
use crate::service::Service;

pub(crate) async fn reload_keyring(
    service: &Service,
    request: Request<ReloadKeyringRequest>,
) -> Result<ReloadKeyringResponse, Error> {
    let caller = service.caller(&request, "ReloadKeyring").await?;
    let asked = request.into_inner();
    service.admit_account(caller, &asked).await?;
    Err(Error::NotImplemented("ReloadKeyring"))
}
