//! What all connections together may hold: heads, bodies, and answers that nobody reads.

use super::*;

fn with_memory(bytes: usize) -> House {
    open(Settings { memory_bytes: bytes, ..on_one_thread() })
}

impl House {
    /// Sends the beginning of a request.
    fn begin(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream
    }

    /// Asks until the status comes that is expected.
    fn comes_to(&self, request: &[u8], status: &str) -> String {
        let mut answer = String::new();
        for _ in 0..10_000 {
            answer = self.exchange_and_end(request);
            if statuses(&answer) == [status] {
                return answer;
            }
        }
        panic!("it never comes to {status}: {answer}")
    }
}

fn expecting(size: usize) -> Vec<u8> {
    let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n");
    (head + "Expect: 100-continue\r\n\r\n").into_bytes()
}

fn post(size: usize, body: &str) -> Vec<u8> {
    format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{body}").into_bytes()
}

#[test]
fn bodies_that_are_on_their_way_share_it() {
    let house = with_memory(250_000);
    let whole = post(60_000, &"b".repeat(60_000));
    let mut slow: Vec<_> = (0..4).map(|_| house.begin(&expecting(60_000))).collect();
    for stream in &mut slow {
        assert_eq!(one(stream), "HTTP/1.1 100 Continue\r\n\r\n", "it is waited for from here on");
    }
    let refused = house.exchange_and_end(&whole);
    assert_eq!(statuses(&refused), ["503"]);
    assert!(refused.contains("Crowded") && refused.contains("connection: close"), "{refused}");
    // What is short is not counted.
    assert_eq!(statuses(&house.exchange_and_end(&post(4096, &"b".repeat(4096)))), ["200"]);
    assert_eq!(statuses(&house.exchange_and_end(chunked(60_000).as_bytes())), ["503"]);
    slow.pop();
    house.comes_to(&whole, "200");
    drop(slow);
    house.close();
}

#[test]
fn heads_that_are_on_their_way_share_it() {
    let house = with_memory(40_000);
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(5000));
    let whole = format!("{head}\r\n\r\n");
    let mut slow: Vec<_> = (0..2).map(|_| house.begin(head.as_bytes())).collect();
    // When others that came later have been answered, they were read.
    for _ in 0..3 {
        assert_eq!(statuses(&house.exchange_and_end(NEXT.as_bytes())), ["200"]);
    }
    let refused = house.exchange_and_end(whole.as_bytes());
    assert_eq!(statuses(&refused), ["503"]);
    assert!(refused.contains("Crowded") && refused.contains("connection: close"), "{refused}");
    assert_eq!(statuses(&house.exchange_and_end(NEXT.as_bytes())), ["200"]);
    // One that is answered gives its share back, though its connection stays.
    slow[0].write_all(b"\r\n\r\n").unwrap();
    assert_eq!(statuses(&one(&mut slow[0])), ["200"]);
    house.comes_to(whole.as_bytes(), "200");
    drop(slow);
    house.close();
}

#[test]
fn answers_that_nobody_reads_share_it() {
    let house = with_memory(LARGE_BYTES * 5 / 2);
    let large = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut idle: Vec<_> = (0..2).map(|_| house.begin(large)).collect();
    for stream in &mut idle {
        assert_eq!(stream.peek(&mut [0]).unwrap(), 1, "its answer has begun");
    }
    let refused = house.exchange_and_end(large);
    assert!(statuses(&refused) == ["503"] && refused.contains("Overloaded"), "{refused}");
    // What may have changed something is answered all the same.
    let changing = house.exchange_and_end(b"POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((statuses(&changing), changing.len() > LARGE_BYTES), (vec!["200"], true));
    assert_eq!(statuses(&house.exchange_and_end(NEXT.as_bytes())), ["200"]);
    assert_eq!(one(&mut idle[0]).len() / LARGE_BYTES, 1);
    assert_eq!(statuses(&house.exchange_and_end(large)), ["200"]);
    drop(idle);
    house.close();
}
