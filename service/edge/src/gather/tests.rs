use std::task::Waker;

use super::*;
use crate::ConnectionLimits;
use crate::fair::Turns;
use crate::unauthenticated::Unauthenticated;

/// A socket that takes `room` bytes, and keeps the sizes of writes.
#[derive(Debug, Default)]
struct Peer {
    writes: Vec<usize>,
    room: usize,
    flushes: usize,
    has_ended: bool,
}

impl AsyncRead for Peer {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Peer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = bytes.len().min(self.room);
        if taken == 0 {
            return Poll::Pending;
        }
        self.room -= taken;
        self.writes.push(taken);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.has_ended = true;
        Poll::Ready(Ok(()))
    }
}

struct Scene {
    gather: Gather<Peer>,
    state: Arc<ConnectionState>,
}

impl Scene {
    fn new(room: usize) -> Self {
        let unauthenticated = Unauthenticated::new(ConnectionLimits::default().unauthenticated);
        let state = ConnectionState::new(unauthenticated, Arc::new(Turns::default()));
        let peer = Peer {
            room,
            ..Peer::default()
        };
        let socket = Socket::new(peer, Arc::clone(&state));
        let gather = Gather::new(socket, Arc::clone(&state));
        Self { gather, state }
    }

    /// Writes and flushes a frame as the HTTP library does; answers whether it was taken.
    fn frame(&mut self, length: usize) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let bytes = vec![7; length];
        let written = Pin::new(&mut self.gather).poll_write(&mut context, &bytes);
        match written {
            Poll::Ready(taken) => assert_eq!(taken.unwrap(), length),
            Poll::Pending => return false,
        }
        let flushed = Pin::new(&mut self.gather).poll_flush(&mut context);
        assert!(matches!(flushed, Poll::Ready(Ok(()))));
        true
    }

    fn write_out(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        match self.gather.poll_write_out(&mut context) {
            Poll::Ready(written) => {
                written.unwrap();
                true
            }
            Poll::Pending => false,
        }
    }

    fn writes(&self) -> Vec<usize> {
        self.gather.lock().socket.get_ref().writes.clone()
    }
}

#[test]
fn small_frames_are_one_write() {
    let mut scene = Scene::new(usize::MAX);
    scene.state.set_http2();
    for length in [40, 4_200, 30] {
        assert!(scene.frame(length));
    }
    assert!(scene.writes().is_empty());
    assert!(scene.write_out() && scene.write_out());
    assert_eq!(scene.writes(), [4_270]);
}

#[test]
fn many_frames_are_large_writes() {
    let mut scene = Scene::new(usize::MAX);
    scene.state.set_http2();
    scene.state.set_proved();
    for _ in 0..20 {
        assert!(scene.frame(16 * 1024));
    }
    assert_eq!(scene.writes(), [LARGE_WRITE_BYTES; 2]);
    assert!(scene.write_out());
    assert_eq!(scene.writes().iter().sum::<usize>(), 20 * 16 * 1024);
    assert!(scene.gather.lock().bytes.capacity() <= KEPT_BYTES);
}

#[test]
fn a_large_frame_is_not_copied_and_comes_after_what_was_gathered() {
    let mut scene = Scene::new(usize::MAX);
    scene.state.set_http2();
    scene.state.set_proved();
    assert!(scene.frame(10) && scene.frame(LARGE_WRITE_BYTES));
    assert_eq!(scene.writes(), [10, LARGE_WRITE_BYTES]);
    assert_eq!(scene.gather.lock().bytes.len(), 0);
}

#[test]
fn a_slow_client_is_waited_for() {
    let mut scene = Scene::new(100_000);
    scene.state.set_http2();
    scene.state.set_proved();
    let taken = (0..20).filter(|_| scene.frame(16 * 1024)).count();
    assert_eq!(taken * 16 * 1024, LARGE_WRITE_BYTES);
    assert!(scene.state.is_write_blocked() && !scene.write_out());
    scene.gather.lock().socket.get_mut().room = usize::MAX;
    assert!(scene.write_out());
    assert_eq!(scene.writes().iter().sum::<usize>(), LARGE_WRITE_BYTES);
    assert!(!scene.state.is_write_blocked());
}

#[test]
fn a_stranger_who_does_not_read_holds_little() {
    let mut scene = Scene::new(0);
    scene.state.set_http2();
    let taken = (0..200).filter(|_| scene.frame(1024)).count();
    assert_eq!(taken * 1024, STRANGER_WRITE_BYTES);
    assert!(scene.gather.lock().bytes.capacity() <= 2 * STRANGER_WRITE_BYTES);
}

#[test]
fn what_was_written_at_once_is_flushed() {
    let mut scene = Scene::new(usize::MAX);
    scene.state.set_http2();
    assert!(scene.frame(LARGE_WRITE_BYTES));
    let flushes = |scene: &Scene| scene.gather.lock().socket.get_ref().flushes;
    let before = flushes(&scene);
    assert!(scene.write_out());
    assert_eq!(flushes(&scene), before + 1);
}

#[test]
fn http_1_is_written_at_once() {
    let mut scene = Scene::new(usize::MAX);
    assert!(scene.frame(10) && scene.frame(20));
    assert_eq!(scene.writes(), [10, 20]);
}

#[test]
fn what_was_gathered_is_written_before_the_end() {
    let mut scene = Scene::new(usize::MAX);
    scene.state.set_http2();
    assert!(scene.frame(10));
    let mut context = Context::from_waker(Waker::noop());
    let ended = Pin::new(&mut scene.gather).poll_shutdown(&mut context);
    assert!(matches!(ended, Poll::Ready(Ok(()))));
    assert_eq!(scene.writes(), [10]);
    assert!(scene.gather.lock().socket.get_ref().has_ended);
}
