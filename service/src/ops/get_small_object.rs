use std::pin::pin;

use bucketry_contract::v1::{GetSmallObjectRequest, GetSmallObjectResponse, ObjectHeader};
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

/// A small object, with its content in the pieces in which it was read.
#[derive(Debug)]
pub(crate) struct SmallObject {
    pub(crate) header: ObjectHeader,
    pub(crate) blocks: Vec<Bytes>,
}

pub(crate) async fn get_small_object(
    service: &Service,
    request: Request<GetSmallObjectRequest>,
) -> Result<GetSmallObjectResponse, Error> {
    let SmallObject { header, blocks } = read_small_object(service, request).await?;
    let data = match <[Bytes; 1]>::try_from(blocks) {
        Ok([block]) => block,
        Err(blocks) => {
            let size = blocks.iter().map(Bytes::len).sum();
            let mut whole = BytesMut::with_capacity(size);
            blocks
                .iter()
                .for_each(|block| whole.extend_from_slice(block));
            whole.freeze()
        }
    };
    Ok(GetSmallObjectResponse {
        header: Some(header),
        data,
    })
}

/// As [`get_small_object`], without joining the pieces.
pub(crate) async fn read_small_object(
    service: &Service,
    request: Request<GetSmallObjectRequest>,
) -> Result<SmallObject, Error> {
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
    let blocks = match &stored.data {
        ObjectData::Empty => Vec::new(),
        ObjectData::Inline(bytes) => vec![slice(bytes, range.start, range.end)?],
        ObjectData::Extents(layout) => {
            let blocks = (service.content.blobs)
                .read(active, &layout.extents, range)
                .map_err(blob_error)?;
            let whole = blocks.map_err(blob_error).try_collect();
            service.while_granted(&grant, pin!(whole)).await?
        }
    };
    let length = blocks.iter().map(Bytes::len).sum();
    service.ledger.bytes(&grant, Direction::Out, length)?;
    Ok(SmallObject { header, blocks })
}
