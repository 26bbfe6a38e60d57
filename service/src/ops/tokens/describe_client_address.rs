use bucketry_contract::v1::{DescribeClientAddressRequest, DescribeClientAddressResponse};
use tonic::Request;

use crate::error::Error;
use crate::service::Service;

pub(crate) async fn describe_client_address(
    service: &Service,
    request: Request<DescribeClientAddressRequest>,
) -> Result<DescribeClientAddressResponse, Error> {
    let caller = service.caller(&request, "DescribeClientAddress").await?;
    let asked = request.into_inner();
    service.admit_account(caller, &asked).await?;
    Err(Error::NotImplemented("DescribeClientAddress"))
}
