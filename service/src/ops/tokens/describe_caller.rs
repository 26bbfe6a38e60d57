use bucketry_contract::v1::{CallerKind, DescribeCallerRequest, DescribeCallerResponse};
use tonic::Request;

use crate::catalog::model::KeyScope;
use crate::convert::{permission_of, timestamp_to_proto};
use crate::error::Error;
use crate::request::{Grant, Service};

pub(crate) async fn describe_caller(
    service: &Service,
    request: Request<DescribeCallerRequest>,
) -> Result<DescribeCallerResponse, Error> {
    let caller = service.caller(&request).await?;
    let grant = service.admit_account(caller, request.get_ref()).await?;
    let key = grant.caller().key().ok_or(Error::CredentialsRequired)?;
    let row = service.key_row_of(&key.access_key_id).await?;
    let kind = match row.scope {
        KeyScope::Everything => CallerKind::Operator,
        KeyScope::Account(_) => CallerKind::Account,
        KeyScope::Bucket { .. } => CallerKind::Token,
        KeyScope::Edge => CallerKind::Edge,
    };
    let bucket = match row.scope {
        KeyScope::Bucket { bucket, .. } => service.catalog.bucket(bucket).await?,
        KeyScope::Everything | KeyScope::Account(_) | KeyScope::Edge => None,
    };
    Ok(DescribeCallerResponse {
        access_key_id: row.access_key_id.as_str().to_owned(),
        kind: kind.into(),
        account_id: row
            .scope
            .account()
            .map_or_else(String::new, |id| id.to_string()),
        bucket: bucket.map_or_else(String::new, |bucket| bucket.name.as_str().to_owned()),
        permission: permission_of(&row).into(),
        name: row.name.clone(),
        expire_time: row.expires.map(timestamp_to_proto),
    })
}
