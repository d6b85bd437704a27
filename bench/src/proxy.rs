//! A proxy that makes the way to a server longer: what comes is passed on so much later, in its order. What
//! is sent while something else is on its way comes as long after it as it was sent, and no later.

use crate::Outcome;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::set_current_timer_slack;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::num::NonZeroU64;
use std::thread;
use std::time::{Duration, Instant};

/// Serves until the harness ends.
#[derive(Debug)]
pub struct Proxy {
    pub port: u16,
}

impl Proxy {
    /// Passes on to that port of this machine, `delay` later each way.
    pub fn start(to: u16, delay: Duration) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for client in listener.incoming() {
                // Whoever loses a connection sees it by that.
                thread::spawn(move || carry(&client?, &TcpStream::connect(("127.0.0.1", to))?, delay));
            }
        });
        Ok(Self { port })
    }
}

/// Carries both ways of a connection until both have ended.
fn carry(client: &TcpStream, server: &TcpStream, delay: Duration) -> io::Result<()> {
    // Else Linux lets each wait be 50 µs longer, which is more than the shortest of ways.
    set_current_timer_slack(NonZeroU64::new(1))?;
    let mut ways = [Way::new(client, server, delay)?, Way::new(server, client, delay)?];
    while ways.iter().any(Way::is_open) {
        let due = ways.iter().filter_map(|way| way.line.due()).min();
        wait(&mut ways, due)?;
        for way in &mut ways {
            way.receive()?;
            way.deliver()?;
        }
    }
    Ok(())
}

/// Waits until something comes or is due, and notes where it came.
fn wait(ways: &mut [Way<'_>], due: Option<Instant>) -> io::Result<()> {
    let timeout = due.map(|due| Timespec::try_from(due.saturating_duration_since(Instant::now())));
    let timeout = timeout.transpose().map_err(io::Error::other)?;
    let mut open: Vec<&mut Way<'_>> = ways.iter_mut().filter(|way| !way.has_ended).collect();
    let mut asked: Vec<PollFd<'_>> = open.iter().map(|way| PollFd::new(way.from, PollFlags::IN)).collect();
    poll(&mut asked, timeout.as_ref())?;
    for (way, asked) in open.iter_mut().zip(asked) {
        way.is_ready = !asked.revents().is_empty();
    }
    Ok(())
}

/// One direction of a connection.
struct Way<'s> {
    from: &'s TcpStream,
    to: &'s TcpStream,
    line: DelayLine,
    /// Whether reading gives something at once.
    is_ready: bool,
    /// Whether nothing more comes.
    has_ended: bool,
}

impl<'s> Way<'s> {
    fn new(from: &'s TcpStream, to: &'s TcpStream, delay: Duration) -> io::Result<Self> {
        to.set_nodelay(true)?;
        Ok(Self { from, to, line: DelayLine::new(delay), is_ready: false, has_ended: false })
    }

    fn is_open(&self) -> bool {
        !self.has_ended || self.line.due().is_some()
    }

    fn receive(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_ready) {
            let mut buffer = [0; 8 * 1024];
            let read = self.from.read(&mut buffer)?;
            self.has_ended = read == 0;
            self.line.put(&buffer[..read], Instant::now());
        }
        Ok(())
    }

    fn deliver(&mut self) -> io::Result<()> {
        while let Some(bytes) = self.line.take(Instant::now()) {
            // That nothing more comes is told as late as all else.
            if bytes.is_empty() {
                self.to.shutdown(Shutdown::Write)?;
            }
            self.to.write_all(&bytes)?;
        }
        Ok(())
    }
}

/// Bytes on their way, each piece with when it is due.
struct DelayLine {
    delay: Duration,
    pieces: VecDeque<(Instant, Vec<u8>)>,
}

impl DelayLine {
    fn new(delay: Duration) -> Self {
        Self { delay, pieces: VecDeque::new() }
    }

    fn put(&mut self, bytes: &[u8], now: Instant) {
        self.pieces.push_back((now + self.delay, bytes.to_vec()));
    }

    /// When the next piece is. `None`: nothing is on its way.
    fn due(&self) -> Option<Instant> {
        self.pieces.front().map(|(due, _)| *due)
    }

    /// Takes the next piece that is due.
    fn take(&mut self, now: Instant) -> Option<Vec<u8>> {
        let is_due = self.due().is_some_and(|due| due <= now);
        is_due.then(|| self.pieces.pop_front()).flatten().map(|(_, bytes)| bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(5);
    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_piece_is_passed_on_once_its_delay_is_over() {
        let (mut line, begun) = (DelayLine::new(DELAY), Instant::now());
        line.put(b"a", begun);
        assert_eq!(line.due(), Some(begun + DELAY));
        assert_eq!(line.take(begun + 4 * MS), None);
        assert_eq!(line.take(begun + DELAY).as_deref(), Some(&b"a"[..]));
        assert_eq!(line.due(), None);
    }

    #[test]
    fn pieces_that_overlap_keep_their_order_and_their_distance() {
        let (mut line, begun) = (DelayLine::new(DELAY), Instant::now());
        for (piece, after) in [(b"a", 0), (b"b", 0), (b"c", 2)] {
            line.put(piece, begun + after * MS);
        }
        let taken = |line: &mut DelayLine, after: u32| line.take(begun + after * MS);
        assert_eq!(taken(&mut line, 5).as_deref(), Some(&b"a"[..]));
        assert_eq!(taken(&mut line, 5).as_deref(), Some(&b"b"[..]));
        assert_eq!(taken(&mut line, 6), None);
        // Not five after the one before: what is under way together arrives together.
        assert_eq!(taken(&mut line, 7).as_deref(), Some(&b"c"[..]));
    }

    /// Answers with what it gets until nothing more comes.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            io::copy(&mut &stream, &mut &stream).unwrap();
        });
        port
    }

    #[test]
    fn all_arrives_in_order_and_no_sooner_and_so_does_the_end() {
        let proxy = Proxy::start(echo(), DELAY).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
        let sent: String = (0..200).map(|number| format!("{number}\n")).collect();
        let begun = Instant::now();
        for piece in sent.as_bytes().chunks(7) {
            stream.write_all(piece).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        let mut got = String::new();
        stream.read_to_string(&mut got).unwrap();
        assert_eq!(got, sent);
        assert!(begun.elapsed() >= 2 * DELAY);
    }
}
