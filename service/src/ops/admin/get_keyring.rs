use bucketry_contract::v1::{GetKeyringRequest, GetKeyringResponse};
use tonic::Request;

use crate::error::Error;
use crate::service::Service;

pub(crate) async fn get_keyring(
    service: &Service,
    request: Request<GetKeyringRequest>,
) -> Result<GetKeyringResponse, Error> {
    let caller = service.caller(&request, "GetKeyring").await?;
    let asked = request.into_inner();
    service.admit_account(caller, &asked).await?;
    Err(Error::NotImplemented("GetKeyring"))
}
