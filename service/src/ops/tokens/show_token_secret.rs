use bucketry_contract::v1::{ShowTokenSecretRequest, ShowTokenSecretResponse};
use serde_json::json;
use tonic::Request;

use super::create_token::credentials;
use super::{About, admit_token, audit_entry};
use crate::catalog::model::KeyState;
use crate::catalog::mutation::AppendAudit;
use crate::error::Error;
use crate::request::Service;

pub(crate) async fn show_token_secret(
    service: &Service,
    request: Request<ShowTokenSecretRequest>,
) -> Result<ShowTokenSecretResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, token) =
        admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
    if token.state == KeyState::Revoked {
        return Err(Error::TokenRevoked);
    }
    let secret = service.open_secret(&token)?;
    let about = About::token(&grant.bucket, token.pk);
    // No showing without its record: the record is durable before the secret leaves.
    let entry = audit_entry(
        service,
        &grant,
        "token.show_secret",
        about,
        json!({ "name": token.name }),
    );
    service.commit(&grant, AppendAudit, vec![entry]).await?;
    Ok(ShowTokenSecretResponse {
        credentials: Some(credentials(
            service,
            &grant,
            token.access_key_id.as_str(),
            &secret,
        )),
    })
}
