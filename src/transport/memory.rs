//! How much memory all connections together may hold beyond the little that each always has: heads and bodies
//! that are coming in, and answers that have not gone out. A client that sends slowly, or doesn't read, would
//! otherwise hold as much as it likes as often as there are connections.

use hyper::body::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a head, a body or an answer may have without being counted, in bytes: most need no more.
pub const UNCOUNTED_BYTES: usize = 4 * 1024;

/// What is left for all connections of a server.
#[derive(Debug)]
pub struct Memory {
    left: AtomicUsize,
}

/// So many bytes, given back when it is dropped. `None`: too few to be counted, so that most requests touch
/// nothing that other threads do.
#[derive(Debug)]
pub struct Share(Option<(Arc<Memory>, usize)>);

impl Memory {
    /// `bytes` for all connections together.
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(bytes) })
    }

    /// Takes a share for `bytes` bytes. `None`: so much isn't left.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Option<Share> {
        if bytes <= UNCOUNTED_BYTES {
            return Some(Share(None));
        }
        let subtract = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, subtract).ok()?;
        Some(Share(Some((self.clone(), bytes))))
    }
}

impl Share {
    /// The bytes with their share, which goes when the last who holds them does.
    pub fn of(self, bytes: Bytes) -> Bytes {
        if self.0.is_none() { bytes } else { Bytes::from_owner(Counted { bytes, _share: self }) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some((memory, bytes)) = &self.0 {
            memory.left.fetch_add(*bytes, Ordering::Relaxed);
        }
    }
}

struct Counted {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
