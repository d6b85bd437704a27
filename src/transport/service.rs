//! What the transport asks of a face: where a request is answered, the answer, and what to say where none can
//! be had.

use super::message::{Found, Head, Request, Response, Then};
use std::pin::Pin;

/// What answers requests.
pub trait Service: Send + Sync + 'static {
    /// Finds what a request is for, and with that where it is answered. Called once a request, on an I/O
    /// thread: must not block.
    fn dispatch(&self, head: &Head) -> Dispatch;

    /// Answers a request, where its lane says. It brings along what was found. A panic is answered through
    /// [`Service::refuse`].
    fn handle(&self, request: &Request) -> Response;

    /// An I/O thread has nothing to do and is about to wait: called on it, at its start, too, and now and
    /// then while it is so busy that it never waits.
    fn before_wait(&self) {}

    /// As [`Service::handle`], for [`Lane::Commit`] alone: it is polled by the I/O thread that read the
    /// request, must not block, and waits for nothing but its commit. Dropped when the connection has gone.
    fn begin<'a>(&'a self, request: &'a Request) -> Pin<Box<dyn Future<Output = Response> + 'a>> {
        Box::pin(async { self.handle(request) })
    }

    /// The answer where a request can't be handled; `head` is `None` when there is no sound one.
    /// Called on I/O threads, too: must not block.
    fn refuse(&self, trouble: Trouble, head: Option<&Head>) -> Response;
}

/// Where a request is answered, and what for.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch {
    pub lane: Lane,
    pub found: Found,
}

impl Dispatch {
    /// To a lane, by a service that has nothing to remember.
    #[must_use]
    pub const fn to(lane: Lane) -> Self {
        Self { lane, found: Found::NOTHING }
    }
}

/// Where a request is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// At once, by the I/O thread that read it: a hop to another thread takes longer than one indexed read.
    /// It must never wait, for all connections of that thread would wait with it.
    Short,
    /// By the I/O thread that read it, which goes on with others while the write is on its way to disk. So it
    /// wakes nobody but the writer, which wakes the I/O thread once for many answers.
    Commit,
    /// Only reads, however much.
    Read,
    /// Writes: waits for the disk, in company.
    Write,
    /// Hashes a password: long. The queue is bounded.
    Hash,
    /// Asks another server: it may take ten seconds, and nobody else waits for it. The queue is bounded.
    Outbound,
}

/// Why the transport doesn't let a request through, or a handler didn't answer it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// It is no sound HTTP/1.1 request. The text, for people, says why.
    BadRequest(&'static str),
    /// A head over 16 KiB or 100 fields.
    HeadersTooLarge,
    /// A body over [`BODY_MAX_BYTES`](super::BODY_MAX_BYTES).
    BodyTooLarge,
    /// It did not come in time.
    RequestTimeout,
    /// An `Expect` other than `100-continue`.
    ExpectationFailed,
    /// TRACE and CONNECT are answered nowhere.
    MethodRefused,
    /// All connections are taken, or all the memory that they share.
    Crowded,
    /// The lane's queue is full; nothing was done.
    Overloaded,
    /// The handler panicked.
    Panicked,
}

impl Trouble {
    /// Whether the stream can be trusted to hold another request.
    pub(super) const fn then(self) -> Then {
        match self {
            Self::Overloaded | Self::Panicked => Then::KeepAlive,
            Self::BadRequest(_)
            | Self::HeadersTooLarge
            | Self::BodyTooLarge
            | Self::RequestTimeout
            | Self::ExpectationFailed
            | Self::MethodRefused
            | Self::Crowded => Then::Close,
        }
    }
}
