//! S2: bounds and deadlines.

use super::*;

#[test]
fn heads_are_bounded_in_bytes_and_fields() {
    let house = open(settings());
    let head = |padding: usize| {
        format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: {}\r\n\r\n", "x".repeat(padding))
    };
    let frame = head(0).len();
    assert_eq!(statuses(&house.exchange(head(16 * 1024 - frame).as_bytes())), ["200"]);
    assert_eq!(statuses(&house.exchange(head(16 * 1024 - frame + 1).as_bytes())), ["431"]);
    assert_eq!(statuses(&house.exchange(head(300_000).as_bytes())), ["431"]);

    let fields = |count: usize| {
        format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", "X: y\r\n".repeat(count))
    };
    assert_eq!(statuses(&house.exchange(fields(98).as_bytes())), ["200"]);
    assert_eq!(statuses(&house.exchange(fields(99).as_bytes())), ["431"]);

    let endless = format!("GET /{}", "a".repeat(20_000));
    assert_eq!(statuses(&house.exchange(endless.as_bytes())), ["431"]);
    house.close();
}

#[test]
fn bodies_are_bounded_however_they_are_framed() {
    let house = open(settings());
    let whole = |size: usize| {
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{}", "b".repeat(size))
    };
    let mut stream = house.connect();
    stream.write_all(whole(BODY_MAX_BYTES).as_bytes()).unwrap();
    let answer = one(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200"), "{}", &answer[..100]);
    assert!(answer.ends_with(&"b".repeat(BODY_MAX_BYTES)));

    for bytes in [
        whole(BODY_MAX_BYTES + 1) + NEXT,
        whole(1 << 20) + NEXT,
        chunked(BODY_MAX_BYTES + 1) + NEXT,
        chunked(1 << 20),
    ] {
        let answer = house.exchange(bytes.as_bytes());
        assert_eq!(statuses(&answer), ["413"]);
        assert!(answer.contains("connection: close"), "{answer}");
    }
    // Announced, never sent: nothing is allocated or awaited.
    let announced = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000000000\r\n\r\n";
    assert_eq!(statuses(&house.exchange(announced.as_bytes())), ["413"]);
    house.close();
}

#[test]
fn a_body_with_expect_continue_is_asked_for_only_when_it_is_wanted() {
    let house = open(settings());
    let head = |size: usize| {
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {size}\r\n\r\n")
    };
    let mut stream = house.connect();
    stream.write_all(head(2).as_bytes()).unwrap();
    assert_eq!(one(&mut stream), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hi").unwrap();
    assert!(one(&mut stream).ends_with("\r\n\r\nhi"));
    assert_eq!(statuses(&house.exchange(head(BODY_MAX_BYTES + 1).as_bytes())), ["413"]);
    house.close();
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let house = open(with(Deadlines { idle: SOON, ..Deadlines::default() }));
    let mut used = house.connect();
    used.write_all(NEXT.as_bytes()).unwrap();
    assert_eq!(statuses(&rest(&mut used)), ["200"]);
    house.close();

    let house = open(with(Deadlines { head: SOON, ..Deadlines::default() }));
    assert_eq!(house.exchange(b""), "");
    house.close();
}

#[test]
fn a_request_that_does_not_come_in_time_is_a_408() {
    let house = open(with(Deadlines { head: SOON, ..Deadlines::default() }));
    assert_eq!(statuses(&house.exchange(b"GET / HTT")), ["408"]);
    house.close();

    let house = open(with(Deadlines { request: SOON, ..Deadlines::default() }));
    assert_eq!(
        statuses(&house.exchange(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")),
        ["408"]
    );
    assert_eq!(
        statuses(
            &house.exchange(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
        ),
        ["408"]
    );
    house.close();
}

#[test]
fn a_drip_does_not_put_the_deadline_off() {
    let house = open(with(Deadlines { head: SOON, ..Deadlines::default() }));
    let mut stream = house.connect();
    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
    let mut answer = Vec::new();
    // Each turn waits for an answer for 5 ms and then sends one byte more. The loop ends because the server
    // ends it.
    while stream.read_to_end(&mut answer).is_err() {
        let _ = stream.write_all(b"x");
    }
    assert_eq!(statuses(&String::from_utf8(answer).unwrap()), ["408"]);
    house.close();
}

#[test]
fn a_client_that_does_not_read_is_let_go() {
    let house = open(with(Deadlines { write: SOON, ..Deadlines::default() }));
    let mut stream = house.connect();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let request =
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n{}", "x".repeat(60_000));
    // The server stops reading when it can't write, and then gives up: the writes end with an error.
    let error =
        (0..10_000).find_map(|_| stream.write_all(request.as_bytes()).err()).expect("the server lets go");
    assert!(
        matches!(error.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe),
        "{error}"
    );
    house.close();
}

#[test]
fn a_full_hash_queue_is_refused_at_once_and_others_do_not_wait() {
    let house = open(settings());
    let ask = || {
        let mut stream = house.connect();
        stream.write_all(b"POST /hash HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        stream
    };
    // Two threads are at it, two requests wait.
    let mut waiting: Vec<_> = (0..2).map(|_| ask()).collect();
    house.begun.recv().unwrap();
    house.begun.recv().unwrap();
    let mut crowd: Vec<_> = (0..3).map(|_| ask()).collect();
    let first_refused = first_readable(&crowd);
    assert!(one(&mut crowd.remove(first_refused)).starts_with("HTTP/1.1 503"));
    let pressure = house.running.pressure();
    assert_eq!((pressure.hash.waiting.read(), pressure.hash.refused.read()), (2, 1));
    waiting.append(&mut crowd);

    let mut other = house.connect();
    other.write_all(NEXT.as_bytes()).unwrap();
    assert!(one(&mut other).starts_with("HTTP/1.1 200"));

    for _ in 0..4 {
        house.go.send(()).unwrap();
    }
    for stream in &mut waiting {
        assert!(one(stream).starts_with("HTTP/1.1 200"));
    }
    assert_eq!((pressure.hash.waiting.read(), pressure.hash.waits.read().count()), (0, 4));
    assert_eq!((pressure.read.refused.read(), pressure.turned_away.read()), (0, 0));
    drop((waiting, other));
    house.close();
}

/// The index of the first stream that has an answer.
fn first_readable(streams: &[TcpStream]) -> usize {
    loop {
        for (index, stream) in streams.iter().enumerate() {
            stream.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
            let readable = stream.peek(&mut [0]).is_ok();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            if readable {
                return index;
            }
        }
    }
}

#[test]
fn dripping_clients_cost_honest_ones_nothing() {
    let house = open(Settings { max_connections: 1000, ..settings() });
    let mut dripping: Vec<_> = (0..500).map(|_| house.connect()).collect();
    for byte in "GET / HTTP/1.1\r\nX: xxxx".bytes() {
        for stream in &mut dripping {
            stream.write_all(&[byte]).unwrap();
        }
        let mut honest = house.connect();
        honest.write_all(NEXT.as_bytes()).unwrap();
        assert!(one(&mut honest).starts_with("HTTP/1.1 200"));
    }
    drop(dripping);
    house.close();
}
