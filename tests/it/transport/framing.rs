//! S1: what is no sound request gets one error, and nothing after it is answered.

use super::*;
use proptest::prelude::*;

#[test]
fn an_unsound_head_gets_one_error_and_a_closed_connection() {
    let house = open(settings());
    let cases: &[(&str, &str)] = &[
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\nx"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        (
            "400",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
        ("400", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("400", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (
            "400",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "400",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        ),
        ("400", "GET / HTTP/1.1\r\n\r\n"),
        ("400", "GET / HTTP/1.0\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
        ("400", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
        ("400", "GET / HTTP/1.1\nHost: a\n\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        ("400", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("400", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("400", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        ("400", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("400", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("400", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("400", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("400", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("400", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        ("400", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        ("400", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        ("400", "GET /\r\n\r\n"),
        ("400", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("400", "\x16\x03\x01\x02\0\x01\0\x01\x7c\x03\x03"),
        ("405", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("405", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("417", "POST / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nContent-Length: 1\r\n\r\nx"),
    ];
    for (status, bytes) in cases {
        let answer = house.exchange(format!("{bytes}{NEXT}").as_bytes());
        assert_eq!(statuses(&answer), [*status], "{bytes:?}\n{answer}");
        assert!(answer.contains("connection: close"), "{bytes:?}\n{answer}");
    }
    house.close();
}

#[test]
fn a_refusal_comes_after_the_answers_before_it() {
    let house = open(settings());
    let answers = house.exchange(format!("{NEXT}{NEXT}GET / HTTP/1.1\r\n\r\n{NEXT}").as_bytes());
    assert_eq!(statuses(&answers), ["200", "200", "400"], "{answers}");
    house.close();
}

#[test]
fn a_chunked_body_arrives_whole_and_a_broken_one_is_refused() {
    let house = open(settings());
    let answer = house.exchange_and_end(chunked(5000).as_bytes());
    assert_eq!(statuses(&answer), ["200"]);
    assert!(answer.ends_with(&"c".repeat(5000)));

    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunks in [
        "x\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "11111111111111111\r\na\r\n0\r\n\r\n",
    ] {
        let answer = house.exchange(format!("{head}{chunks}{NEXT}").as_bytes());
        assert_eq!(statuses(&answer), ["400"], "{chunks:?}\n{answer}");
    }
    house.close();
}

#[test]
fn what_follows_a_chunked_body_is_never_answered() {
    let house = open(settings());
    let answers = house.exchange(format!("{}{NEXT}", chunked(10)).as_bytes());
    assert_eq!(statuses(&answers), ["200"], "{answers}");
    assert!(answers.contains("connection: close"), "{answers}");
    house.close();
}

#[test]
fn head_has_the_length_of_get_and_no_body() {
    let house = open(settings());
    let answers = house.exchange_and_end(
        format!("HEAD /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello{NEXT}").as_bytes(),
    );
    assert_eq!(statuses(&answers), ["200", "200"], "{answers}");
    assert!(answers.contains("content-length: 5"), "{answers}");
    assert!(!answers.contains("hello"), "{answers}");
    house.close();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A sound request with a few bytes changed gets answers that are whole, and the next client is served.
    #[test]
    fn damaged_requests_break_nothing(changes in prop::collection::vec((0..120usize, any::<u8>()), 1..5)) {
        let house = open(settings());
        let mut bytes = b"POST /echo HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 5\r\n\r\nhelloGET /next HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let answers = house.exchange_and_end(&bytes);
        prop_assert!(answers.is_empty() || answers.starts_with("HTTP/1."), "{answers}");
        prop_assert!(!statuses(&answers).iter().any(|status| status.starts_with('5')), "{answers}");
        let next = house.exchange_and_end(NEXT.as_bytes());
        prop_assert_eq!(statuses(&next), ["200"]);
        house.close();
    }
}

/// What the doorkeeper lets in, the HTTP crate takes: its own bare errors are never seen.
#[test]
fn every_byte_anywhere_is_answered_by_the_service() {
    let house = open(settings());
    for byte in 0..=255 {
        for (before, after) in [
            ("G", "T / HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("", " / HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET /", " HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET ", " HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET /?", " HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET http://", "/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX", "Y: z\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX:", "z\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a", "z\r\n\r\n"),
        ] {
            let request = [before.as_bytes(), &[byte], after.as_bytes()].concat();
            let answer = house.exchange_and_end(&request);
            let whole = statuses(&answer).len() == 1 && answer.contains("content-type: text/plain");
            // A line break can make two requests' worth of lines, or half a one.
            let cut = matches!(byte, b'\r' | b'\n') && answer.is_empty();
            assert!(whole || cut, "{before:?} {byte:#x} {after:?}\n{answer}");
        }
    }
    house.close();
}
