use bucketry_contract::v1::{PurgeTokenRequest, PurgeTokenResponse};
use serde_json::json;
use tonic::Request;

use super::{About, admit_token, audit_entry};
use crate::catalog::mutation::PurgeAccessKey;
use crate::error::Error;
use crate::request::Service;

/// Forgets a token that can no longer be used. Its records in the audit stay.
pub(crate) async fn purge_token(
    service: &Service,
    request: Request<PurgeTokenRequest>,
) -> Result<PurgeTokenResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, token) =
        admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
    let change = PurgeAccessKey { pk: token.pk };
    let about = About::token(&grant.bucket, token.pk);
    // What is left of the token: whoever reads of its id in older records finds its name here.
    let details = json!({
        "name": token.name,
        "access_key_id": token.access_key_id.as_str(),
    });
    let entry = audit_entry(service, &grant, "token.purge", about, details);
    // What is counted but not written yet goes with the rest, instead of being written after it.
    service.ledger.flush(&service.catalog).await?;
    service.commit(&grant, change, vec![entry]).await?;
    Ok(PurgeTokenResponse {})
}
