//! A pool of connections to the service.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use tonic::transport::{Channel, Endpoint, Error};
use tower::{Service, ServiceExt};

/// The intended number of concurrent calls per connection. The service accepts 256.
const CALLS_PER_CONNECTION: usize = 64;

/// The most connections.
const MAX_CONNECTIONS: usize = 256;

/// The flow-control window of a call, in bytes. With a round trip of 1 ms a download gets 256 MiB/s.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// The flow-control window of a connection, in bytes: the windows of its intended calls together, so that stalled
/// downloads cannot stop the others.
const CONNECTION_WINDOW_BYTES: u32 = CALLS_PER_CONNECTION as u32 * STREAM_WINDOW_BYTES;

/// Several connections to the service. A call takes the one with the fewest calls.
///
/// All calls over one connection share its flow-control window and its limit of concurrent streams: the stalled
/// transfers of one client would stop everyone's. Connections are made when they are first used.
#[derive(Debug, Clone)]
pub struct Channels {
    links: Arc<[Link]>,
}

#[derive(Debug)]
struct Link {
    channel: Channel,
    /// Calls whose answer has not been read to its end.
    calls: Arc<AtomicUsize>,
}

impl Channels {
    /// Enough connections for `max_requests` calls at once. Sets the windows of `endpoint`.
    #[must_use]
    pub fn new(endpoint: &Endpoint, max_requests: usize) -> Self {
        let endpoint = endpoint
            .clone()
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        let connections = max_requests
            .div_ceil(CALLS_PER_CONNECTION)
            .clamp(1, MAX_CONNECTIONS);
        let link = |_| Link {
            channel: endpoint.connect_lazy(),
            calls: Arc::default(),
        };
        Self {
            links: (0..connections).map(link).collect(),
        }
    }

    /// The largest number of connections, each of which takes a file descriptor.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.links.len()
    }

    /// The connection with the fewest calls. Concurrent calls may choose the same one.
    fn choose(&self) -> (Channel, CallCount) {
        let load = |link: &&Link| link.calls.load(Ordering::Relaxed);
        let link = self.links.iter().min_by_key(load);
        let link = link.unwrap_or(&self.links[0]);
        link.calls.fetch_add(1, Ordering::Relaxed);
        (link.channel.clone(), CallCount(Arc::clone(&link.calls)))
    }
}

impl Service<http::Request<tonic::body::Body>> for Channels {
    type Response = http::Response<ChannelBody>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Error>>;

    /// Always ready: the connection is chosen by the call.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let (mut channel, call) = self.choose();
        Box::pin(async move {
            let answer = channel.ready().await?.call(request).await?;
            Ok(answer.map(|body| ChannelBody { body, _call: call }))
        })
    }
}

/// Counts one call of a connection until it is dropped.
#[derive(Debug)]
struct CallCount(Arc<AtomicUsize>);

impl Drop for CallCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer, which holds its call's count until it is dropped.
#[derive(Debug)]
pub struct ChannelBody {
    body: tonic::body::Body,
    _call: CallCount,
}

impl Body for ChannelBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls of each connection.
    fn loads(channels: &Channels) -> Vec<usize> {
        (channels.links.iter())
            .map(|link| link.calls.load(Ordering::Relaxed))
            .collect()
    }

    #[tokio::test]
    async fn no_connection_has_more_calls_than_it_is_meant_for() {
        let endpoint = Endpoint::from_static("http://127.0.0.1:1");
        let channels = Channels::new(&endpoint, 3 * CALLS_PER_CONNECTION);
        let mut calls: Vec<_> = (0..3 * CALLS_PER_CONNECTION)
            .map(|_| channels.choose().1)
            .collect();
        assert_eq!(loads(&channels), [CALLS_PER_CONNECTION; 3]);
        // The calls of one connection end: it gets the next ones.
        let mut number = 0;
        calls.retain(|_| {
            number += 1;
            number % 3 != 1
        });
        assert_eq!(loads(&channels)[0], 0);
        calls.extend((0..CALLS_PER_CONNECTION).map(|_| channels.choose().1));
        assert_eq!(loads(&channels), [CALLS_PER_CONNECTION; 3]);
    }

    #[tokio::test]
    async fn a_call_that_fails_does_not_count_on() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let channels = Channels::new(&Endpoint::from_shared(url).unwrap(), 1);
        let request = http::Request::new(tonic::body::Body::empty());
        let failed = channels.clone().oneshot(request).await;
        assert!(failed.is_err());
        assert_eq!(loads(&channels), [0]);
    }
}
