//! Messages to a service in the same process, without encoding or copying them.
//!
//! A generated server trait takes client streams as `tonic::Streaming<T>`, which can only be built
//! from a body of gRPC frames and a decoder. Here the body is a row of empty frames, and the
//! decoder puts the real message in the place of each: one message in flight, so that back-pressure
//! is that of the stream.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use http_body::{Body, Frame};
use tonic::codec::{BufferSettings, DecodeBuf, Decoder};
use tonic::{Status, Streaming};

/// Not compressed, length 0.
const EMPTY_FRAME: &[u8] = &[0; 5];

/// The message or failure that goes with the next frame.
type Slot<T> = Arc<Mutex<Option<Result<T, Status>>>>;

/// Hands a stream of messages to a generated server trait. A failure ends the stream with the very
/// same status: unlike a failure of a body it is never taken for the regular end, not even
/// `CANCELLED`.
pub fn message_stream<S, T>(messages: S) -> Streaming<T>
where
    S: Stream<Item = Result<T, Status>> + Send + 'static,
    T: Send + 'static,
{
    let slot = Slot::default();
    let decoder = SlotDecoder {
        slot: Arc::clone(&slot),
    };
    let body = FrameBody {
        messages: Some(Box::pin(messages)),
        slot,
    };
    Streaming::new_request(decoder, body, None, None)
}

struct FrameBody<S, T> {
    /// Dropped at the end and after a failure, so that what it holds is released at once.
    messages: Option<Pin<Box<S>>>,
    slot: Slot<T>,
}

impl<S, T> Body for FrameBody<S, T>
where
    S: Stream<Item = Result<T, Status>>,
{
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(messages) = self.messages.as_mut() else {
            return Poll::Ready(None);
        };
        let next = std::task::ready!(messages.as_mut().poll_next(context));
        if !matches!(next, Some(Ok(_))) {
            self.messages = None;
        }
        let Some(message) = next else {
            return Poll::Ready(None);
        };
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(EMPTY_FRAME)))))
    }
}

struct SlotDecoder<T> {
    slot: Slot<T>,
}

impl<T> Decoder for SlotDecoder<T> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, _: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
        // After a failure there is nothing to take: the decoder is asked again, then the body,
        // which has ended.
        self.slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .transpose()
    }

    fn buffer_settings(&self) -> BufferSettings {
        // The buffer never holds more than one empty frame.
        BufferSettings::new(64, 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tonic::Code;

    #[tokio::test]
    async fn ten_thousand_messages_arrive_in_order() {
        let mut streaming = message_stream(stream::iter((0..10_000_u32).map(Ok)));
        for expected in 0..10_000 {
            assert_eq!(streaming.message().await.unwrap(), Some(expected));
        }
        assert_eq!(streaming.message().await.unwrap(), None);
        assert_eq!(streaming.message().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_failure_passes_through_and_ends_the_stream() {
        for code in [Code::Cancelled, Code::DataLoss] {
            let failure = Status::with_details(code, "why", Bytes::from_static(b"details"));
            let items = vec![Ok(1), Ok(2), Err(failure), Ok(3)];
            let mut streaming = message_stream(stream::iter(items));
            assert_eq!(streaming.message().await.unwrap(), Some(1));
            assert_eq!(streaming.message().await.unwrap(), Some(2));
            let failure = streaming.message().await.unwrap_err();
            assert_eq!(
                (failure.code(), failure.message(), failure.details()),
                (code, "why", &b"details"[..])
            );
            assert_eq!(streaming.message().await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn one_message_is_in_flight_and_dropping_stops_the_source() {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let source = stream::iter(0..100_u32).map_ok_counted(counter);
        let mut streaming = message_stream(source);
        assert_eq!(taken.load(Ordering::Relaxed), 0);
        streaming.message().await.unwrap();
        streaming.message().await.unwrap();
        assert_eq!(taken.load(Ordering::Relaxed), 2);
        drop(streaming);
        assert_eq!(Arc::strong_count(&taken), 1);
    }

    #[tokio::test]
    async fn payloads_are_not_copied() {
        let payload = Bytes::from(vec![7_u8; 1 << 20]);
        let address = payload.as_ptr();
        let mut streaming = message_stream(stream::iter([Ok(payload)]));
        let received = streaming.message().await.unwrap().unwrap();
        assert_eq!(received.as_ptr(), address);
    }

    trait CountedExt: Stream<Item = u32> + Sized {
        fn map_ok_counted(
            self,
            taken: Arc<AtomicUsize>,
        ) -> impl Stream<Item = Result<u32, Status>> {
            futures::StreamExt::map(self, move |item| {
                taken.fetch_add(1, Ordering::Relaxed);
                Ok(item)
            })
        }
    }

    impl<S: Stream<Item = u32>> CountedExt for S {}
}
