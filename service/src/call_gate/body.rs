use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bucketry_edge::fair::{MemoryReservation, ShareExceeded, Slot};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::MAX_MESSAGE_BYTES;
use super::frames::Frames;
use crate::error::{Error, to_status};
use crate::request::busy;
use crate::telemetry::metrics::count_refusal;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Reserving = BoxFuture<'static, Result<MemoryReservation, ShareExceeded>>;

/// Messages up to this length are covered by the call's slot.
const SMALL_MESSAGE: u32 = 16 * 1024;

/// The limits of a call's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageLimits {
    /// The longest message that is accepted, in bytes. A longer one is refused before it is read.
    pub(super) longest: u32,
    /// How long all messages together may take to arrive; none for a stream, whose operation bounds each of them.
    pub(super) within: Option<Duration>,
}

/// The request body of a call. Messages are bounded in length and time, and their memory is reserved before they are
/// read.
pub(super) struct CallBody<B> {
    inner: B,
    limits: MessageLimits,
    slot: Option<Arc<Slot>>,
    frames: Frames,
    deadline: Option<Pin<Box<Sleep>>>,
    /// Data that is held back until memory for its message is reserved.
    held_back: Option<(Frame<Bytes>, Reserving)>,
}

impl<B> CallBody<B> {
    /// `slot` pays for the memory of messages; without one they must be small.
    pub(super) fn new(inner: B, limits: MessageLimits, slot: Option<Arc<Slot>>) -> Self {
        Self {
            inner,
            limits,
            slot,
            frames: Frames::default(),
            deadline: None,
            held_back: None,
        }
    }

    /// Pends until the deadline is over.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<BoxError> {
        let Some(limit) = self.limits.within else {
            return Poll::Pending;
        };
        // Created only when the body pends, which is rare.
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(deadline.as_mut().poll(context));
        count_refusal("message_timeout");
        Poll::Ready(refused(&Error::MessageIdle { limit }))
    }
}

/// A body error that is passed to the client unchanged.
fn refused(error: &Error) -> BoxError {
    Box::new(to_status(error))
}

impl<B> CallBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    fn poll_held_back(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some((_, reserving)) = &mut self.held_back else {
            return Poll::Ready(None);
        };
        let reserved = ready!(reserving.poll_unpin(context));
        let frame = self.held_back.take().map(|(frame, _)| frame);
        match (reserved, &self.slot) {
            (Ok(lease), Some(slot)) => {
                slot.keep(Some(lease));
                Poll::Ready(frame.map(Ok))
            }
            (Ok(_), None) => Poll::Ready(frame.map(Ok)),
            (Err(bound), _) => {
                count_refusal("message_bytes");
                Poll::Ready(Some(Err(refused(&busy(bound)))))
            }
        }
    }

    fn poll_data(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.held_back.is_some() {
            return self.poll_held_back(context);
        }
        // The reader wants more: in a stream, it has processed the previous message.
        if self.limits.within.is_none()
            && self.frames.at_boundary()
            && let Some(slot) = &self.slot
        {
            slot.keep(None);
        }
        let frame = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None => return Poll::Ready(None),
        };
        let begun = frame
            .data_ref()
            .map_or(0, |data| self.frames.follow(data.as_ref()));
        if begun > self.limits.longest {
            let (size, most) = (u64::from(begun), u64::from(self.limits.longest));
            let error = Error::EntityTooLarge { size, most };
            return Poll::Ready(Some(Err(refused(&error))));
        }
        // The decoder refuses longer messages without reading them.
        if begun > SMALL_MESSAGE
            && begun as usize <= MAX_MESSAGE_BYTES
            && let Some(slot) = self.slot.clone()
        {
            let reserving = async move { slot.reserve(u64::from(begun)).await }.boxed();
            self.held_back = Some((frame, reserving));
            return self.poll_held_back(context);
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

impl<B> Body for CallBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.poll_data(context) {
            Poll::Ready(next) => Poll::Ready(next),
            Poll::Pending => self.poll_late(context).map(|error| Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held_back.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use bucketry_edge::fair::{Fair, FairCaller, FairLimits};
    use futures::{StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};
    use tokio::time::Instant;
    use tonic::{Code, Status};

    use super::*;

    const UNARY: MessageLimits = MessageLimits {
        longest: 4 * 1024 * 1024,
        within: Some(Duration::from_secs(30)),
    };
    const STREAM: MessageLimits = MessageLimits {
        within: None,
        ..UNARY
    };
    const CALLER: FairCaller = FairCaller { account: 1, key: 1 };

    /// The beginning of a message of `length` bytes, with `sent` of them.
    fn message(length: u32, sent: usize) -> Bytes {
        let mut bytes = vec![0];
        bytes.extend(length.to_be_bytes());
        bytes.resize(bytes.len() + sent, 0);
        bytes.into()
    }

    /// A body of these pieces, after which nothing comes.
    fn silent(
        pieces: Vec<Bytes>,
    ) -> impl Body<Data = Bytes, Error = std::convert::Infallible> + Unpin {
        let pieces = stream::iter(pieces).map(|piece| Ok(Frame::data(piece)));
        StreamBody::new(pieces.chain(stream::pending()))
    }

    async fn slot(bytes: u64) -> (Fair, Arc<Slot>) {
        let fair = Fair::new(FairLimits {
            bytes,
            ..FairLimits::default()
        });
        let slot = Arc::new(fair.open(CALLER).await.unwrap());
        (fair, slot)
    }

    fn code(error: BoxError) -> Code {
        error.downcast::<Status>().unwrap().code()
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_never_ends_is_not_waited_for() {
        let (_fair, slot) = slot(1 << 30).await;
        let pieces = vec![message(4_000_000, 100_000)];
        let mut body = CallBody::new(silent(pieces), UNARY, Some(slot));
        assert!(body.frame().await.unwrap().is_ok());
        let begun = Instant::now();
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(code(error), Code::DeadlineExceeded);
        assert_eq!(Some(begun.elapsed()), UNARY.within);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_reserved_before_a_message_is_read() {
        let (fair, first) = slot(12_000_000).await;
        let second = Arc::new(fair.open(CALLER).await.unwrap());
        let body = |slot| CallBody::new(silent(vec![message(4_000_000, 9)]), UNARY, Some(slot));
        let mut admitted = body(Arc::clone(&first));
        assert!(admitted.frame().await.unwrap().is_ok());
        assert_eq!(fair.load().bytes, 4_000_000);
        let mut refused = body(second);
        let error = refused.frame().await.unwrap().unwrap_err();
        assert_eq!(code(error), Code::ResourceExhausted);
        drop(admitted);
        drop(first);
        assert_eq!(fair.load().bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_pays_for_one_message_at_a_time() {
        let (fair, slot) = slot(3_000_000).await;
        let pieces = (0..5).map(|_| message(900_000, 900_000)).collect();
        let mut body = CallBody::new(silent(pieces), STREAM, Some(slot));
        for _ in 0..5 {
            assert!(body.frame().await.unwrap().is_ok());
            assert_eq!(fair.load().bytes, 900_000);
        }
    }

    #[tokio::test]
    async fn a_message_that_is_too_long_is_refused_by_its_prefix() {
        let limits = MessageLimits {
            longest: 64 * 1024,
            ..UNARY
        };
        let mut body = CallBody::new(silent(vec![message(65_537, 0)]), limits, None);
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(code(error), Code::InvalidArgument);
    }
}
