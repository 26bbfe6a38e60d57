use std::pin::pin;

use bucketry_contract::v1::{GetSmallObjectRequest, GetSmallObjectResponse};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use tonic::Request;

use super::get_object::slice;
use super::open_object::{OpenObject, open_object};
use crate::catalog::model::ObjectData;
use crate::content::MAX_CHUNK_BYTES;
use crate::error::{Error, blob_error};
use crate::metering::Direction;
use crate::request::Service;

pub(crate) async fn get_small_object(
    service: &Service,
    request: Request<GetSmallObjectRequest>,
) -> Result<GetSmallObjectResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.get_ref().object.clone().unwrap_or_default();
    let OpenObject {
        grant,
        stored,
        range,
        header,
        active,
    } = open_object(service, caller, request.get_ref(), &asked).await?;
    let size = range.end - range.start;
    if size > MAX_CHUNK_BYTES as u64 {
        return Err(Error::EntityTooLarge {
            size,
            most: MAX_CHUNK_BYTES as u64,
        });
    }
    let data = match &stored.data {
        ObjectData::Empty => Bytes::new(),
        ObjectData::Inline(bytes) => slice(bytes, range.start, range.end)?,
        ObjectData::Extents(layout) => {
            let blocks = service
                .content
                .blobs
                .read(active, &layout.extents, range)
                .map_err(blob_error)?;
            let whole = blocks.map_err(blob_error).try_fold(
                BytesMut::new(),
                |mut whole, block| async move {
                    whole.extend_from_slice(&block);
                    Ok(whole)
                },
            );
            service.while_granted(&grant, pin!(whole)).await?.freeze()
        }
    };
    service.ledger.bytes(&grant, Direction::Out, data.len())?;
    Ok(GetSmallObjectResponse {
        header: Some(header),
        data,
    })
}
