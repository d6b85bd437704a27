//! The guard between a socket and the HTTP crate: it holds every head back until `head` has
//! checked it, hands over exactly the body that was announced, and keeps the deadlines of a connection.
//!
//! Between two requests it tells the crate that the stream has ended: the crate goes, with its buffers, and
//! the guard waits alone for the next head. So a connection that is kept holds nothing of its last answer.
//!
//! A head that is refused is replaced by a harmless one of our own, and the reason is left in the
//! [`Exchange`]: so a refusal takes the same way out as any answer, after those that come before it.

use super::head::{self, BodyLength, Scan, Scanner};
use super::memory::{Memory, Share, UNCOUNTED_BYTES};
use super::message::Then;
use super::seats::Seat;
use super::service::Trouble;
use super::settings::Deadlines;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// What the crate reads in place of a head that is refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";
/// How much a client may still send while its connection is being closed, in bytes.
const LINGER_BYTES: usize = 1 << 20;
/// How much of its buffer a connection keeps for its next head, in bytes. Most heads need no more.
const KEPT_BYTES: usize = 2 * 1024;

/// What the guard tells the one who answers about the request under way.
#[derive(Debug)]
pub struct Exchange {
    pub refused: Cell<Option<Trouble>>,
    /// When the whole request must be there.
    pub deadline: Cell<Instant>,
    /// Whether another request will be let in.
    pub then: Cell<Then>,
    /// `None`: it is only told that there is none.
    pub seat: Option<Seat>,
    /// Somebody else needs the seat: there is no time to linger.
    pub is_needed: Cell<bool>,
    memory: Arc<Memory>,
}

enum Stage {
    /// A head is coming in; its bytes are kept in the buffer.
    Head(Scanner),
    /// So many bytes belong to the request that was let in, some of them in the buffer.
    Pass { left: u64 },
    /// The HTTP crate finds the end of a chunked body. No request is let in after it.
    PassLast,
    /// So many bytes of the [`STAND_IN`] have been read.
    Refused { read: usize },
}

pub struct Guard<S> {
    stream: S,
    exchange: Rc<Exchange>,
    deadlines: Deadlines,
    stage: Stage,
    buffer: Vec<u8>,
    /// Of the memory of all, for a head that is longer than most.
    share: Option<Share>,
    /// The end of waiting for a head, or of lingering.
    timer: Pin<Box<Sleep>>,
    /// Runs while an answer can't be written.
    write_timer: Option<Pin<Box<Sleep>>>,
    /// The crate was told of an end that is none: nothing is under way, and nothing has come since.
    is_resting: bool,
    /// Set once our side is shut: how many bytes have been thrown away since.
    lingered: Option<usize>,
}

impl Exchange {
    /// Begins with nothing refused; the guard writes the rest when a head has come in.
    pub fn new(seat: Option<Seat>, memory: Arc<Memory>) -> Self {
        Self {
            refused: Cell::new(None),
            deadline: Cell::new(Instant::now()),
            then: Cell::new(Then::KeepAlive),
            seat,
            is_needed: Cell::new(false),
            memory,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    /// Guards a connection that was just accepted; its first head has `deadlines.head` from now.
    pub fn new(stream: S, exchange: Rc<Exchange>, deadlines: Deadlines) -> Self {
        Self {
            stream,
            exchange,
            deadlines,
            stage: Stage::Head(Scanner::default()),
            buffer: Vec::new(),
            share: None,
            timer: Box::pin(sleep_until(Instant::now() + deadlines.head)),
            write_timer: None,
            is_resting: false,
            lingered: None,
        }
    }

    /// A connection that is answered with `trouble` whatever it asks.
    pub fn refusing(stream: S, exchange: Rc<Exchange>, deadlines: Deadlines, trouble: Trouble) -> Self {
        let mut guard = Self::new(stream, exchange, deadlines);
        guard.refuse(trouble);
        guard
    }

    fn refuse(&mut self, trouble: Trouble) {
        self.exchange.refused.set(Some(trouble));
        self.exchange.then.set(Then::Close);
        self.exchange.deadline.set(Instant::now() + self.deadlines.request);
        self.stage = Stage::Refused { read: 0 };
    }

    /// Gets on with the head. Ready once the stage has changed, or at the end of the stream.
    fn poll_head(&mut self, mut scanner: Scanner, cx: &mut Context<'_>) -> Poll<io::Result<Progress>> {
        loop {
            match scanner.scan(&self.buffer) {
                Scan::Complete(length) => {
                    self.admit(length);
                    return Poll::Ready(Ok(Progress::StageChanged));
                }
                Scan::Refused(trouble) => {
                    self.refuse(trouble);
                    return Poll::Ready(Ok(Progress::StageChanged));
                }
                Scan::Partial => self.stage = Stage::Head(scanner),
            }
            let first = self.buffer.is_empty();
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(Progress::EndOfStream)),
                Poll::Ready(Ok(_)) => {
                    if first {
                        self.begin_request();
                    }
                    if !self.has_room() {
                        self.refuse(Trouble::Crowded);
                        return Poll::Ready(Ok(Progress::StageChanged));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    ready!(self.timer.as_mut().poll(cx));
                    if self.buffer.is_empty() {
                        return Poll::Ready(Ok(Progress::EndOfStream));
                    }
                    self.refuse(Trouble::RequestTimeout);
                    return Poll::Ready(Ok(Progress::StageChanged));
                }
            }
        }
    }

    /// Whether the crate ended because nothing is under way, and the connection goes on.
    pub const fn is_resting(&self) -> bool {
        self.is_resting
    }

    /// Waits until there is something for the crate to read: the beginning of a head, or what stands in its
    /// place. `false`: the client has gone, or nothing came in time.
    pub async fn has_work(&mut self) -> bool {
        poll_fn(|cx| self.poll_work(cx)).await
    }

    fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.buffer.is_empty() && matches!(self.stage, Stage::Head(_)) {
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(false),
                Poll::Ready(Ok(_)) => self.begin_request(),
                Poll::Pending => {
                    ready!(self.timer.as_mut().poll(cx));
                    return Poll::Ready(false);
                }
            }
        }
        self.is_resting = false;
        Poll::Ready(true)
    }

    /// Takes a share of the memory of all for a head that is longer than most; `false`: there is none left.
    fn has_room(&mut self) -> bool {
        if self.share.is_none() && self.buffer.len() > UNCOUNTED_BYTES {
            self.share = self.exchange.memory.take(head::MAX_BYTES);
            return self.share.is_some();
        }
        true
    }

    /// The first byte of a request starts its clocks.
    fn begin_request(&mut self) {
        let now = Instant::now();
        self.timer.as_mut().reset(now + self.deadlines.head);
        self.exchange.deadline.set(now + self.deadlines.request);
    }

    fn admit(&mut self, head_length: usize) {
        // Not before: somebody who never comes to the end of a head is as idle as who says nothing.
        if let Some(seat) = &self.exchange.seat {
            seat.busy();
        }
        match head::check_head(&self.buffer[..head_length]) {
            Ok(BodyLength::Exact(body)) => {
                self.stage = Stage::Pass { left: body.saturating_add(head_length as u64) }
            }
            Ok(BodyLength::Chunked) => {
                self.stage = Stage::PassLast;
                self.exchange.then.set(Then::Close);
            }
            Err(trouble) => self.refuse(trouble),
        }
        self.write_timer = None;
    }

    fn await_next_head(&mut self) {
        self.stage = Stage::Head(Scanner::default());
        let now = Instant::now();
        if let Some(seat) = &self.exchange.seat {
            seat.idle(now);
        }
        if !self.buffer.is_empty() {
            self.begin_request();
            return;
        }
        self.timer.as_mut().reset(now + self.deadlines.idle);
        self.share = None;
        if self.buffer.capacity() > KEPT_BYTES {
            self.buffer = Vec::new();
        }
    }

    /// Reads once from the socket into the buffer; 0 is the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        thread_local! {
            /// What is read goes through here, so that no connection needs room for more than it was sent.
            static CHUNK: RefCell<[u8; 4096]> = const { RefCell::new([0; 4096]) };
        }
        CHUNK.with_borrow_mut(|bytes| {
            let mut chunk = ReadBuf::new(bytes);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut chunk))?;
            self.buffer.extend_from_slice(chunk.filled());
            Poll::Ready(Ok(chunk.filled().len()))
        })
    }

    /// Hands over at most `bound` bytes, from the buffer first.
    fn poll_pass(
        &mut self,
        bound: u64,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<u64>> {
        if self.buffer.is_empty() {
            ready!(self.poll_fill(cx))?;
        }
        let bound = usize::try_from(bound).unwrap_or(usize::MAX);
        let count = self.buffer.len().min(bound).min(out.remaining());
        out.put_slice(&self.buffer[..count]);
        self.buffer.drain(..count);
        Poll::Ready(Ok(count as u64))
    }

    /// A client that doesn't read its answers can't hold the connection.
    fn poll_write_deadline<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let end = || Box::pin(sleep_until(Instant::now() + self.deadlines.write));
        ready!(self.write_timer.get_or_insert_with(end).as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether the client may still be sending what nobody is going to read.
    fn has_unread(&self) -> bool {
        !self.buffer.is_empty() || !matches!(self.stage, Stage::Head(_) | Stage::Pass { left: 0 })
    }
}

enum Progress {
    StageChanged,
    EndOfStream,
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.stage {
                Stage::Head(scanner) => match ready!(self.poll_head(scanner, cx))? {
                    Progress::StageChanged => {}
                    Progress::EndOfStream => return Poll::Ready(Ok(())),
                },
                Stage::Pass { left: 0 } => {
                    self.await_next_head();
                    if self.buffer.is_empty() {
                        self.is_resting = true;
                        return Poll::Ready(Ok(()));
                    }
                }
                Stage::Pass { left } => {
                    let count = ready!(self.poll_pass(left, cx, out))?;
                    self.stage = Stage::Pass { left: left - count };
                    return Poll::Ready(Ok(()));
                }
                Stage::PassLast => return self.poll_pass(u64::MAX, cx, out).map_ok(|_| ()),
                Stage::Refused { read } => {
                    let count = (STAND_IN.len() - read).min(out.remaining());
                    out.put_slice(&STAND_IN[read..read + count]);
                    self.stage = Stage::Refused { read: read + count };
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Pending => self.poll_write_deadline(cx),
            done @ Poll::Ready(_) => done,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(cx, slices) {
            Poll::Pending => self.poll_write_deadline(cx),
            done @ Poll::Ready(_) => done,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Pending => self.poll_write_deadline(cx),
            done @ Poll::Ready(_) => done,
        }
    }

    /// Shuts our side, then reads on for a while if the client may be sending: closing a socket with
    /// unread bytes resets it, and the reset can overtake the answer (RFC 9112 §9.6).
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_resting {
            return Poll::Ready(Ok(()));
        }
        if self.lingered.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            if !self.has_unread() || self.exchange.is_needed.get() {
                return Poll::Ready(Ok(()));
            }
            self.lingered = Some(0);
            let end = Instant::now() + self.deadlines.linger;
            self.timer.as_mut().reset(end);
        }
        while self.lingered < Some(LINGER_BYTES) {
            self.buffer.clear();
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => break,
                Poll::Ready(Ok(count)) => self.lingered = self.lingered.map(|sum| sum + count),
                Poll::Pending => {
                    ready!(self.timer.as_mut().poll(cx));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}
