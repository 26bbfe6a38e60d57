//! Block buffers that are used again.
//!
//! A fresh buffer of 256 KiB costs page faults or zeroing on each block of each read; a recycled
//! one is warm in the cache and already initialised.

use std::sync::{Arc, Mutex, PoisonError};

use super::block::BLOCK_STRIDE_USIZE;

/// How many idle buffers are kept: 8 MiB.
const KEPT: usize = 32;

/// Idle buffers, the one used last on top.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    idle: Arc<Mutex<Vec<Box<[u8]>>>>,
}

impl Buffers {
    /// A buffer of one stored block, with arbitrary content.
    pub(super) fn take(&self) -> BlockBuffer {
        let recycled = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        BlockBuffer {
            bytes: recycled.unwrap_or_else(|| vec![0; BLOCK_STRIDE_USIZE].into_boxed_slice()),
            home: self.clone(),
        }
    }
}

/// One stored block; returns to its pool when dropped.
#[derive(Debug)]
pub(super) struct BlockBuffer {
    bytes: Box<[u8]>,
    home: Buffers,
}

impl AsRef<[u8]> for BlockBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for BlockBuffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for BlockBuffer {
    fn drop(&mut self) {
        let mut idle = self
            .home
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_return_and_the_idle_ones_are_bounded() {
        let buffers = Buffers::default();
        let taken: Vec<_> = (0..KEPT + 5).map(|_| buffers.take()).collect();
        assert!(taken.iter().all(|b| b.as_ref().len() == BLOCK_STRIDE_USIZE));
        drop(taken);
        assert_eq!(buffers.idle.lock().unwrap().len(), KEPT);
        let one = buffers.take();
        assert_eq!(buffers.idle.lock().unwrap().len(), KEPT - 1);
        drop(one);
        assert_eq!(buffers.idle.lock().unwrap().len(), KEPT);
    }
}
