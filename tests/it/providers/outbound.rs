//! The client of other people's servers, against some that hang, drip, flood, redirect, or aren't where they
//! seem.

use super::Stage;
use authd::config::ProviderKind;
use authd::domain::secret::Secret;
use authd::ports::http_client::{Authorization, HttpClient, HttpResponse, NoAnswer, OutboundRequest, Reach};
use authd::ports::web_client::{LONGEST, WebClient};
use authd::ports::{Clock, SystemClock};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server that treats each connection as it is told.
struct Raw {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// What each connection sent up to the empty line, and whatever came with it.
    heads: Arc<Mutex<Vec<String>>>,
    /// Let go, it ends whoever waits for it.
    over: Option<Sender<()>>,
}

/// What a client sends up to the empty line. `None`: it went away.
fn head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => head.extend_from_slice(&piece[..read]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

impl Raw {
    fn start(treat: impl Fn(&mut TcpStream, &Receiver<()>) + Send + 'static) -> Self {
        let (over, waits) = channel();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut raw = Self::listen(listener, move |mut stream, count, heads| {
            count.fetch_add(1, Ordering::SeqCst);
            heads.lock().unwrap().extend(head(&mut stream));
            treat(&mut stream, &waits);
        });
        raw.over = Some(over);
        raw
    }

    fn listen(
        listener: TcpListener,
        treat: impl Fn(TcpStream, &AtomicUsize, &Mutex<Vec<String>>) + Send + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (count, kept) = (Arc::clone(&connections), Arc::clone(&heads));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                treat(stream, &count, &kept);
            }
        });
        Self { address, connections, heads, over: None }
    }

    fn says(text: impl Into<Vec<u8>>) -> Self {
        let text = text.into();
        Self::start(move |stream, _| drop(stream.write_all(&text)))
    }

    fn url(&self) -> String {
        format!("http://{}/x", self.address)
    }
}

fn request(url: &str, reach: Reach, patience: Duration) -> OutboundRequest {
    OutboundRequest { url: url.into(), form: None, authorization: None, reach, patience }
}

fn get(url: &str, reach: Reach) -> Result<HttpResponse, NoAnswer> {
    WebClient::new().send(&request(url, reach, Duration::from_secs(10)))
}

#[test]
fn who_asks_says_so_and_asks_for_json() {
    let server = Raw::says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: today\r\n\r\n{}");
    let answer = get(&server.url(), Reach::Anywhere).unwrap();
    assert_eq!((answer.status, answer.body.as_str(), answer.header("date")), (200, "{}", "today"));
    let head = server.heads.lock().unwrap()[0].to_lowercase();
    assert!(head.starts_with("get /x http/1.1\r\n"), "{head}");
    assert!(
        head.contains("\r\nuser-agent: authd\r\n") && head.contains("\r\naccept: application/json\r\n"),
        "{head}"
    );

    let secret = |text: &str| Secret::new(text.to_owned());
    let mut form = request(&server.url(), Reach::Anywhere, Duration::from_secs(10));
    form.form = Some(secret("a=b"));
    form.authorization =
        Some(Authorization::Basic { user: "aladdin".into(), password: secret("opensesame") });
    WebClient::new().send(&form).unwrap();
    form.form = None;
    form.authorization = Some(Authorization::Bearer(secret("abc")));
    WebClient::new().send(&form).unwrap();
    let heads = server.heads.lock().unwrap();
    let posted = &heads[1];
    assert!(posted.starts_with("POST /x HTTP/1.1\r\n"), "{posted}");
    assert!(
        posted.to_lowercase().contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"),
        "{posted}"
    );
    assert!(posted.contains(": Basic YWxhZGRpbjpvcGVuc2VzYW1l\r\n"), "{posted}");
    assert!(heads[2].contains(": Bearer abc\r\n"), "{}", heads[2]);
}

#[test]
fn nothing_leads_to_a_private_address() {
    let server = Raw::says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "[::]",
    ] {
        let answer = get(&format!("https://{host}:{port}/x"), Reach::Public);
        assert!(matches!(answer, Err(NoAnswer::Forbidden(_))), "{host}: {answer:?}");
    }
    for url in [format!("http://127.0.0.1:{port}/x"), format!("http://localhost:{port}/x")] {
        assert!(matches!(get(&url, Reach::Public), Err(NoAnswer::Forbidden(_))), "{url}");
    }
    // Other spellings of the same are no host names at all.
    for host in ["127.1", "0x7f.1", "2130706433", "0177.0.0.1"] {
        assert!(get(&format!("https://{host}:{port}/x"), Reach::Public).is_err(), "{host}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
    assert!(get(&server.url(), Reach::Anywhere).is_ok());
}

#[test]
fn nothing_goes_unencrypted_to_another_machine() {
    for url in ["http://192.0.2.1/x", "http://id.example/x", "http://[2001:db8::1]/x"] {
        for reach in [Reach::Public, Reach::Anywhere] {
            assert!(matches!(get(url, reach), Err(NoAnswer::Forbidden(_))), "{url}");
        }
    }
    for url in ["ftp://127.0.0.1/x", "file:///etc/passwd", "//127.0.0.1/x", "https://ann:pw@127.0.0.1/", ""] {
        assert!(matches!(get(url, Reach::Anywhere), Err(NoAnswer::Failed(_))), "{url}");
    }
}

/// A server with a certificate for this machine that it has made itself.
fn untrusted() -> Raw {
    let pem = include_bytes!("../fixtures/untrusted.pem");
    let chain = vec![CertificateDer::from_pem_slice(pem).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Raw::listen(listener, move |stream, count, heads| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        count.fetch_add(1, Ordering::SeqCst);
        if let Some(head) = head(&mut stream) {
            heads.lock().unwrap().push(head);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        }
    })
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let server = untrusted();
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}/x", server.address.port());
        let answer = get(&url, Reach::Anywhere);
        assert!(matches!(answer, Err(NoAnswer::Failed(_))), "{answer:?}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
    assert_eq!(*server.heads.lock().unwrap(), Vec::<String>::new(), "it was told nothing");
}

#[test]
fn no_redirect_is_followed() {
    let target = Raw::says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    for status in [301, 302, 303, 307, 308] {
        let head = format!("HTTP/1.1 {status} x\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", target.url());
        let server = Raw::says(head);
        assert_eq!(get(&server.url(), Reach::Anywhere).unwrap().status, status);
        let mut post = request(&server.url(), Reach::Anywhere, Duration::from_secs(10));
        post.form = Some(Secret::new("code=secret".into()));
        assert_eq!(WebClient::new().send(&post).unwrap().status, status);
    }
    assert_eq!(target.connections.load(Ordering::SeqCst), 0);
}

#[test]
fn an_answer_is_of_256_kib_at_most() {
    let sized = |bytes: u64| {
        let mut text = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n").into_bytes();
        text.resize(text.len() + usize::try_from(bytes).unwrap(), b'x');
        Raw::says(text)
    };
    assert_eq!(get(&sized(LONGEST).url(), Reach::Anywhere).unwrap().body.len(), 262_144);
    assert_eq!(get(&sized(LONGEST + 1).url(), Reach::Anywhere), Err(NoAnswer::TooLong));
    assert_eq!(get(&sized(10 << 20).url(), Reach::Anywhere), Err(NoAnswer::TooLong));
    // And one that never says how long it is.
    let endless = Raw::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream.write_all(b"1000\r\n").is_ok() {
            if stream.write_all(&[b'x'; 0x1000]).and_then(|()| stream.write_all(b"\r\n")).is_err() {
                return;
            }
        }
    });
    assert_eq!(get(&endless.url(), Reach::Anywhere), Err(NoAnswer::TooLong));
    let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
    for number in 0..4000 {
        head.extend_from_slice(format!("x-{number}: {}\r\n", "x".repeat(60)).as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    assert!(get(&Raw::says(head).url(), Reach::Anywhere).is_err(), "nor is its head without bounds");
}

/// How long asking took, and what came of it.
fn timed(server: &Raw, patience: Duration) -> (Duration, Result<HttpResponse, NoAnswer>) {
    let clock = SystemClock::new();
    let answer = WebClient::new().send(&request(&server.url(), Reach::Anywhere, patience));
    (clock.elapsed(), answer)
}

#[test]
fn whoever_hangs_or_drips_is_left_in_time() {
    let patience = Duration::from_millis(400);
    let hangs = Raw::start(|_, over| {
        let _ = over.recv();
    });
    let drips = |head: &'static str| {
        Raw::start(move |stream, over| {
            let _ = stream.write_all(head.as_bytes());
            // A byte now and then, so that no single read takes long.
            while over.recv_timeout(Duration::from_millis(20)).is_err() {
                if stream.write_all(b"x").is_err() {
                    return;
                }
            }
        })
    };
    for (name, server) in [
        ("hangs", hangs),
        ("drips its head", drips("HTTP/1.1 200 OK\r\nx-long: ")),
        ("drips its body", drips("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")),
    ] {
        let (took, answer) = timed(&server, patience);
        assert_eq!(answer, Err(NoAnswer::TooLate), "{name}");
        assert!(took >= patience && took < Duration::from_secs(5), "{name}: {took:?}");
    }
}

#[test]
fn a_provider_at_a_private_address_is_not_asked() {
    let mut stage = Stage::new(ProviderKind::Oidc);
    stage.provider.allow_private = false;
    let fault = stage.url().unwrap_err();
    assert_eq!((fault.reason(), fault.to_string().contains("allow_private")), ("no_answer", true), "{fault}");
    assert_eq!(stage.stand_in.asked(), Vec::<String>::new());
}

#[test]
fn metadata_lead_nobody_to_a_private_address() {
    let inside = Raw::says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let client = WebClient::new();
    for end in ["/jwks", "/latest/meta-data"] {
        let url = format!("https://127.0.0.1:{}{end}", inside.address.port());
        let answer = client.send(&request(&url, Reach::Public, Duration::from_secs(10)));
        assert!(matches!(answer, Err(NoAnswer::Forbidden(_))), "{answer:?}");
    }
    assert_eq!(inside.connections.load(Ordering::SeqCst), 0);
}
