//! What the daemon tells Prometheus, read from its socket as Prometheus reads it.

use crate::daemon::{Answer, Daemon, JSON};
use crate::database::worlds;
use crate::world::{PASSWORD, World};
use authd::api::router::Router;
use authd::metrics::Metrics;
use authd::transport::message::{Head, Headers};
use authd::transport::{Running, Service, Trouble};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A daemon that is watched.
struct Watched {
    daemon: Daemon,
    metrics: Running,
}

impl Watched {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let mut all = vec![("metrics.listen", "127.0.0.1:0")];
        all.extend(settings);
        let daemon = Daemon::with(&all);
        let metrics = Metrics::start(&daemon.world.app, daemon.running.pressure()).unwrap().unwrap();
        Self { daemon, metrics }
    }

    fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.metrics.address().tcp().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::parse(&answer)
    }

    /// Every series with its value.
    fn scrape(&self) -> BTreeMap<String, String> {
        let answer = self.ask("GET /metrics");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let lines = answer.body.lines().filter(|line| !line.starts_with('#'));
        let series = lines.map(|line| line.rsplit_once(' ').unwrap_or_else(|| panic!("no series: {line}")));
        series.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn wrong_login(&self, email: &str) -> u16 {
        self.daemon
            .post("/api/auth/login", &format!(r#"{{"email":"{email}","password":"not the password"}}"#))
            .status
    }
}

/// The value of a series, which is whole; 0 where there is none.
fn value(scraped: &BTreeMap<String, String>, series: &str) -> u64 {
    let value = scraped.get(series).map_or("0", String::as_str);
    value.strip_suffix(".0").unwrap_or(value).parse().unwrap_or_else(|_| panic!("{series}: {value}"))
}

fn answers(method: &str, route: &str, status: u16) -> String {
    format!(r#"authd_http_requests_total{{method="{method}",route="{route}",status="{status}"}}"#)
}

#[test]
fn requests_are_counted_by_route_and_status() {
    let watched = Watched::new();
    let daemon = &watched.daemon;
    daemon.world.add_user("ann@example.com", &[]);
    let token = daemon.login("ann@example.com")["access_token"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        daemon.get("/healthz");
    }
    daemon.send("HEAD", "/healthz", &[], b"");
    daemon.send("PUT", "/healthz", &[], b"");
    daemon.send_as(&token, "GET", "/api/auth/me", "");
    daemon.get("/api/auth/me");
    daemon.send_as(&token, "DELETE", "/api/auth/sessions/nobodys", "");
    daemon.exchange(b"GET /healthz HTTP/9\r\n\r\n");
    let scraped = watched.scrape();
    for (series, count) in [
        (answers("POST", "/api/auth/login", 200), 1),
        (answers("GET", "/healthz", 200), 3),
        (answers("HEAD", "/healthz", 200), 1),
        (answers("PUT", "/healthz", 405), 1),
        (answers("GET", "/api/auth/me", 200), 1),
        (answers("GET", "/api/auth/me", 401), 1),
        (answers("DELETE", "/api/auth/sessions/{id}", 404), 1),
        (answers("other", "unknown", 400), 1),
        (r#"authd_http_request_duration_seconds_count{method="GET",route="/api/auth/me"}"#.into(), 2),
        (r#"authd_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/healthz"}"#.into(), 3),
        (r#"authd_lane_wait_seconds_count{lane="hash"}"#.into(), 1),
    ] {
        assert_eq!(value(&scraped, &series), count, "{series}\n{scraped:#?}");
    }
    // What has not failed yet is there, so that its first failure is a rise.
    assert!(scraped.contains_key(&answers("GET", "/healthz", 500)), "{scraped:#?}");
}

#[test]
fn what_no_handler_answered_is_counted_where_it_was_going() {
    let watched = Watched::new();
    let router = Router::new(Arc::clone(&watched.daemon.world.app));
    let head = Head {
        method: "POST".into(),
        path: "/api/auth/login".into(),
        query: None,
        headers: Headers::default(),
        peer: None,
    };
    router.refuse(Trouble::Overloaded, Some(&head));
    router.refuse(Trouble::Panicked, Some(&head));
    router.refuse(Trouble::Crowded, None);
    let scraped = watched.scrape();
    for series in [
        answers("POST", "/api/auth/login", 503),
        answers("POST", "/api/auth/login", 500),
        answers("other", "unknown", 503),
    ] {
        assert_eq!(value(&scraped, &series), 1, "{series}");
    }
}

#[test]
fn nobody_makes_a_series_by_asking() {
    let watched = Watched::new();
    watched.daemon.get("/a");
    watched.daemon.send("BREW", "/a", &[], b"");
    let before = watched.scrape();
    for number in 0..300 {
        watched.daemon.get(&format!("/path/{number}?query={number}"));
        watched.daemon.send(&format!("BREW{number}"), &format!("/{number}"), &[], b"");
    }
    let after = watched.scrape();
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert_eq!(value(&after, &answers("GET", "unknown", 404)), 301);
    assert_eq!(value(&after, &answers("other", "unknown", 404)), 301);
}

#[test]
fn logins_and_lockouts_are_counted_by_what_they_came_to() {
    let watched = Watched::new();
    watched.daemon.world.add_user("ann@example.com", &[]);
    watched.daemon.login("ann@example.com");
    assert_eq!(watched.wrong_login("nobody@example.com"), 401);
    for _ in 0..5 {
        assert_eq!(watched.wrong_login("ann@example.com"), 401);
    }
    assert_eq!(watched.wrong_login("ann@example.com"), 429);
    let scraped = watched.scrape();
    for (series, count) in [
        (r#"authd_logins_total{outcome="succeeded"}"#, 1),
        (r#"authd_logins_total{outcome="unknown_email"}"#, 1),
        (r#"authd_logins_total{outcome="wrong_password"}"#, 5),
        (r#"authd_logins_total{outcome="too_many_attempts"}"#, 1),
        (r#"authd_logins_total{outcome="wrong_code"}"#, 0),
        (r#"authd_lockouts_total{scope="network"}"#, 1),
        (r#"authd_lockouts_total{scope="account"}"#, 0),
        (r#"authd_events_total{event="LoginFailed"}"#, 7),
        (r#"authd_events_total{event="AccountLocked"}"#, 1),
        // Ann's first password, and seven logins: whoever is locked out costs no hash.
        ("authd_hash_duration_seconds_count", 8),
        ("authd_hash_waiting", 0),
        ("authd_hash_refused_total", 0),
        ("authd_commit_failures_total", 0),
    ] {
        assert!(scraped.contains_key(series), "{series}");
        assert_eq!(value(&scraped, series), count, "{series}");
    }
    let commits = value(&scraped, "authd_commits_total");
    assert_eq!(commits, value(&scraped, "authd_commit_jobs_count"));
    assert_eq!(commits, value(&scraped, "authd_commit_duration_seconds_count"));
    assert!(commits >= 8, "{commits}");
}

#[test]
fn what_was_only_rehearsed_is_not_counted() {
    let watched = Watched::new();
    watched.daemon.world.add_user("ann@example.com", &[]);
    let ann = format!(r#"{{"email":"ann@example.com","password":"{PASSWORD}"}}"#);
    assert_eq!(watched.daemon.post("/api/auth/register", &ann).status, 202);
    let counted: BTreeMap<String, u64> =
        // The first two made the database: they are in a file before it gets its name.
        watched.daemon.world.events().into_iter().skip(2).fold(BTreeMap::new(), |mut sums, event| {
            *sums.entry(format!(r#"authd_events_total{{event="{event}"}}"#)).or_default() += 1;
            sums
        });
    let scraped = watched.scrape();
    let told: BTreeMap<String, u64> = scraped
        .keys()
        .filter(|series| series.starts_with("authd_events_total{"))
        .filter(|series| !["DatabaseCreated", "SigningKeyCreated"].iter().any(|made| series.contains(made)))
        .map(|series| (series.clone(), value(&scraped, series)))
        .collect();
    assert_eq!(told, counted);
}

#[test]
fn the_database_is_counted_now_and_then() {
    let watched = Watched::with(&[("mail.transport", "smtp")]);
    let world = &watched.daemon.world;
    world.add_user("ann@example.com", &[]);
    world.add_user("eve@example.com", &[]);
    let tokens = world.login("ann@example.com").unwrap();
    let counts = |scraped: &BTreeMap<String, String>| {
        [
            "authd_users",
            r#"authd_users_with_second_factor{kind="passkey"}"#,
            "authd_sessions_alive",
            r#"authd_mails{state="queued"}"#,
        ]
        .map(|series| value(scraped, series))
    };
    assert_eq!(counts(&watched.scrape()), [2, 0, 1, 0]);
    crate::passkey_rows::add(world, "eve@example.com", "Phone", 1);

    world.register("bob@example.com").unwrap();
    world.advance(Duration::from_secs(9));
    let early = watched.scrape();
    assert_eq!((counts(&early), value(&early, "authd_database_counts_age_seconds")), ([2, 0, 1, 0], 9));
    world.advance(Duration::from_secs(1));
    let due = watched.scrape();
    assert_eq!((counts(&due), value(&due, "authd_database_counts_age_seconds")), ([2, 1, 1, 1], 0));
    assert_eq!(value(&due, "authd_mail_waiting_seconds"), 10);

    let ended = authd::usecase::session::logout::logout(&world.app, &world.caller(&tokens));
    ended.unwrap();
    world.advance(Duration::from_secs(10));
    assert_eq!(counts(&watched.scrape()), [2, 1, 0, 1]);
    world.login("ann@example.com").unwrap();
    world.advance(Duration::from_secs(8 * 24 * 60 * 60));
    assert_eq!(counts(&watched.scrape()), [2, 1, 0, 1], "a session that nobody used for a week is dead");
}

#[test]
fn a_database_that_can_not_be_counted_is_told_and_hides_nothing_else() {
    let watched = Watched::new();
    watched.daemon.get("/healthz");
    assert_eq!(value(&watched.scrape(), "authd_database_up"), 1);
    watched.daemon.world.database().sql("ALTER TABLE mails RENAME TO gone");
    watched.daemon.world.advance(Duration::from_secs(10));
    let scraped = watched.scrape();
    assert_eq!(scraped["authd_database_up"], "0");
    assert_eq!(value(&scraped, "authd_database_counts_age_seconds"), 10);
    assert_eq!(value(&scraped, &answers("GET", "/healthz", 200)), 1);
}

#[test]
fn the_process_tells_of_itself() {
    let watched = Watched::new();
    watched.daemon.world.add_user("ann@example.com", &[]);
    let scraped = watched.scrape();
    let version = concat!("authd_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    assert_eq!(value(&scraped, version), 1);
    assert_eq!(value(&scraped, "authd_process_start_time_seconds"), 1_795_334_400);
    assert!(value(&scraped, "authd_process_resident_memory_bytes") > 1 << 20);
    assert!(value(&scraped, "authd_process_open_fds") > 3);
    assert!(scraped.keys().all(|series| series.starts_with("authd_")), "{scraped:#?}");
}

#[test]
fn on_a_file_its_size_and_that_of_its_log_are_told_too() {
    let watched = Watched::new();
    watched.daemon.world.add_user("ann@example.com", &[]);
    let scraped = watched.scrape();
    for name in SIZES {
        assert!(value(&scraped, name) > 0, "{name}");
    }
}

/// What only a file has.
const SIZES: [&str; 2] = ["authd_database_size_bytes", "authd_database_wal_size_bytes"];

#[test]
fn figures_are_on_their_own_address_and_nothing_else_is() {
    let watched = Watched::new();
    assert_eq!(watched.daemon.get("/metrics").status, 404);
    assert_eq!(watched.ask("HEAD /metrics").status, 200);
    for other in
        ["POST /metrics", "GET /", "GET /metrics/", "GET //metrics", "GET /healthz", "TRACE /metrics"]
    {
        let answer = watched.ask(other);
        assert_eq!(answer.status, 404, "{other}");
        assert!(!answer.body.contains("authd_"), "{other}");
    }
    for request in ["GET /metrics", "HEAD /metrics", "GET /", "TRACE /metrics"] {
        let answer = watched.ask(request);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), value, "{request}");
        }
    }
    let login = format!(r#"{{"email":"ann@example.com","password":"{PASSWORD}"}}"#);
    watched.daemon.send("POST", "/api/auth/login", &[JSON], login.as_bytes());
    assert_eq!(watched.ask("GET /api/auth/me").status, 404);
}

#[test]
fn nothing_is_served_unless_it_was_asked_for() {
    let daemon = Daemon::new();
    assert!(Metrics::start(&daemon.world.app, daemon.running.pressure()).unwrap().is_none());
}

#[test]
fn an_address_that_is_taken_is_named() {
    let watched = Watched::new();
    let taken = watched.metrics.address().tcp().unwrap().to_string();
    let second = World::with(&[("metrics.listen", &taken)]);
    let fault = Metrics::start(&second.app, watched.daemon.running.pressure()).unwrap_err();
    assert!(fault.to_string().contains("metrics.listen") && fault.to_string().contains(&taken), "{fault}");
}

/// What a daemon counts whose database is on a server.
const RETRIES: &str = "authd_store_retries_total";

#[test]
fn the_documents_name_only_what_is_there() {
    let watched = Watched::with(&[("mail.transport", "smtp")]);
    watched.daemon.world.add_user("ann@example.com", &[]);
    watched.daemon.login("ann@example.com");
    let series = watched.scrape();
    let exported: BTreeSet<&str> = series.keys().map(|series| series.split('{').next().unwrap()).collect();
    let mut named = BTreeSet::new();
    for document in ["grafana-dashboard.json", "prometheus-alerts.yml", "monitoring.md"] {
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(document)).unwrap();
        let here: BTreeSet<String> = names(&text).into_iter().collect();
        assert!(here.len() > 5, "{document} names {here:?}");
        named.extend(here);
    }
    // A histogram is named by its family in prose, and by its series in expressions.
    let families = exported.iter().filter_map(|name| name.strip_suffix("_bucket"));
    let known: BTreeSet<&str> = exported.iter().copied().chain(families).collect();
    let elsewhere: &[_] = if worlds::are_on_a_server() { &SIZES } else { &[RETRIES] };
    let is_known = |name: &str| known.contains(name) || elsewhere.contains(&name);
    let unknown: Vec<_> = named.iter().filter(|name| !is_known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not among {known:#?}");
    let prose = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring.md")).unwrap();
    let told: BTreeSet<String> = names(&prose).into_iter().collect();
    let is_told = |name: &&&str| {
        let family =
            ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        told.contains(**name) || told.contains(family)
    };
    let untold: Vec<_> = exported.iter().filter(|name| !is_told(name)).collect();
    assert!(untold.is_empty(), "docs/monitoring.md says nothing of {untold:?}");
}

/// The names of metrics in a text.
fn names(text: &str) -> Vec<String> {
    let starts = text.match_indices("authd_").map(|(at, _)| at);
    let name =
        |at: usize| text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    starts.map(name).collect()
}
