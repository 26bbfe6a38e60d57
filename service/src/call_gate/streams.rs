//! Streams that need no credentials: the watches of health, and reflection. They may last, and take no slot; there are
//! only so many of them, and the oldest ends for a newcomer.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bucketry_edge::budget::{Budget, BudgetLimits, HolderId, Network, WaitsFor};
use bucketry_edge::fair::ShareExceeded;
use bytes::Bytes;
use http::{Extensions, HeaderMap};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;

use super::body::BoxError;
use crate::error::to_status;
use crate::request::{EffectiveAddress, busy};
use bucketry_edge::ConnectionInfo;

/// Streams in all and of one network: enough for some hundred clients behind one address that watch health, each on a
/// connection of its own.
const LIMITS: BudgetLimits = BudgetLimits {
    slots: 1024,
    slots_per_network: 512,
    bytes: 0,
    bytes_per_network: 0,
};

/// Streams of one network on one connection.
const MOST_OF_CONNECTION: usize = 32;

/// A connection, and whose requests it carries: that of a proxy carries those of several networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ConnectionNetwork {
    peer: Option<SocketAddr>,
    network: Option<Network>,
}

/// The connection of a request with these extensions.
pub(super) fn connection(extensions: &Extensions) -> ConnectionNetwork {
    let client = extensions.get::<EffectiveAddress>();
    ConnectionNetwork {
        peer: (extensions.get::<ConnectionInfo>()).and_then(|connection| connection.peer),
        network: client.and_then(|client| client.address.ip().map(Network::of)),
    }
}

/// All streams that are open.
#[derive(Debug)]
pub(super) struct OpenStreams {
    places: Mutex<Places>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Places {
    budget: Budget<CancellationToken>,
    /// The oldest first.
    of_connections: HashMap<ConnectionNetwork, VecDeque<HolderId>>,
}

impl OpenStreams {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            places: Mutex::new(Places {
                budget: Budget::new(LIMITS),
                of_connections: HashMap::new(),
            }),
            stop: CancellationToken::new(),
        })
    }

    /// Adds a stream, and ends the oldest if there are too many.
    pub(super) fn enter(self: &Arc<Self>, connection: ConnectionNetwork) -> StreamPlace {
        let ended = self.stop.child_token();
        let mut places = self.places();
        let surplus = places.surplus_of(connection);
        let (id, removed) =
            (places.budget).enter(connection.network, WaitsFor::Client, ended.clone());
        let of_connection = places.of_connections.entry(connection).or_default();
        of_connection.push_back(id);
        drop(places);
        let removed = removed.into_iter().map(|(ended, _)| ended);
        surplus
            .into_iter()
            .chain(removed)
            .for_each(|ended| ended.cancel());
        StreamPlace {
            id,
            connection,
            ended,
            gone: CancellationToken::new(),
            of: Arc::clone(self),
        }
    }

    /// Ends all streams, and later ones, as soon as they have nothing to send.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// Removes the oldest stream of a connection that may have no more.
    fn surplus_of(&mut self, connection: ConnectionNetwork) -> Option<CancellationToken> {
        let of_connection = self.of_connections.get_mut(&connection)?;
        if of_connection.len() < MOST_OF_CONNECTION {
            return None;
        }
        let oldest = of_connection.pop_front()?;
        self.budget.leave(oldest)
    }

    fn leave(&mut self, id: HolderId, connection: ConnectionNetwork) {
        self.budget.leave(id);
        if let Some(of_connection) = self.of_connections.get_mut(&connection) {
            of_connection.retain(|other| *other != id);
            if of_connection.is_empty() {
                self.of_connections.remove(&connection);
            }
        }
    }
}

/// A stream's place among those that are open; given back when dropped.
#[derive(Debug)]
pub(super) struct StreamPlace {
    id: HolderId,
    connection: ConnectionNetwork,
    ended: CancellationToken,
    /// Cancelled when the place is given back.
    gone: CancellationToken,
    of: Arc<OpenStreams>,
}

impl StreamPlace {
    /// The request body of the stream: it ends when the place is given back.
    pub(super) fn request<B>(&self, inner: B) -> StreamRequest<B> {
        StreamRequest {
            inner,
            gone: Box::pin(self.gone.clone().cancelled_owned()),
        }
    }

    /// Why the stream has been ended.
    fn status(&self) -> Status {
        match self.of.stop.is_cancelled() {
            // A stop is no fault: of `UNAVAILABLE` each would be a warning in the log.
            true => Status::cancelled("the server is stopping"),
            false => to_status(&busy(ShareExceeded::Anonymous)),
        }
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.of.places().leave(self.id, self.connection);
        self.gone.cancel();
    }
}

/// The request body of a stream. Reflection reads it in a task of its own, which nobody ends with the answer; as long as it
/// is read, the stream stays open, and with it a connection that is to be closed.
pub(super) struct StreamRequest<B> {
    inner: B,
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<B: HttpBody<Data = Bytes, Error = BoxError> + Unpin> HttpBody for StreamRequest<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.gone.as_mut().poll(context).is_ready() {
            let ended = Status::cancelled("the stream has ended");
            return Poll::Ready(Some(Err(ended.into())));
        }
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The answer of a stream, which ends early if its place is taken from it.
pub(super) struct StreamBody<B = Body> {
    /// None: the stream has been ended.
    inner: Option<B>,
    place: StreamPlace,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<B> StreamBody<B> {
    pub(super) fn new(inner: B, place: StreamPlace) -> Self {
        Self {
            inner: Some(inner),
            ended: Box::pin(place.ended.clone().cancelled_owned()),
            place,
        }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for StreamBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(inner).poll_frame(context);
        if polled.is_ready() || self.ended.as_mut().poll(context).is_pending() {
            return polled;
        }
        self.inner = None;
        let mut trailers = HeaderMap::new();
        // Fails for a message that no header can carry, which these are not.
        let _ = self.place.status().add_header(&mut trailers);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        (self.inner.as_ref()).is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        // Trailers may come in place of the rest.
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::{StreamExt, stream};
    use http_body_util::BodyExt;
    use tonic::Code;

    use super::*;

    fn connection(address: &str, port: u16) -> ConnectionNetwork {
        let address = address.parse().unwrap();
        ConnectionNetwork {
            peer: Some(SocketAddr::new(address, port)),
            network: Some(Network::of(address)),
        }
    }

    fn ended(places: &[StreamPlace]) -> Vec<usize> {
        let ended =
            |(number, place): (usize, &StreamPlace)| place.ended.is_cancelled().then_some(number);
        places.iter().enumerate().filter_map(ended).collect()
    }

    #[test]
    fn the_oldest_of_a_connection_ends_for_a_newcomer() {
        let streams = OpenStreams::new();
        let enter = |port| streams.enter(connection("192.0.2.1", port));
        let mut places = vec![enter(1)];
        places.extend((0..MOST_OF_CONNECTION).map(|_| enter(2)));
        assert_eq!(ended(&places), [0; 0]);
        places.extend([enter(2), enter(2), enter(1)]);
        assert_eq!(ended(&places), [1, 2]);
        drop(places);
        let left = streams.places();
        assert!(left.budget.slots() == 0 && left.of_connections.is_empty());
    }

    #[test]
    fn the_oldest_of_a_network_ends_and_none_of_another() {
        let streams = OpenStreams::new();
        let mut places = vec![streams.enter(connection("192.0.2.1", 1))];
        let flood = (0..LIMITS.slots_per_network + 2).map(|number| {
            let port = u16::try_from(number).unwrap();
            streams.enter(connection("192.0.2.2", port))
        });
        places.extend(flood);
        assert_eq!(ended(&places), [1, 2]);
    }

    /// A body of one message, after which nothing comes.
    fn watching() -> impl HttpBody<Data = Bytes, Error = Infallible> + Unpin {
        let message = Frame::data(Bytes::from_static(b"not serving"));
        let frames = stream::iter([Ok(message)]).chain(stream::pending());
        http_body_util::StreamBody::new(frames)
    }

    async fn code(body: &mut (impl HttpBody<Data = Bytes, Error = Infallible> + Unpin)) -> Code {
        let trailers = body.frame().await.unwrap().unwrap();
        let trailers = trailers.into_trailers().unwrap();
        assert!(body.frame().await.is_none() && body.is_end_stream());
        Status::from_header_map(&trailers).unwrap().code()
    }

    #[tokio::test]
    async fn a_stream_ends_after_its_last_message_when_the_server_stops() {
        let streams = OpenStreams::new();
        let place = streams.enter(connection("192.0.2.1", 1));
        let mut body = StreamBody::new(watching(), place);
        streams.stop();
        assert!(body.frame().await.unwrap().unwrap().is_data());
        assert_eq!(code(&mut body).await, Code::Cancelled);
        let late = streams.enter(connection("192.0.2.1", 1));
        let mut late = StreamBody::new(watching(), late);
        assert!(late.frame().await.unwrap().unwrap().is_data());
        assert_eq!(code(&mut late).await, Code::Cancelled);
    }

    #[tokio::test]
    async fn a_stream_that_loses_its_place_says_so() {
        let streams = OpenStreams::new();
        let place = streams.enter(connection("192.0.2.1", 1));
        let mut body = StreamBody::new(watching(), place);
        assert!(body.frame().await.unwrap().unwrap().is_data());
        let newcomers: Vec<_> = (0..MOST_OF_CONNECTION)
            .map(|_| streams.enter(connection("192.0.2.1", 1)))
            .collect();
        assert_eq!(code(&mut body).await, Code::ResourceExhausted);
        drop(newcomers);
    }

    #[tokio::test]
    async fn a_request_ends_with_its_answer() {
        let streams = OpenStreams::new();
        let place = streams.enter(connection("192.0.2.1", 1));
        let silent = stream::pending::<Result<Frame<Bytes>, BoxError>>();
        let mut request = place.request(http_body_util::StreamBody::new(silent));
        let mut answer = StreamBody::new(watching(), place);
        // As reflection does.
        let reading = tokio::spawn(async move { request.frame().await });
        streams.stop();
        assert!(answer.frame().await.unwrap().unwrap().is_data());
        assert_eq!(code(&mut answer).await, Code::Cancelled);
        drop(answer);
        assert!(reading.await.unwrap().unwrap().is_err());
    }
}
