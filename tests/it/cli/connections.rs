//! What connections cost the daemon as a process: memory, and file descriptors.

use super::Shell;
use super::serve::Daemon;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Asks, and reads the whole answer, but leaves the connection open.
fn ask(stream: &mut TcpStream, path: &str) -> usize {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (mut answer, mut chunk) = (Vec::new(), vec![0; 65_536]);
    loop {
        let read = stream.read(&mut chunk).unwrap();
        assert_ne!(read, 0, "it was closed: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&chunk[..read]);
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&answer[..head]).unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if answer.len() == head + 4 + length.parse::<usize>().unwrap() {
            return answer.len();
        }
    }
}

/// In this process there must be as many descriptors as connections.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

#[test]
fn connections_that_have_read_the_largest_answer_hold_little_and_give_it_back() {
    const CONNECTIONS: usize = 1500;
    const CLIENTS: usize = 6;
    const LEFT_KIB: usize = 12 * 1024;
    const DOCUMENT: &str = "/api/auth/openapi.json";
    raise_descriptors();
    let shell = Shell::new();
    let settings = "[rate_limit]\nenabled = false\n[server]\nmax_connections_per_network = 4096\n";
    std::fs::write(shell.world.folder.join("authd.toml"), settings).unwrap();
    let daemon = Daemon::start(&shell, &[]);
    let connect = || TcpStream::connect(daemon.address()).unwrap();
    assert!(ask(&mut connect(), DOCUMENT) > 50_000, "it is the largest that strangers get");
    let before = daemon.memory_kib();
    let kept = |mut stream| {
        ask(&mut stream, DOCUMENT);
        stream
    };
    let some = || (0..CONNECTIONS / CLIENTS).map(|_| kept(connect())).collect::<Vec<_>>();
    let kept = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(some)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>()
    });
    let added = daemon.memory_kib().saturating_sub(before);
    assert!(added < 60 * 1024, "{CONNECTIONS} connections have added {added} KiB to {before} KiB");
    drop(kept);
    let has_fallen = || {
        ask(&mut connect(), "/healthz");
        daemon.memory_kib() < before + LEFT_KIB
    };
    assert!((0..2000).any(|_| has_fallen()), "{} KiB are left of {before} and {added}", daemon.memory_kib());
    assert_eq!(daemon.stop(Signal::TERM).0, Some(0));
}

#[test]
fn out_of_descriptors_it_serves_again_as_soon_as_there_are_some() {
    let shell = Shell::new();
    let daemon = Daemon::start_within(&shell, 48);
    let connect = || {
        let stream = TcpStream::connect(daemon.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        stream
    };
    ask(&mut connect(), "/readyz");
    // One has the only place, the others are told that there is none, and don't go.
    let mut crowd: Vec<_> = (0..100).map(|_| connect()).collect();
    for stream in &mut crowd {
        // One that was refused may have gone already.
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nX: ");
    }
    drop(crowd);
    ask(&mut connect(), "/readyz");
    let (code, said) = daemon.stop(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(said.contains("can't take connections just now"), "{said}");
}
