//! The limit of `/me` and `/verify`: hyper on as many I/O threads as authd has, which answer at once with
//! what authd answered once. Connections are dealt out in turn.

use crate::Outcome;
use crate::machine::cores;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::LocalSet;

/// The bare server in a process of its own.
#[derive(Debug)]
pub struct BareServer {
    process: Child,
    pub address: String,
}

impl BareServer {
    /// Starts one that answers with this head and body.
    pub fn start(head: &[u8], body: &[u8]) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.arg("bare-http").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = process.stdin.take() {
            stdin.write_all(&[head, body].concat())?;
        }
        let mut address = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        Ok(Self { process, address: address.trim().to_owned() })
    }
}

impl Drop for BareServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads the answer from stdin, prints the address, and serves until it is killed.
pub fn serve() -> Outcome<()> {
    let mut answer = Vec::new();
    stdin().read_to_end(&mut answer)?;
    let (headers, body) = parse(&answer)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(stdout(), "{}", listener.local_addr()?)?;
    let threads: Vec<_> = (0..cores().clamp(1, 4))
        .map(|_| {
            let (deal, dealt) = unbounded_channel();
            let (headers, body) = (headers.clone(), body.clone());
            thread::spawn(move || serve_dealt(dealt, &headers, &body));
            deal
        })
        .collect();
    for (number, stream) in listener.incoming().enumerate() {
        threads[number % threads.len()].send(stream?)?;
    }
    Ok(())
}

/// One I/O thread.
fn serve_dealt(
    mut dealt: UnboundedReceiver<TcpStream>,
    headers: &HeaderMap,
    body: &Bytes,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        while let Some(stream) = dealt.recv().await {
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let stream = tokio::net::TcpStream::from_std(stream)?;
            let (headers, body) = (headers.clone(), body.clone());
            let answer = service_fn(move |_: Request<hyper::body::Incoming>| {
                let mut response = Response::new(Full::new(body.clone()));
                *response.headers_mut() = headers.clone();
                std::future::ready(Ok::<_, Infallible>(response))
            });
            tokio::task::spawn_local(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
        Ok(())
    })
}

/// What hyper doesn't write by itself of an answer's head, and its body.
fn parse(answer: &[u8]) -> Outcome<(HeaderMap, Bytes)> {
    let mut parsed = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut parsed);
    let httparse::Status::Complete(head) = response.parse(answer)? else {
        return Err("no whole answer".into());
    };
    let mut headers = HeaderMap::new();
    for header in response.headers.iter().filter(|header| !["date", "content-length"].contains(&header.name))
    {
        headers.append(HeaderName::try_from(header.name)?, HeaderValue::from_bytes(header.value)?);
    }
    Ok((headers, Bytes::copy_from_slice(&answer[head..])))
}
