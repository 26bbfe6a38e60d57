use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::budget::WaitsFor;
use crate::connection_state::ConnectionState;
use crate::end_reason::EndReason;
use crate::limits::MAX_UNREAD_HTTP1_HEAD_BYTES;

/// A prefix of the HTTP/2 preface that no HTTP/1 request has.
const HTTP2_BEGIN: &[u8; 3] = b"PRI";

/// The answer to a head of HTTP/1 that is larger than what is read of one.
const HEAD_TOO_LARGE: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\n\
    content-length: 0\r\nconnection: close\r\n\r\n";

/// The socket of a connection, or TLS over it: counts what moves.
#[derive(Debug)]
pub(crate) struct Socket<I> {
    inner: I,
    state: Arc<ConnectionState>,
    begin: Begin,
}

/// Which protocol the first bytes are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// The number of bytes of [`HTTP2_BEGIN`] received so far.
    Open(usize),
    Known,
}

impl Begin {
    fn after(self, bytes: &[u8]) -> (Self, bool) {
        let Self::Open(seen) = self else {
            return (self, false);
        };
        let expected = HTTP2_BEGIN.get(seen..).unwrap_or_default();
        let compared = expected.len().min(bytes.len());
        if expected.get(..compared) != bytes.get(..compared) {
            (Self::Known, false)
        } else if compared == expected.len() {
            (Self::Known, true)
        } else {
            (Self::Open(seen + compared), false)
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Socket<I> {
    pub(crate) fn new(inner: I, state: Arc<ConnectionState>) -> Self {
        Self {
            inner,
            state,
            begin: Begin::Open(0),
        }
    }

    #[cfg(test)]
    pub(crate) fn get_ref(&self) -> &I {
        &self.inner
    }

    #[cfg(test)]
    pub(crate) fn get_mut(&mut self) -> &mut I {
        &mut self.inner
    }

    /// Answers a head that is too large to be passed to the HTTP library.
    fn refuse_head(&mut self, context: &mut Context<'_>) -> io::Error {
        // It fits into the empty buffer of the socket, or the client does not read anyway.
        let _ = Pin::new(&mut self.inner).poll_write(context, HEAD_TOO_LARGE);
        let _ = Pin::new(&mut self.inner).poll_flush(context);
        self.state.end(EndReason::HeadTooLarge);
        io::Error::other("the request's head is too large")
    }

    fn note(&self, polled: &Poll<io::Result<usize>>) {
        match polled {
            Poll::Ready(Ok(bytes)) => self.state.wrote(*bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.state.set_write_blocked(),
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let state = &self.state;
        if state.head_bytes() >= MAX_UNREAD_HTTP1_HEAD_BYTES
            && state.running() == 0
            && !state.is_http2()
        {
            return Poll::Ready(Err(self.refuse_head(context)));
        }
        if !state.may_read_on() {
            // It has had its turn, and has sent no head in it that is whole.
            state.wait_for(WaitsFor::Client);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        match &polled {
            Poll::Ready(Ok(())) => {
                let new = buffer.filled().get(before..).unwrap_or_default();
                if self.begin != Begin::Known {
                    let (begin, is_http2) = self.begin.after(new);
                    self.begin = begin;
                    if is_http2 {
                        self.state.set_http2();
                    }
                }
                self.state.read(new.len());
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.state.waits_for_head(),
        }
        polled
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.state.may_write_on() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.note(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.state.may_write_on() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.note(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(context);
        match &polled {
            // TLS has taken the bytes, and the socket has not.
            Poll::Pending => self.state.set_write_blocked(),
            Poll::Ready(_) => self.state.wrote(0),
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Wake, Waker};

    use tokio::io::{Join, Sink, join, sink};

    use super::*;
    use crate::ConnectionLimits;
    use crate::fair::Turns;
    use crate::limits::STRANGER_TURN_BYTES;
    use crate::unauthenticated::Unauthenticated;

    #[derive(Default)]
    struct Wakes(AtomicU32);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many bytes one poll reads of a client that has sent more, and how often it has its task woken.
    fn read_at_once(socket: &mut Socket<Join<&[u8], Sink>>) -> (usize, u32) {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&waker);
        socket.state.begin_turn();
        let mut total = 0;
        loop {
            let mut room = [0; 1000];
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(&mut *socket).poll_read(&mut context, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => break,
                Poll::Ready(Ok(())) => total += buffer.filled().len(),
                Poll::Ready(Err(error)) => panic!("{error}"),
                Poll::Pending => break,
            }
        }
        (total, wakes.0.load(Ordering::Relaxed))
    }

    #[test]
    fn a_stranger_is_read_in_pieces_and_a_proved_caller_at_once() {
        let unauthenticated = Unauthenticated::new(ConnectionLimits::default().unauthenticated);
        let state = ConnectionState::new(unauthenticated, Arc::new(Turns::default()));
        let sent = vec![b'x'; 3 * STRANGER_TURN_BYTES];
        let mut socket = Socket::new(join(&*sent, sink()), Arc::clone(&state));
        for _ in 0..2 {
            let (piece, wakes) = read_at_once(&mut socket);
            assert!((STRANGER_TURN_BYTES..STRANGER_TURN_BYTES + 1000).contains(&piece));
            assert_eq!(wakes, 1);
        }
        let mut socket = Socket::new(join(&*sent, sink()), Arc::clone(&state));
        state.begin_request();
        state.set_proved();
        assert_eq!(read_at_once(&mut socket), (sent.len(), 0));
    }

    #[test]
    fn http2_is_known_by_its_first_bytes() {
        for (reads, expected) in [
            (&["PRI * HTTP/2.0"][..], true),
            (&["P", "R", "I"], true),
            (&["PR", "I *"], true),
            (&["PUT / "], false),
            (&["P", "OST"], false),
            (&["GET", "PRI"], false),
            (&["PR"], false),
        ] {
            let mut begin = Begin::Open(0);
            let mut found = false;
            for read in reads {
                let (next, is_http2) = begin.after(read.as_bytes());
                begin = next;
                found |= is_http2;
            }
            assert_eq!(found, expected, "{reads:?}");
        }
    }
}
