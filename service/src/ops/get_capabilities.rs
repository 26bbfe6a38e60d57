use bucketry_contract::v1::{GetCapabilitiesRequest, GetCapabilitiesResponse};
use tonic::Request;

use crate::content::{MAX_CHUNK_BYTES, MAX_PUT_BYTES};
use crate::convert::algorithm_to_proto;
use crate::domain::{ChecksumAlgorithm, ObjectKey};
use crate::error::Error;
use crate::limits::{MAX_METADATA_BYTES, MAX_OBJECT_BYTES, MAX_PARTS, MIN_PART_BYTES};
use crate::request::Service;

#[allow(
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "every operation has this shape"
)]
pub(crate) async fn get_capabilities(
    service: &Service,
    _request: Request<GetCapabilitiesRequest>,
) -> Result<GetCapabilitiesResponse, Error> {
    Ok(GetCapabilitiesResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        max_chunk_bytes: MAX_CHUNK_BYTES as i64,
        max_put_bytes: MAX_PUT_BYTES as i64,
        max_object_bytes: MAX_OBJECT_BYTES as i64,
        max_parts: i32::from(MAX_PARTS),
        min_part_bytes: MIN_PART_BYTES as i64,
        max_key_bytes: ObjectKey::MAX_BYTES as i32,
        max_metadata_bytes: MAX_METADATA_BYTES as i32,
        checksum_algorithms: ChecksumAlgorithm::ALL
            .into_iter()
            .map(|algorithm| algorithm_to_proto(algorithm).into())
            .collect(),
        endpoint_url: service.settings.endpoint_url.clone(),
        region: service.settings.region.clone(),
    })
}
