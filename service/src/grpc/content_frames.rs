//! Messages that carry content, encoded without a copy of it: what precedes the content, and then the content itself as
//! frames of their own.

use std::collections::VecDeque;

use bucketry_contract::v1::get_object_response::Message as Part;
use bucketry_contract::v1::{GetObjectResponse, GetSmallObjectResponse, ObjectChunk};
use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use crate::ops::SmallObject;

/// Content up to this length is copied behind what precedes it, since a frame of its own costs more.
pub(super) const SHORT_CONTENT: usize = 16 * 1024;

/// The prefix of a message: a flag and the length.
const PREFIX: usize = 5;

/// The numbers of the fields in the contract.
const CHUNK_OF_ANSWER: u32 = 2;
const DATA_OF_CHUNK: u32 = 2;
const DATA_OF_SMALL_OBJECT: u32 = 2;

/// A message of an answer.
pub(super) trait EncodeFrames {
    /// Appends the message to `frames`.
    fn encode_to(self, frames: &mut ContentFrames);
}

/// Encoded messages that have not been sent.
#[derive(Debug, Default)]
pub(super) struct ContentFrames {
    complete: VecDeque<Bytes>,
    /// Short messages and beginnings of longer ones, which are sent as one frame.
    open: BytesMut,
}

impl ContentFrames {
    /// The bytes of the frame that is still growing.
    pub(super) fn open_len(&self) -> usize {
        self.open.len()
    }

    /// The next frame that will not grow.
    pub(super) fn next_complete(&mut self) -> Option<Bytes> {
        self.complete.pop_front()
    }

    /// The next frame, even if it could still grow.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        self.next_complete().or_else(|| self.take_open())
    }

    fn take_open(&mut self) -> Option<Bytes> {
        (!self.open.is_empty()).then(|| self.open.split().freeze())
    }

    fn begin_message(&mut self, length: usize, reserve: usize) {
        self.open.reserve(PREFIX + reserve);
        self.open.put_u8(0);
        // A message is no longer than a chunk and its envelope.
        self.open.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn push_content(&mut self, content: Bytes) {
        if content.len() <= SHORT_CONTENT {
            self.open.put(content);
        } else {
            let before = self.take_open();
            self.complete.extend(before.into_iter().chain([content]));
        }
    }
}

/// A field of bytes.
#[derive(Clone, Copy)]
struct ContentField {
    number: u32,
    length: usize,
}

impl ContentField {
    /// The length of key and length.
    fn head_len(self) -> usize {
        match self.length {
            0 => 0,
            length => key_len(self.number) + encoded_len_varint(length as u64),
        }
    }

    fn len(self) -> usize {
        self.head_len() + self.length
    }

    /// Encodes key and length. A field without content is left out, as everywhere in proto3.
    fn encode_head(self, buffer: &mut BytesMut) {
        if self.length > 0 {
            encode_key(self.number, WireType::LengthDelimited, buffer);
            encode_varint(self.length as u64, buffer);
        }
    }
}

impl EncodeFrames for SmallObject {
    fn encode_to(self, frames: &mut ContentFrames) {
        let content: usize = self.blocks.iter().map(Bytes::len).sum();
        let rest = GetSmallObjectResponse {
            header: Some(self.header),
            data: Bytes::new(),
        };
        let data = ContentField {
            number: DATA_OF_SMALL_OBJECT,
            length: content,
        };
        let head = rest.encoded_len() + data.head_len();
        frames.begin_message(head + content, head + content.min(SHORT_CONTENT));
        rest.encode_raw(&mut frames.open);
        data.encode_head(&mut frames.open);
        self.blocks
            .into_iter()
            .for_each(|block| frames.push_content(block));
    }
}

impl EncodeFrames for GetObjectResponse {
    fn encode_to(self, frames: &mut ContentFrames) {
        let chunk = match self.message {
            Some(Part::Chunk(chunk)) => chunk,
            message @ (Some(Part::Header(_)) | None) => {
                let whole = Self { message };
                let length = whole.encoded_len();
                frames.begin_message(length, length);
                return whole.encode_raw(&mut frames.open);
            }
        };
        let ObjectChunk {
            offset,
            data: content,
            crc32c,
        } = chunk;
        let rest = ObjectChunk {
            offset,
            data: Bytes::new(),
            crc32c,
        };
        let data = ContentField {
            number: DATA_OF_CHUNK,
            length: content.len(),
        };
        let chunk_len = rest.encoded_len() + data.len();
        let head = key_len(CHUNK_OF_ANSWER) + encoded_len_varint(chunk_len as u64);
        let short = content.len().min(SHORT_CONTENT);
        frames.begin_message(head + chunk_len, head + chunk_len - content.len() + short);
        encode_key(CHUNK_OF_ANSWER, WireType::LengthDelimited, &mut frames.open);
        encode_varint(chunk_len as u64, &mut frames.open);
        rest.encode_raw(&mut frames.open);
        data.encode_head(&mut frames.open);
        frames.push_content(content);
    }
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{Object, ObjectHeader};
    use proptest::prelude::*;

    use super::*;

    fn header(size: i64) -> ObjectHeader {
        ObjectHeader {
            object: Some(Object {
                bucket: "bucket".to_owned(),
                key: "a/b".to_owned(),
                size,
                ..Object::default()
            }),
            content_length: size,
            ..ObjectHeader::default()
        }
    }

    fn content(length: usize) -> Bytes {
        (0..length).map(|place| place as u8).collect()
    }

    /// The frames of messages, and the messages as a client would read them.
    fn sent<T: Message + Default>(messages: Vec<impl EncodeFrames>) -> (Vec<Bytes>, Vec<T>) {
        let mut frames = ContentFrames::default();
        for message in messages {
            message.encode_to(&mut frames);
        }
        let all: Vec<Bytes> = std::iter::from_fn(|| frames.next()).collect();
        let mut bytes = Bytes::from(all.concat());
        let mut read = Vec::new();
        while !bytes.is_empty() {
            let prefix = bytes.split_to(PREFIX);
            assert_eq!(prefix[0], 0);
            let length = u32::from_be_bytes(prefix[1..].try_into().unwrap()) as usize;
            read.push(T::decode(bytes.split_to(length)).unwrap());
        }
        (all, read)
    }

    fn chunk(offset: i64, data: Bytes, crc32c: Option<u32>) -> GetObjectResponse {
        let chunk = ObjectChunk {
            offset,
            data,
            crc32c,
        };
        GetObjectResponse {
            message: Some(Part::Chunk(chunk)),
        }
    }

    proptest! {
        #[test]
        fn a_stream_is_read_as_it_was_made(
            lengths in prop::collection::vec(0_usize..40_000, 0..6),
            offset in 0..i64::MAX,
            crc32c: Option<u32>,
        ) {
            let first = GetObjectResponse { message: Some(Part::Header(header(5))) };
            let chunks = lengths.iter().map(|length| chunk(offset, content(*length), crc32c));
            let messages: Vec<_> = std::iter::once(first).chain(chunks).collect();
            let (_, read) = sent::<GetObjectResponse>(messages.clone());
            prop_assert_eq!(read, messages);
        }

        #[test]
        fn a_small_object_is_read_as_it_was_made(
            lengths in prop::collection::vec(0_usize..40_000, 0..4),
        ) {
            let blocks: Vec<Bytes> = lengths.iter().map(|length| content(*length)).collect();
            let whole = GetSmallObjectResponse {
                header: Some(header(1)),
                data: blocks.concat().into(),
            };
            let object = SmallObject { header: header(1), blocks };
            let (_, read) = sent::<GetSmallObjectResponse>(vec![object]);
            prop_assert_eq!(read, vec![whole]);
        }
    }

    #[test]
    fn content_is_not_copied() {
        let block = content(SHORT_CONTENT + 1);
        let object = SmallObject {
            header: header(1),
            blocks: vec![block.clone(), block.clone()],
        };
        let (frames, _) = sent::<GetSmallObjectResponse>(vec![object]);
        let places: Vec<_> = frames.iter().map(|frame| frame.as_ptr()).collect();
        assert_eq!(places[1..], [block.as_ptr(); 2]);
        let (frames, _) = sent::<GetObjectResponse>(vec![chunk(0, block.clone(), None)]);
        assert_eq!(frames[1].as_ptr(), block.as_ptr());
    }

    #[test]
    fn short_messages_share_a_frame() {
        let first = GetObjectResponse {
            message: Some(Part::Header(header(4))),
        };
        let (frames, _) =
            sent::<GetObjectResponse>(vec![first, chunk(0, content(SHORT_CONTENT), None)]);
        assert_eq!(frames.len(), 1);
    }
}
