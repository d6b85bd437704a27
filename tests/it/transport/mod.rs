//! What the transport promises to anybody who can open a socket (S1 and S2 of the threat model):
//! raw bytes in, at most one answer out, and the server goes on.

mod framing;
mod lifecycle;
mod limits;
mod memory;
mod seats;

use authd::config::Listen;
use authd::transport::message::{Head, Request, Response};
use authd::transport::{
    BODY_MAX_BYTES, Deadlines, Dispatch, Lane, Running, Server, Service, Settings, Threads, Trouble,
};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// More than the kernel keeps of what nobody reads.
const LARGE_BYTES: usize = 16 << 20;

/// Answers by the path: `/echo` sends the body back, `/large` sends [`LARGE_BYTES`], `/panic` and
/// `/short/panic` panic, `/short/thread` says on which thread it runs, `/wait` and `/hash` say that they have
/// begun and wait until the test lets them go, `/short/wait` does so on its I/O thread, as none should.
/// What begins with `/commit/` is awaited: `/commit/wait` says that it has begun, `/commit/panic` panics;
/// both wait until the test says that something was committed, `/commit/panic/at-once` doesn't.
struct Desk {
    begun: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
    committed: Arc<Notify>,
}

impl Desk {
    fn new(begun: Sender<()>, go: Receiver<()>) -> Self {
        Self { begun: Mutex::new(begun), go: Mutex::new(go), committed: Arc::default() }
    }
}

impl Service for Desk {
    fn dispatch(&self, head: &Head) -> Dispatch {
        Dispatch::to(match head.path.as_str() {
            "/hash" => Lane::Hash,
            "/write" => Lane::Write,
            path if path.starts_with("/short/") => Lane::Short,
            path if path.starts_with("/commit/") => Lane::Commit,
            _ => Lane::Read,
        })
    }

    fn handle(&self, request: &Request) -> Response {
        match request.head.path.as_str() {
            "/panic" | "/panic/twice" | "/short/panic" => panic!("as the test asked"),
            "/short/thread" => {
                let thread = std::thread::current().name().unwrap_or_default().to_owned();
                Response::with_body(200, "text/plain", thread.into_bytes())
            }
            "/wait" | "/hash" | "/short/wait" => {
                self.begun.lock().unwrap().send(()).unwrap();
                self.go.lock().unwrap().recv().unwrap();
                Response::empty(200)
            }
            "/large" => Response::with_body(200, "text/plain", vec![b'x'; LARGE_BYTES]),
            _ => Response::with_body(200, "text/plain", request.body.to_vec()),
        }
    }

    fn begin<'a>(&'a self, request: &'a Request) -> Pin<Box<dyn Future<Output = Response> + 'a>> {
        Box::pin(async {
            match request.head.path.as_str() {
                "/commit/panic/at-once" => panic!("as the test asked"),
                "/commit/panic" => {
                    self.committed.notified().await;
                    panic!("as the test asked");
                }
                _ => {
                    self.begun.lock().unwrap().send(()).unwrap();
                    self.committed.notified().await;
                    Response::empty(201)
                }
            }
        })
    }

    fn refuse(&self, trouble: Trouble, head: Option<&Head>) -> Response {
        assert!(head.is_none_or(|head| head.path != "/panic/twice"), "as the test asked");
        let status = match trouble {
            Trouble::BadRequest(_) => 400,
            Trouble::MethodRefused => 405,
            Trouble::RequestTimeout => 408,
            Trouble::BodyTooLarge => 413,
            Trouble::ExpectationFailed => 417,
            Trouble::HeadersTooLarge => 431,
            Trouble::Panicked => 500,
            Trouble::Crowded | Trouble::Overloaded => 503,
        };
        Response::with_body(status, "text/plain", format!("{trouble:?}").into_bytes())
    }
}

struct House {
    running: Running,
    /// A handler has begun to wait.
    begun: Receiver<()>,
    /// Lets one waiting handler go.
    go: Sender<()>,
    /// Lets one request of the lane for commits go on.
    committed: Arc<Notify>,
}

fn settings() -> Settings {
    Settings {
        max_connections: 64,
        max_connections_per_network: Some(1000),
        trusted: Vec::new(),
        memory_bytes: Settings::MEMORY_BYTES,
        threads: Threads { hash: 2, ..Threads::new(2, 1, 0) },
        hash_queue: 2,
        deadlines: Deadlines::default(),
    }
}

fn open_at(listen: &Listen, settings: Settings) -> House {
    let ((begun_in, begun), (go, go_out)) = (channel(), channel());
    let desk = Desk::new(begun_in, go_out);
    let committed = Arc::clone(&desk.committed);
    House { running: Server::start(listen, settings, Arc::new(desk)).unwrap(), begun, go, committed }
}

fn open(settings: Settings) -> House {
    open_at(&Listen::Tcp("127.0.0.1:0".parse().unwrap()), settings)
}

impl House {
    fn address(&self) -> SocketAddr {
        self.running.address().tcp().unwrap()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends `bytes` and reads until the server closes the connection.
    fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        rest(&mut stream)
    }

    /// Sends `bytes`, says that no more will come, and reads the rest.
    fn exchange_and_end(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        rest(&mut stream)
    }

    fn close(self) {
        self.running.shutdown();
        self.running.wait().unwrap();
    }
}

fn rest(stream: &mut impl Read) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one response with its body.
fn one(stream: &mut impl Read) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "the connection ended within a head");
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn statuses(answers: &str) -> Vec<&str> {
    let heads = answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]);
    heads.filter(|status| status.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

fn chunked(size: usize) -> String {
    let chunk = format!("1000\r\n{}\r\n", "c".repeat(0x1000)).repeat(size / 0x1000);
    let last = size % 0x1000;
    let last = if last == 0 { String::new() } else { format!("{last:x}\r\n{}\r\n", "c".repeat(last)) };
    format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{last}0\r\n\r\n")
}

/// One I/O thread: what holds it up holds up all, and what happens on it happens in one order.
fn on_one_thread() -> Settings {
    Settings { threads: Threads { io: 1, ..settings().threads }, ..settings() }
}

/// A deadline that passes while a test looks on.
const SOON: Duration = Duration::from_millis(60);

fn with(deadlines: Deadlines) -> Settings {
    Settings { deadlines, ..settings() }
}
