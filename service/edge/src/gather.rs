//! Gathers what an HTTP/2 connection writes.
//!
//! The HTTP library writes and flushes each frame by itself: at most 16 KiB of an answer, unless the client announces
//! more, and the trailers. Here they stay in memory until the task of the connection has polled it, or there is enough
//! for a large write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connection_state::ConnectionState;
use crate::socket::Socket;

/// With this many bytes they are written at once.
const LARGE_WRITE_BYTES: usize = 128 * 1024;
/// The same while no caller on the connection is proved, whose memory is in no budget.
const STRANGER_WRITE_BYTES: usize = 16 * 1024;
/// A frame of this size is followed by others.
const LARGE_FRAME_BYTES: usize = 8 * 1024;
/// Memory that is kept while there is nothing to write.
const KEPT_BYTES: usize = 16 * 1024;

/// A socket that gathers. All clones are one: the HTTP library has one, and the task of the connection another.
#[derive(Debug)]
pub(crate) struct Gather<I> {
    gathered: Arc<Mutex<Gathered<I>>>,
    is_vectored: bool,
}

#[derive(Debug)]
struct Gathered<I> {
    socket: Socket<I>,
    state: Arc<ConnectionState>,
    bytes: Vec<u8>,
    /// How many of the bytes are written.
    written: usize,
    /// Something was written that the socket may still hold.
    is_unflushed: bool,
}

impl<I> Clone for Gather<I> {
    fn clone(&self) -> Self {
        Self {
            gathered: Arc::clone(&self.gathered),
            is_vectored: self.is_vectored,
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Gather<I> {
    pub(crate) fn new(socket: Socket<I>, state: Arc<ConnectionState>) -> Self {
        let is_vectored = socket.is_write_vectored();
        let gathered = Gathered {
            socket,
            state,
            bytes: Vec::new(),
            written: 0,
            is_unflushed: false,
        };
        Self {
            gathered: Arc::new(Mutex::new(gathered)),
            is_vectored,
        }
    }

    /// Writes what has been gathered.
    pub(crate) fn poll_write_out(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_write_out(context)
    }

    fn lock(&self) -> MutexGuard<'_, Gathered<I>> {
        (self.gathered.lock()).unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Gathered<I> {
    fn poll_write_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() && !self.is_unflushed {
            return Poll::Ready(Ok(()));
        }
        while let Some(rest) = self.bytes.get(self.written..)
            && !rest.is_empty()
        {
            match ready!(Pin::new(&mut self.socket).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        ready!(Pin::new(&mut self.socket).poll_flush(context))?;
        self.is_unflushed = false;
        self.written = 0;
        match self.bytes.capacity() > KEPT_BYTES {
            true => self.bytes = Vec::new(),
            false => self.bytes.clear(),
        }
        Poll::Ready(Ok(()))
    }

    fn poll_gather(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let most = match self.state.is_proved() {
            true => LARGE_WRITE_BYTES,
            false => STRANGER_WRITE_BYTES,
        };
        let is_large = offered >= most;
        if is_large || self.bytes.len() >= most {
            ready!(self.poll_write_out(context))?;
        }
        if is_large {
            self.is_unflushed = true;
            return Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        }
        if offered >= LARGE_FRAME_BYTES && self.bytes.capacity() < most {
            let room = most + offered;
            self.bytes
                .reserve_exact(room.saturating_sub(self.bytes.len()));
        }
        slices
            .iter()
            .for_each(|slice| self.bytes.extend_from_slice(slice));
        Poll::Ready(Ok(offered))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gather<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().socket).poll_read(context, buffer)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gather<I> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut gathered = self.lock();
        match gathered.state.is_http2() {
            true => gathered.poll_gather(context, &[IoSlice::new(bytes)]),
            false => Pin::new(&mut gathered.socket).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut gathered = self.lock();
        match gathered.state.is_http2() {
            true => gathered.poll_gather(context, slices),
            false => Pin::new(&mut gathered.socket).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.is_vectored
    }

    /// Over HTTP/2 the task of the connection flushes.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut gathered = self.lock();
        match gathered.state.is_http2() {
            true => Poll::Ready(Ok(())),
            false => Pin::new(&mut gathered.socket).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut gathered = self.lock();
        ready!(gathered.poll_write_out(context))?;
        Pin::new(&mut gathered.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
