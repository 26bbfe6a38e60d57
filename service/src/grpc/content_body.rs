use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use http::HeaderMap;
use http_body::{Body, Frame};
use tonic::Status;

use super::content_frames::{ContentFrames, EncodeFrames};

/// Short messages are gathered to this length before they are sent, if there are more of them already.
const GATHERED: usize = 32 * 1024;

/// The body of an answer of messages with content.
pub(super) struct ContentBody<S> {
    messages: S,
    frames: ContentFrames,
    state: BodyState,
}

enum BodyState {
    /// There may be more messages.
    Open,
    /// The trailers are next.
    Ended(HeaderMap),
    Done,
}

impl<S> ContentBody<S> {
    pub(super) fn new(messages: S) -> Self {
        Self {
            messages,
            frames: ContentFrames::default(),
            state: BodyState::Open,
        }
    }
}

impl<S, M> Body for ContentBody<S>
where
    S: Stream<Item = Result<M, Status>> + Unpin,
    M: EncodeFrames,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let frame = |bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        while let BodyState::Open = this.state {
            if let Some(bytes) = this.frames.next_complete() {
                return frame(bytes);
            }
            if this.frames.open_len() >= GATHERED
                && let Some(bytes) = this.frames.next()
            {
                return frame(bytes);
            }
            match Pin::new(&mut this.messages).poll_next(context) {
                Poll::Ready(Some(Ok(message))) => message.encode_to(&mut this.frames),
                Poll::Ready(Some(Err(status))) => this.state = BodyState::Ended(trailers(&status)?),
                Poll::Ready(None) => this.state = BodyState::Ended(trailers(&Status::ok(""))?),
                Poll::Pending => {
                    return match this.frames.next() {
                        Some(bytes) => frame(bytes),
                        None => Poll::Pending,
                    };
                }
            }
        }
        if let Some(bytes) = this.frames.next() {
            return frame(bytes);
        }
        match std::mem::replace(&mut this.state, BodyState::Done) {
            BodyState::Ended(trailers) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            BodyState::Open | BodyState::Done => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, BodyState::Done)
    }
}

fn trailers(status: &Status) -> Result<HeaderMap, Status> {
    let mut trailers = HeaderMap::with_capacity(3);
    status.add_header(&mut trailers)?;
    Ok(trailers)
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::get_object_response::Message;
    use bucketry_contract::v1::{GetObjectResponse, ObjectChunk};
    use futures::stream;
    use http_body_util::BodyExt;
    use tonic::Code;

    use super::*;

    fn chunk(length: usize) -> GetObjectResponse {
        let chunk = ObjectChunk {
            offset: 0,
            data: vec![7; length].into(),
            crc32c: None,
        };
        GetObjectResponse {
            message: Some(Message::Chunk(chunk)),
        }
    }

    /// The lengths of the frames, and the code in the trailers.
    async fn sent(messages: Vec<Result<GetObjectResponse, Status>>) -> (Vec<usize>, Code) {
        let mut body = ContentBody::new(stream::iter(messages));
        let mut lengths = Vec::new();
        loop {
            let frame = body.frame().await.unwrap().unwrap();
            match frame.into_data() {
                Ok(data) => lengths.push(data.len()),
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap();
                    assert!(body.frame().await.is_none() && body.is_end_stream());
                    let status = Status::from_header_map(&trailers).unwrap();
                    return (lengths, status.code());
                }
            }
        }
    }

    #[tokio::test]
    async fn short_messages_are_gathered_and_long_content_is_a_frame() {
        let (lengths, code) = sent(vec![Ok(chunk(10)), Ok(chunk(20)), Ok(chunk(100_000))]).await;
        assert_eq!((lengths.len(), lengths[1], code), (2, 100_000, Code::Ok));
        let many = (0..10).map(|_| Ok(chunk(10_000))).collect();
        let (lengths, _) = sent(many).await;
        assert!(lengths[..2].iter().all(|length| *length >= GATHERED));
    }

    #[tokio::test]
    async fn an_error_comes_after_what_was_read_before() {
        let lost = Err(Status::data_loss("damaged"));
        let (lengths, code) = sent(vec![Ok(chunk(10)), lost, Ok(chunk(10))]).await;
        assert_eq!((lengths.len(), code), (1, Code::DataLoss));
        assert_eq!(sent(Vec::new()).await, (Vec::new(), Code::Ok));
    }
}
