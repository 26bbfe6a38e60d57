use bucketry_contract::v1::{self, CreateMultipartUploadRequest, CreateMultipartUploadResponse};
use tonic::Request;

use crate::catalog::mutation::CreateUpload;
use crate::convert::{algorithm_from_proto, attributes_from_proto, object_key, upload_to_proto};
use crate::domain::{ChecksumAlgorithm, ChecksumType, UploadId};
use crate::error::Error;
use crate::request::{Grant, Resource, Service};
use crate::rules::checksums;

pub(crate) async fn create_multipart_upload(
    service: &Service,
    request: Request<CreateMultipartUploadRequest>,
) -> Result<CreateMultipartUploadResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::object(&asked.bucket, &asked.key))
        .await?;
    let key = object_key(&asked.key)?;
    let (headers, tags) = attributes_from_proto(asked.attributes)?;
    let checksum = checksum(asked.checksum_algorithm, asked.checksum_type)?;
    let id = UploadId::new(service.now(), service.random()?);
    let upload = service
        .commit(
            &grant,
            CreateUpload {
                id,
                bucket: grant.bucket.id,
                key: key.clone(),
                initiator: grant.actor(),
                owner: grant.bucket.account,
                headers: headers.clone(),
                tags: tags.clone(),
                lock: Default::default(),
                acl: None,
                checksum,
                most_open: service.settings.max_open_uploads,
            },
            Vec::new(),
        )
        .await?;
    let owner = service.owner(grant.bucket.account).await?;
    Ok(CreateMultipartUploadResponse {
        upload: Some(upload_to_proto(&grant.bucket.name, &upload, &owner)),
    })
}

fn checksum(algorithm: i32, kind: i32) -> Result<Option<(ChecksumAlgorithm, ChecksumType)>, Error> {
    let algorithm = algorithm_from_proto("checksum_algorithm", algorithm)?;
    let kind = match v1::ChecksumType::try_from(kind) {
        Ok(v1::ChecksumType::Unspecified) => None,
        Ok(v1::ChecksumType::Composite) => Some(ChecksumType::Composite),
        Ok(v1::ChecksumType::FullObject) => Some(ChecksumType::FullObject),
        Err(_) => {
            return Err(Error::InvalidArgument {
                field: "checksum_type",
                problem: format!("there is no checksum type {kind}"),
            });
        }
    };
    Ok(checksums::of_upload(algorithm, kind)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use v1::{ChecksumAlgorithm as A, ChecksumType as T};

    #[test]
    fn the_types_that_each_algorithm_may_have() {
        let kind = |a: A, t: T| {
            checksum(a.into(), t.into())
                .ok()
                .flatten()
                .map(|(_, kind)| kind)
        };
        assert_eq!(
            kind(A::Crc32, T::Unspecified),
            Some(ChecksumType::Composite)
        );
        assert_eq!(
            kind(A::Crc32c, T::FullObject),
            Some(ChecksumType::FullObject)
        );
        assert_eq!(
            kind(A::Crc64nvme, T::Unspecified),
            Some(ChecksumType::FullObject)
        );
        assert_eq!(kind(A::Crc64nvme, T::Composite), None);
        assert_eq!(kind(A::Sha256, T::FullObject), None);
        assert!(checksum(A::Unspecified.into(), T::Composite.into()).is_err());
        assert!(matches!(checksum(0, 0), Ok(None)));
        assert!(checksum(99, 0).is_err() && checksum(1, 99).is_err());
    }
}
