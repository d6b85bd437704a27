//! Panics, shutdowns, sockets.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::RecvTimeoutError;

#[test]
fn a_panic_is_one_500_and_the_connection_goes_on() {
    let house = open(settings());
    let mut stream = house.connect();
    for _ in 0..10 {
        stream.write_all(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(one(&mut stream).starts_with("HTTP/1.1 500"));
    }
    stream.write_all(NEXT.as_bytes()).unwrap();
    assert!(one(&mut stream).starts_with("HTTP/1.1 200"));
    drop(stream);
    house.close();
}

#[test]
fn a_shutdown_finishes_what_is_under_way_and_takes_nothing_new() {
    let house = open(settings());
    let mut idle = house.connect();
    idle.write_all(NEXT.as_bytes()).unwrap();
    one(&mut idle);
    let mut busy = house.connect();
    busy.write_all(format!("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n{NEXT}").as_bytes()).unwrap();
    house.begun.recv().unwrap();
    let address = house.address();

    house.running.shutdown();
    assert_eq!(rest(&mut idle), "");
    // The listener closes beside the idle connections, in no order: this ends when it has.
    while TcpStream::connect(address).is_ok() {}
    house.go.send(()).unwrap();
    let answer = rest(&mut busy);
    assert_eq!(statuses(&answer), ["200"], "{answer}");
    drop(busy);
    house.running.wait().unwrap();
}

#[test]
fn a_shutdown_does_not_wait_for_ever() {
    let house = open(with(Deadlines { drain: SOON, ..Deadlines::default() }));
    let mut busy = house.connect();
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    house.begun.recv().unwrap();
    house.running.shutdown();
    house.running.wait().unwrap();
    assert_eq!(rest(&mut busy), "");
}

#[test]
fn a_unix_socket_is_for_owner_and_group_and_replaces_a_stale_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authd.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listen = Listen::Unix(path.clone());
    let house = open_at(&listen, settings());

    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(NEXT.as_bytes()).unwrap();
    assert!(one(&mut stream).starts_with("HTTP/1.1 200"));
    let second = Server::start(&listen, settings(), Arc::new(Desk::new(channel().0, channel().1)));
    assert_eq!(second.unwrap_err().code(), "internal");
    drop(stream);
    house.close();
    assert!(!path.exists());

    std::fs::write(&path, "not a socket").unwrap();
    let refused = Server::start(&listen, settings(), Arc::new(Desk::new(channel().0, channel().1)));
    assert!(refused.is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"not a socket");
}

#[test]
fn what_is_short_is_answered_where_it_was_read_and_connections_are_spread() {
    let house = open(settings());
    let mut streams: Vec<_> = (0..6).map(|_| house.connect()).collect();
    let mut threads = Vec::new();
    for stream in &mut streams {
        stream.write_all(b"GET /short/thread HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        threads.push(one(stream).rsplit("\r\n").next().unwrap().to_owned());
    }
    threads.sort();
    assert_eq!(threads, ["io-0", "io-0", "io-0", "io-1", "io-1", "io-1"]);
    house.close();
}

#[test]
fn a_panic_over_a_panic_takes_no_thread_along() {
    let house = open(settings());
    let mut stream = house.connect();
    // More often than there are threads.
    for _ in 0..64 {
        stream.write_all(b"GET /panic/twice HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(one(&mut stream).starts_with("HTTP/1.1 500"));
    }
    stream.write_all(NEXT.as_bytes()).unwrap();
    assert!(one(&mut stream).starts_with("HTTP/1.1 200"));
    drop(stream);
    house.close();
}

#[test]
fn a_panic_on_an_io_thread_is_one_500_too() {
    let house = open(settings());
    let mut stream = house.connect();
    for _ in 0..2 {
        stream.write_all(b"GET /short/panic HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert_eq!(statuses(&one(&mut stream)), ["500"]);
    }
    house.close();
}

#[test]
fn the_watchdog_misses_one_thread_that_is_held_up() {
    let house = open(settings());
    let watchdog = house.running.watchdog();
    let patience = Duration::from_secs(20);
    assert!(watchdog.all_respond(patience));
    // The first thread also takes connections: the second is the one to be held up.
    let mut other = house.connect();
    other.write_all(NEXT.as_bytes()).unwrap();
    assert_eq!(statuses(&one(&mut other)), ["200"]);
    let mut held = house.connect();
    held.write_all(b"GET /short/wait HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    house.begun.recv().unwrap();
    assert!(!watchdog.all_respond(Duration::from_millis(1)));
    // Those of the other thread are served meanwhile.
    other.write_all(NEXT.as_bytes()).unwrap();
    assert_eq!(statuses(&one(&mut other)), ["200"]);
    house.go.send(()).unwrap();
    assert_eq!(statuses(&one(&mut held)), ["200"]);
    assert!(watchdog.all_respond(patience));
    house.close();
}

#[test]
fn who_waits_for_a_commit_holds_up_nobody_on_its_io_thread() {
    let house = open(on_one_thread());
    let mut waiting: Vec<_> = (0..3).map(|_| house.connect()).collect();
    for stream in &mut waiting {
        stream.write_all(b"POST /commit/wait HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").unwrap();
        house.begun.recv().unwrap();
    }
    let mut other = house.connect();
    for request in ["GET /short/thread HTTP/1.1\r\nHost: a\r\n\r\n", NEXT] {
        other.write_all(request.as_bytes()).unwrap();
        assert_eq!(statuses(&one(&mut other)), ["200"]);
    }
    for mut stream in waiting {
        house.committed.notify_one();
        // They go on in the order in which they came; each connection then takes another.
        assert_eq!(statuses(&one(&mut stream)), ["201"]);
        stream.write_all(NEXT.as_bytes()).unwrap();
        assert_eq!(statuses(&one(&mut stream)), ["200"]);
    }
    drop(other);
    house.close();
}

#[test]
fn a_panic_before_or_after_a_commit_is_one_500() {
    let house = open(on_one_thread());
    let mut stream = house.connect();
    for path in ["/commit/panic/at-once", "/commit/panic", "/commit/panic/at-once"] {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        if path == "/commit/panic" {
            house.committed.notify_one();
        }
        assert_eq!(statuses(&one(&mut stream)), ["500"], "{path}");
    }
    stream.write_all(NEXT.as_bytes()).unwrap();
    assert_eq!(statuses(&one(&mut stream)), ["200"]);
    drop(stream);
    house.close();
}

#[test]
fn a_shutdown_lets_a_commit_be_answered_but_does_not_wait_for_it_for_ever() {
    let wait = b"GET /commit/wait HTTP/1.1\r\nHost: a\r\n\r\n";
    let house = open(on_one_thread());
    let mut busy = house.connect();
    busy.write_all(wait).unwrap();
    house.begun.recv().unwrap();
    house.running.shutdown();
    house.committed.notify_one();
    assert_eq!(statuses(&rest(&mut busy)), ["201"]);
    house.running.wait().unwrap();

    let house = open(with(Deadlines { drain: SOON, ..Deadlines::default() }));
    let mut busy = house.connect();
    busy.write_all(wait).unwrap();
    house.begun.recv().unwrap();
    house.running.shutdown();
    house.running.wait().unwrap();
    assert_eq!(rest(&mut busy), "");
}

#[test]
fn one_that_nobody_waits_for_leaves_no_thread_behind() {
    let House { running, begun, .. } = open(settings());
    drop(running);
    // Its workers held what handles requests, and that the other end of this.
    let end = begun.recv_timeout(Duration::from_secs(10));
    assert!(matches!(end, Err(RecvTimeoutError::Disconnected)));
}
