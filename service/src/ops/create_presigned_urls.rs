mod spec;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bucketry_contract::v1::{
    CreatePresignedUrlsRequest, CreatePresignedUrlsResponse, GetObjectRequest, HeadObjectRequest,
    PresignedUrl, PutObjectSpec, UploadPartSpec,
};
use prost::Message;
use serde_json::json;
use tonic::Request;

use self::spec::{PresignedOperation, PresignedSpec, presigned_specs};
use super::tokens::{About, audit_entry};
use crate::access::sigv4::{
    AmzDate, CredentialScope, PresignedRequest, PresigningKey, SigningKey, presign,
};
use crate::catalog::model::KeyScope;
use crate::catalog::mutation::AppendAudit;
use crate::convert::{MAX_ITEM_BYTES, timestamp_to_proto};
use crate::domain::{AccessKeyId, Timestamp};
use crate::error::Error;
use crate::request::{BucketGrant, Grant, Requirements, Resource, Service};

pub(crate) async fn create_presigned_urls(
    service: &Service,
    request: Request<CreatePresignedUrlsRequest>,
) -> Result<CreatePresignedUrlsResponse, Error> {
    let caller = service.caller(&request).await?;
    let message = request.into_inner();
    let grant = service
        .admit(caller, &message, Resource::bucket(&message.bucket))
        .await?;
    let specs = presigned_specs(message.urls)?;
    for spec in &specs {
        let requirements = requirements(spec, &message.bucket);
        service.decide(grant.caller(), &requirements, grant.target())?;
    }
    let presigner = Presigner::of_caller(service, &grant).await?;
    let urls = presigner.urls(&specs)?;
    record(service, &grant, &specs).await?;
    Ok(CreatePresignedUrlsResponse { urls })
}

/// Access requirements of the presigned operation.
fn requirements(spec: &PresignedSpec, bucket: &str) -> Requirements {
    let resource = Resource::object(bucket, spec.key.as_str());
    match spec.operation {
        PresignedOperation::Get => Requirements::of(&GetObjectRequest::default(), resource),
        PresignedOperation::Head => Requirements::of(&HeadObjectRequest::default(), resource),
        PresignedOperation::Put => Requirements::of(&PutObjectSpec::default(), resource),
        PresignedOperation::UploadPart => Requirements::of(&UploadPartSpec::default(), resource),
    }
}

/// Records in the audit that an administrator created URLs: each is a credential that outlives the call.
///
/// The calls of tokens are counted in their usage instead: audit events are never deleted, so a read-only token
/// could fill the database.
async fn record(
    service: &Service,
    grant: &BucketGrant,
    specs: &[PresignedSpec],
) -> Result<(), Error> {
    let Some(first) = specs.first() else {
        return Ok(());
    };
    match grant.scope() {
        Some(KeyScope::Everything | KeyScope::Account(_)) => {}
        Some(KeyScope::Bucket { .. } | KeyScope::Edge) | None => return Ok(()),
    }
    let operations: BTreeSet<_> = specs.iter().map(|spec| spec.operation.name()).collect();
    let details = json!({
        "count": specs.len(),
        "operations": operations,
        "first_key": first.key.as_str(),
    });
    let about = About::bucket(&grant.bucket);
    let entry = audit_entry(service, grant, "object.presign", about, details);
    service.commit(grant, AppendAudit, vec![entry]).await?;
    Ok(())
}

/// Signs by the key of a caller.
struct Presigner<'a> {
    endpoint: &'a str,
    bucket: &'a str,
    access_key_id: AccessKeyId,
    signing_key: Arc<SigningKey>,
    scope: CredentialScope,
    signed_at: AmzDate,
    /// The first moment at which the key can no longer be used.
    key_expires: Option<Timestamp>,
}

impl<'a> Presigner<'a> {
    async fn of_caller(service: &'a Service, grant: &'a BucketGrant) -> Result<Self, Error> {
        let key = grant.caller().key().ok_or(Error::CredentialsRequired)?;
        let row = service.key_row_of(&key.access_key_id).await?;
        let signed_at = AmzDate::at(service.now());
        let signed_at = signed_at.ok_or_else(|| Error::internal("a clock beyond the year 9999"))?;
        let scope = CredentialScope::own(signed_at, &service.settings.accepted_regions);
        let keys = service.signing_keys_of(&row);
        Ok(Self {
            endpoint: &service.settings.endpoint_url,
            bucket: grant.bucket.name.as_str(),
            access_key_id: row.access_key_id.clone(),
            signing_key: keys.get_or_derive(row.pk, &scope, || service.open_secret(&row))?,
            scope,
            signed_at,
            key_expires: row.expires,
        })
    }

    fn urls(&self, specs: &[PresignedSpec]) -> Result<Vec<PresignedUrl>, Error> {
        let mut urls = Vec::with_capacity(specs.len());
        let mut bytes = 0;
        for spec in specs {
            let url = self.url(spec);
            bytes += url.encoded_len();
            // gRPC clients refuse larger responses by default.
            if bytes > MAX_ITEM_BYTES {
                return Err(Error::InvalidArgument {
                    field: "urls",
                    problem: format!(
                        "the URLs take more than {MAX_ITEM_BYTES} bytes, the limit of a response: request fewer"
                    ),
                });
            }
            urls.push(url);
        }
        Ok(urls)
    }

    fn url(&self, spec: &PresignedSpec) -> PresignedUrl {
        let (expires_seconds, expire_time) = self.expiry(spec.lifetime_seconds);
        let request = PresignedRequest {
            method: spec.operation.http_method(),
            endpoint: self.endpoint,
            bucket: self.bucket,
            key: spec.key.as_str(),
            query: &spec.query,
            headers: &spec.headers,
        };
        let by = PresigningKey {
            access_key_id: &self.access_key_id,
            signing_key: &self.signing_key,
            scope: &self.scope,
            signed_at: self.signed_at,
            expires_seconds,
        };
        PresignedUrl {
            url: presign(&request, &by),
            headers: spec.headers.clone().into_iter().collect(),
            expire_time: Some(timestamp_to_proto(expire_time)),
        }
    }

    /// The value of `X-Amz-Expires`, and the first moment at which the URL or its key can no longer be used.
    fn expiry(&self, wanted_seconds: u32) -> (u32, Timestamp) {
        let begin = self.signed_at.timestamp();
        let end_after = |seconds: u32| begin.saturating_add(Duration::from_secs(seconds.into()));
        match self.key_expires {
            Some(at) if at < end_after(wanted_seconds) => {
                let left = u32::try_from(at.since(begin).as_secs()).unwrap_or(wanted_seconds);
                // Less than a second cannot be written.
                let seconds = left.max(1);
                (seconds, at.min(end_after(seconds)))
            }
            Some(_) | None => (wanted_seconds, end_after(wanted_seconds)),
        }
    }
}

#[cfg(test)]
mod tests;
