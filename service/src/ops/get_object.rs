use bucketry_contract::GetObjectStream;
use bucketry_contract::v1::{
    GetObjectRequest, GetObjectResponse, ObjectChunk, ObjectHeader, get_object_response::Message,
};
use bytes::Bytes;
use futures::stream;
use futures::{StreamExt, TryStreamExt};
use tonic::{Request, Status};

use super::open_object::{OpenObject, open_object};
use crate::catalog::model::ObjectData;
use crate::error::{Error, blob_error, to_status};
use crate::metering::Direction;
use crate::request::{Payload, Service};

pub(crate) async fn get_object(
    service: &Service,
    request: Request<GetObjectRequest>,
) -> Result<GetObjectStream, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.get_ref();
    let OpenObject {
        grant,
        stored,
        range,
        header,
        active,
    } = open_object(service, caller, asked, asked).await?;
    let start = range.start;
    match &stored.data {
        ObjectData::Empty => Ok(with_header(header, stream::empty())),
        ObjectData::Inline(bytes) => {
            let piece = slice(bytes, range.start, range.end)?;
            service.ledger.bytes(&grant, Direction::Out, piece.len())?;
            Ok(with_header(header, stream::iter([Ok(chunk(start, piece))])))
        }
        ObjectData::Extents(layout) => {
            let blocks = service
                .content
                .blobs
                .read(active, &layout.extents, range)
                .map_err(blob_error)?;
            let mut offset = start;
            let chunks = blocks.map(move |block| {
                let message = chunk(offset, block.map_err(blob_error)?);
                offset += message.payload() as u64;
                Ok(message)
            });
            let mut chunks = service.watched(grant, chunks);
            // Before the header: once that is out, a damaged block or a store that is away can only break the answer off.
            let first = chunks.try_next().await?;
            let rest = chunks.map_err(|error| to_status(&error));
            Ok(with_header(header, stream::iter(first.map(Ok)).chain(rest)))
        }
    }
}

fn with_header(
    header: ObjectHeader,
    chunks: impl futures::Stream<Item = Result<GetObjectResponse, Status>> + Send + 'static,
) -> GetObjectStream {
    let first = GetObjectResponse {
        message: Some(Message::Header(header)),
    };
    stream::iter([Ok(first)]).chain(chunks).boxed()
}

fn chunk(offset: u64, data: Bytes) -> GetObjectResponse {
    GetObjectResponse {
        message: Some(Message::Chunk(ObjectChunk {
            offset: offset as i64,
            data,
            crc32c: None,
        })),
    }
}

impl Payload for GetObjectResponse {
    fn payload(&self) -> usize {
        match &self.message {
            Some(Message::Chunk(chunk)) => chunk.data.len(),
            Some(Message::Header(_)) | None => 0,
        }
    }
}

/// A piece of inline bytes. The row and its data were read together, so a piece outside is a fault of the store.
pub(super) fn slice(bytes: &Bytes, start: u64, end: u64) -> Result<Bytes, Error> {
    let within = usize::try_from(start)
        .ok()
        .zip(usize::try_from(end).ok())
        .filter(|&(start, end)| start <= end && end <= bytes.len());
    within.map_or_else(
        || {
            Err(Error::DataCorrupt(
                "inline data is shorter than its row says".into(),
            ))
        },
        |(start, end)| Ok(bytes.slice(start..end)),
    )
}
