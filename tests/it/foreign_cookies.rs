//! What other hosts of the site can put beside our cookies: a page of a sibling host may set any cookie for
//! the whole site whose name doesn't begin with `__Host-`, and the browser sends it along.

use crate::cookies::{ANN, Jar, code, daemon, daemon_with, log_in};
use crate::daemon::{Answer, Daemon, JSON};
use serde_json::json;

const MALLORY: &str = "mallory@example.com";

fn me(daemon: &Daemon, cookies: &[u8]) -> Answer {
    let [before, after] =
        ["GET /api/auth/me HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncookie: ", "\r\n\r\n"];
    daemon.exchange(&[before.as_bytes(), cookies, after.as_bytes()].concat())
}

/// Every character that Unicode calls white space, but for the two that browsers drop around a name before
/// they look at it.
fn odd_spaces() -> Vec<char> {
    let spaces: Vec<_> = ('\0'..=char::MAX).filter(|c| c.is_whitespace() && !" \t".contains(*c)).collect();
    assert!(['\u{b}', '\u{a0}', '\u{2000}', '\u{3000}'].iter().all(|space| spaces.contains(space)));
    spaces
}

/// What comes of a header that holds one of them: control characters of ASCII are in no header at all.
fn refusal(space: char, code: (u16, &str)) -> (u16, String) {
    let (status, code) = if space.is_ascii() { (400, "bad_request") } else { code };
    (status, code.to_owned())
}

#[test]
fn a_name_with_odd_white_space_is_not_ours() {
    let daemon = daemon();
    daemon.world.add_user(MALLORY, &[]);
    let planted = daemon.login(MALLORY)["access_token"].as_str().unwrap().to_owned();
    let jar = log_in(&daemon);
    for space in odd_spaces() {
        for planted in [
            format!("{space}__Host-authd_access={planted}"),
            format!("__Host-authd_access{space}={planted}"),
            format!(" {space} __Host-authd_access = {planted}"),
        ] {
            let alone = me(&daemon, planted.as_bytes());
            assert_eq!(code(&alone), refusal(space, (401, "unauthenticated")), "{planted:?}");
            for beside in [format!("{planted}; {}", jar.cookies), format!("{}; {planted}", jar.cookies)] {
                let answer = me(&daemon, beside.as_bytes());
                if space.is_ascii() {
                    assert_eq!(code(&answer), (400, "bad_request".into()), "{planted:?}");
                } else {
                    assert_eq!((answer.status, &answer.json()["email"]), (200, &json!(ANN)), "{planted:?}");
                }
            }
        }
        let padded = format!("__Host-authd_access={space}{planted}{space}");
        let answer = me(&daemon, padded.as_bytes());
        assert_eq!(code(&answer), refusal(space, (401, "invalid_token")), "{space:?}");
    }
}

#[test]
fn spaces_and_tabs_around_a_name_count_for_nothing() {
    let daemon = daemon();
    let Jar { cookies, .. } = log_in(&daemon);
    let padded = format!("\t {}\t ", cookies.replace('=', " \t= ").replace("; ", "\t;\t"));
    assert_eq!(me(&daemon, padded.as_bytes()).status, 200, "{padded:?}");
    // And so two are two, however they are written.
    let twice = format!("{cookies};\t__Host-authd_access\t=x");
    assert_eq!(code(&me(&daemon, twice.as_bytes())), (400, "bad_request".into()));
}

#[test]
fn a_foreign_cookie_that_is_not_utf_8_does_no_harm() {
    let daemon = daemon();
    let Jar { cookies, .. } = log_in(&daemon);
    for foreign in [&b"theme=\xff\xfe"[..], b"\xa0=1", b"\xe2\x80=x", b"\x80__Host-authd_access=x"] {
        for beside in
            [[foreign, b"; ", cookies.as_bytes()].concat(), [cookies.as_bytes(), b"; ", foreign].concat()]
        {
            assert_eq!(me(&daemon, &beside).status, 200, "{foreign:?}");
        }
        assert_eq!(code(&me(&daemon, foreign)), (401, "unauthenticated".into()), "{foreign:?}");
    }
    assert_eq!(code(&me(&daemon, b"__Host-authd_access=\xff")), (400, "bad_request".into()));
}

#[test]
fn no_other_header_is_read_with_odd_white_space_either() {
    let daemon = daemon_with(&[("proxy.trusted", "127.0.0.1")]);
    let token = daemon.login(ANN)["access_token"].as_str().unwrap().to_owned();
    let ask = |bearer: &str, content_type: &str| {
        let headers = [("authorization", bearer), ("content-type", content_type)];
        daemon.send("PATCH", "/api/auth/me", &headers, b"{}")
    };
    assert_eq!(ask(&format!("Bearer \t{token} "), " application/json\t; charset=utf-8 ").status, 200);
    for space in odd_spaces() {
        for bearer in [format!("Bearer {space}{token}"), format!("Bearer {token}{space}")] {
            assert_eq!(code(&ask(&bearer, "application/json")), refusal(space, (401, "invalid_token")));
        }
        let answer = ask(&format!("Bearer {token}"), &format!("application/json{space}"));
        assert_eq!(code(&answer), refusal(space, (415, "unsupported_media_type")));
        // A hop that is no address is a stranger's invention: the proxy itself counts.
        let forwarded = format!("198.51.100.7{space}");
        let headers = [("x-forwarded-for", forwarded.as_str()), JSON];
        let login = json!({"email": ANN, "password": "not the password"}).to_string();
        daemon.send("POST", "/api/auth/login", &headers, login.as_bytes());
    }
    let audit = daemon.world.audit();
    let from = audit.iter().filter(|line| line.event == "LoginFailed").map(|line| line.ip.clone().unwrap());
    assert_eq!(from.collect::<std::collections::BTreeSet<_>>(), ["127.0.0.1".to_owned()].into());
}
