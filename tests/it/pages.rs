//! The pages that links in mails lead to, over a real socket: opening one spends nothing, its button
//! does, once; nothing that a stranger wrote is markup.

mod account;
mod account_password;
mod account_sessions;
mod account_two_factor;
mod admin;
mod admin_things;
mod admin_users;
mod gate;
mod gate_accounts;
mod magic_link;
mod passkeys;
mod passkeys_elsewhere;
mod recover;
mod sign_in;
mod visitor;

use crate::world::{PASSWORD, World, anonymous};
use authd::api::router::Router;
use authd::domain::caller::Caller;
use authd::domain::email::Email;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::pages::Pages;
use authd::transport::{Running, Server, Settings};
use authd::usecase::account::register::{Registration, register};
use authd::usecase::account::{email, password};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const NEW: &str = "ann@new.example";
const OTHER: &str = "another long enough password";
const VERIFY: &str = "/auth/verify-email";
const RESET: &str = "/auth/reset-password";
const CHANGE: &str = "/auth/change-email";
/// The one that pages load.
const SCRIPT: &str = "<script type=\"module\" src=\"/auth/page.js\"></script>";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

struct Site {
    world: World,
    running: Running,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| *known == name).map(|(_, value)| value).next().unwrap_or("")
    }

    /// The heading of the page, after looking whether it is a whole one.
    fn heading(&self) -> &str {
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8", "{self:?}");
        assert!(
            self.body.starts_with("<!doctype html>\n<html lang=\"en\">")
                && !self.body.replace(SCRIPT, "").contains("<script"),
            "{self:?}"
        );
        self.body.split_once("<h1>").unwrap().1.split_once("</h1>").unwrap().0
    }

    fn has_form(&self) -> bool {
        self.body.contains("<form method=\"post\"")
    }
}

impl Site {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let world = World::with(settings);
        let router = Arc::new(Router::new(Arc::clone(&world.app)));
        let pages = Arc::new(Pages::before(Arc::clone(&world.app), router).unwrap());
        let config = &world.app.config;
        let running = Server::start(&config.listen, Settings::from(config), pages).unwrap();
        Self { world, running }
    }

    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = format!("{method} {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if method == "POST" {
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let mut stream = TcpStream::connect(self.running.address().tcp().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&[request.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn open(&self, path: &str, token: &str) -> Answer {
        self.send("GET", &format!("{path}?token={token}"), &[], b"")
    }

    fn press(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[FORM, ("sec-fetch-site", "same-origin")], body.as_bytes())
    }

    /// Ann, registered and not yet verified; the link in her mail.
    fn verification(&self) -> String {
        self.world.register(ANN).unwrap();
        self.world.token_in_mail(ANN)
    }

    /// Ann with an account; the link that sets a new password.
    fn reset(&self) -> String {
        self.world.add_user(ANN, &[]);
        password::request_reset(&self.world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
        self.world.token_in_mail(ANN)
    }

    /// Ann with an account; the link that gives her another address.
    fn change(&self) -> String {
        self.world.add_user(ANN, &[]);
        let caller = self.world.caller(&self.world.login(ANN).unwrap());
        email::request_change(&self.world.app, &caller, &Email::parse(NEW).unwrap()).unwrap();
        self.world.token_in_mail(NEW)
    }
}

fn passwords(token: &str, first: &str, second: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token)
        .append_pair("new_password", first)
        .append_pair("new_password_again", second);
    form.finish()
}

#[test]
fn opening_a_page_spends_nothing() {
    let site = Site::new();
    for (path, token, about) in [(VERIFY, site.verification(), ANN)] {
        for _ in 0..3 {
            let page = site.open(path, &token);
            assert_eq!((page.status, page.has_form()), (200, true), "{page:?}");
            assert!(page.body.contains(about) && page.body.contains(&token), "{page:?}");
        }
        assert_eq!(site.send("HEAD", &format!("{path}?token={token}"), &[], b"").status, 200);
    }
    assert!(site.world.login(ANN).is_err(), "she is not verified yet");
    assert!(!site.world.events().contains(&"EmailVerified".to_owned()));
}

#[test]
fn the_button_verifies_an_address_once() {
    let site = Site::new();
    let token = site.verification();
    let done = site.press(VERIFY, &format!("token={token}"));
    assert_eq!((done.status, done.heading()), (200, "Address confirmed"));
    assert!(site.world.login(ANN).is_ok());
    for again in [site.press(VERIFY, &format!("token={token}")), site.open(VERIFY, &token)] {
        assert_eq!((again.status, again.has_form()), (400, false), "{again:?}");
        assert!(again.body.contains("Ask for a new one"), "{again:?}");
    }
    assert_eq!(site.world.events().iter().filter(|event| *event == "EmailVerified").count(), 1);
}

/// Registers as a browser of somebody's would.
fn sign_up(site: &Site, password: &str, name: &str, user_agent: &str) -> String {
    site.world.advance(Duration::from_millis(1));
    let new = Registration {
        email: Email::parse(ANN).unwrap(),
        password: Password::new(password).unwrap(),
        name: Name::parse(name).unwrap(),
    };
    let caller = Caller { user_agent: Some(user_agent.into()), ..anonymous() };
    register(&site.world.app, &caller, &new).unwrap();
    site.world.token_in_mail(ANN)
}

#[test]
fn the_page_says_who_registered() {
    let site = Site::new();
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let page = site.open(VERIFY, &sign_up(&site, PASSWORD, "<b>Ann</b> \u{202e}", firefox));
    for part in ["<bdi>&lt;b&gt;Ann", "Firefox on Linux", "192.0.2.7", "22 November 2026, 08:00 UTC"] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    assert!(!page.body.contains("type=\"password\""), "{page:?}");
    let page = site.open(VERIFY, &sign_up(&site, PASSWORD, "", "visit https://evil.example/"));
    assert!(page.body.contains("(no name)") && !page.body.contains("evil"), "{page:?}");
    // An operator makes accounts, too: nobody registered, and there is nothing to say.
    site.world.add_unverified(NEW);
    let page = site.open(VERIFY, &site.world.token_in_mail(NEW));
    assert!(page.has_form() && !page.body.contains("Registered as"), "{page:?}");
}

#[test]
fn where_two_have_registered_the_page_asks_for_the_password() {
    let site = Site::new();
    let alone = sign_up(&site, PASSWORD, "Ann", "");
    assert!(!site.open(VERIFY, &alone).body.contains("type=\"password\""));
    let eves = sign_up(&site, "the words that eve has chosen", "Eve", "");
    let page = site.open(VERIFY, &alone);
    assert_eq!(page.status, 200);
    for part in ["autocomplete=\"current-password\"", "autocomplete=\"username\"", "different passwords"] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    // As a page sends it that was opened before Eve came.
    let early = site.press(VERIFY, &format!("token={alone}"));
    assert_eq!((early.status, early.has_form()), (422, true), "{early:?}");
    assert!(early.body.contains("different passwords") && early.body.contains("role=\"alert\""), "{early:?}");
    let form = |token: &str, password: &str| {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token).append_pair("password", password);
        form.finish()
    };
    for wrong in ["the words that nobody has chosen", "", &"x".repeat(1025)] {
        let page = site.press(VERIFY, &form(&eves, wrong));
        assert_eq!((page.status, page.has_form()), (422, true), "{page:?}");
        assert!(wrong.is_empty() || !page.body.contains(wrong), "a password is never sent back: {page:?}");
    }
    let wrong = site.press(VERIFY, &form(&eves, "the words that nobody has chosen"));
    assert!(wrong.body.contains("was made with this password"), "{wrong:?}");
    assert_eq!(site.press(VERIFY, &(form(&alone, PASSWORD) + "&password=x")).status, 400);
    // The mail that she opens is Eve's, and the password says which is hers.
    let done = site.press(VERIFY, &form(&eves, PASSWORD));
    assert_eq!((done.status, done.heading()), (200, "Address confirmed"), "{done:?}");
    assert!(site.world.login(ANN).is_ok());
}

#[test]
fn a_new_password_is_set_once_and_a_weak_one_spends_nothing() {
    let site = Site::new();
    let token = site.reset();
    let page = site.open(RESET, &token);
    assert_eq!(page.status, 200);
    for part in [
        "autocomplete=\"new-password\"",
        "autocomplete=\"username\" value=\"ann@example.com\"",
        "minlength=\"15\"",
    ] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    for (first, second, reason) in [
        ("fourteen chars", "fourteen chars", "shorter than 15"),
        ("PasswordPassword", "PasswordPassword", "common"),
        ("annexampleannexample", "annexampleannexample", "own address"),
        (OTHER, PASSWORD, "not the same"),
        ("", "", "at least one character"),
        (&"x".repeat(1025), &"x".repeat(1025), "1,024 bytes"),
    ] {
        let page = site.press(RESET, &passwords(&token, first, second));
        assert_eq!((page.status, page.has_form()), (422, true), "{page:?}");
        assert!(page.body.contains(reason) && page.body.contains(&token), "{reason}: {page:?}");
        assert!(
            page.body.contains("role=\"alert\"") && page.body.contains("<title>Please check: "),
            "{page:?}"
        );
        assert!(first.is_empty() || !page.body.contains(first), "a password is never sent back: {page:?}");
    }
    assert!(site.world.login(ANN).is_ok(), "nothing has changed");
    let done = site.press(RESET, &passwords(&token, "naïve & <b>+100%</b>?", "naïve & <b>+100%</b>?"));
    assert_eq!((done.status, done.heading()), (200, "Your password is set"), "{done:?}");
    assert!(site.world.login_with(ANN, "naïve & <b>+100%</b>?").is_ok());
    assert!(site.world.login(ANN).is_err());
    assert_eq!(site.press(RESET, &passwords(&token, OTHER, OTHER)).status, 400);
    assert_eq!(site.open(RESET, &token).status, 400);
}

#[test]
fn the_button_changes_an_address_once() {
    let site = Site::new();
    let token = site.change();
    let page = site.open(CHANGE, &token);
    assert!(page.body.contains(NEW) && !page.body.contains(ANN), "{page:?}");
    assert!(site.world.login(NEW).is_err());
    let done = site.press(CHANGE, &format!("token={token}"));
    assert_eq!((done.status, done.heading()), (200, "Address changed"));
    assert!(site.world.login(NEW).is_ok() && site.world.login(ANN).is_err());
    assert_eq!(site.press(CHANGE, &format!("token={token}")).status, 400);
}

#[test]
fn an_address_that_came_to_be_anothers_is_not_taken() {
    let site = Site::new();
    let token = site.change();
    site.world.add_user(NEW, &[]);
    let page = site.press(CHANGE, &format!("token={token}"));
    assert_eq!((page.status, page.heading()), (409, "Another account has this address"));
}

#[test]
fn an_old_link_says_so_and_what_to_do() {
    let site = Site::new();
    let token = site.reset();
    site.world.advance(Duration::from_secs(3600));
    for page in [site.open(RESET, &token), site.press(RESET, &passwords(&token, OTHER, OTHER))] {
        assert_eq!((page.status, page.has_form()), (400, false));
        assert!(page.heading().contains("work any more") && page.body.contains("Ask for a new"), "{page:?}");
    }
    // One kind of link is never another, and a guess is no link.
    for (path, token) in [(VERIFY, token.as_str()), (RESET, "authd_pr_x"), (RESET, "x")] {
        assert_eq!(site.open(path, token).status, 400);
    }
}

#[test]
fn every_answer_wears_the_headers() {
    let site = Site::new();
    let token = site.verification();
    let long = "x".repeat(70_000);
    let answers = [
        site.open(VERIFY, &token),
        site.press(VERIFY, &format!("token={token}")),
        site.open(VERIFY, &token),
        site.send("GET", "/auth/nowhere", &[], b""),
        site.send("DELETE", VERIFY, &[], b""),
        site.send("OPTIONS", RESET, &[], b""),
        site.send("GET", "/auth/style.css", &[], b""),
        site.press(VERIFY, &long),
    ];
    assert_eq!(
        answers.iter().map(|answer| answer.status).collect::<Vec<_>>(),
        [200, 200, 400, 404, 405, 405, 200, 413]
    );
    for answer in &answers {
        let policy = answer.header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "style-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.split("; ").any(|has| has == directive), "{directive}: {answer:?}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.header("x-request-id").is_empty());
        let is_style = answer.header("content-type").starts_with("text/css");
        assert_eq!(answer.header("cache-control") == "no-store", !is_style, "{answer:?}");
        assert_eq!(answer.header("set-cookie"), "");
        assert!(is_style || !answer.heading().is_empty());
        assert_eq!(answer.header("allow"), if answer.status == 405 { "GET, HEAD, POST" } else { "" });
    }
    let kept = site.send("GET", "/auth/x", &[("x-request-id", "mine-1")], b"");
    assert_eq!(kept.header("x-request-id"), "mine-1");
    let other = site.send("GET", "/auth/x", &[("x-request-id", "<script>")], b"");
    assert!(!other.header("x-request-id").contains('<') && !other.body.contains("<script"));
}

#[test]
fn the_api_answers_what_is_not_a_page() {
    let site = Site::new();
    assert!(site.send("GET", "/healthz", &[], b"").body.contains("\"ok\""));
    assert_eq!(site.send("GET", "/nowhere", &[], b"").header("content-type"), "application/problem+json");
    let too_long =
        site.send("POST", "/api/auth/login", &[("content-type", "application/json")], &b" ".repeat(70_000));
    assert_eq!((too_long.status, too_long.header("content-type")), (413, "application/problem+json"));
    assert_eq!(site.send("POST", "/auth/style.css", &[FORM], b"").header("allow"), "GET, HEAD");
    assert_eq!(site.send("HEAD", VERIFY, &[], b"").body, "");
}

#[test]
fn a_form_means_one_thing_or_nothing() {
    let site = Site::new();
    let token = site.verification();
    let good = format!("token={token}");
    for body in
        ["", "token=", "x=1", &format!("{good}&{good}"), &format!("{good}&next=/x"), &format!("{good}%ff")]
    {
        assert_eq!(site.press(VERIFY, body).status, 400, "{body}");
    }
    for query in
        [String::new(), "?".into(), format!("?{good}&{good}"), format!("?{good}&x=1"), "?token=%ff".into()]
    {
        let page = site.send("GET", &format!("{VERIFY}{query}"), &[], b"");
        assert_eq!((page.status, page.has_form()), (400, false), "{query}");
    }
    for headers in [
        &[][..],
        &[("content-type", "application/json")],
        &[("content-type", "text/plain")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[FORM, FORM],
        &[FORM, ("content-encoding", "gzip")],
    ] {
        assert_eq!(site.send("POST", VERIFY, headers, good.as_bytes()).status, 415, "{headers:?}");
    }
    for site_is in ["cross-site", "same-site", "nonsense"] {
        let page = site.send("POST", VERIFY, &[FORM, ("sec-fetch-site", site_is)], good.as_bytes());
        assert_eq!(page.status, 403, "{site_is}");
    }
    assert!(site.world.login(ANN).is_err(), "none of these did anything");
    // A browser that sends no fetch metadata is served all the same: the link's secret is the proof.
    assert_eq!(site.send("POST", VERIFY, &[FORM], good.as_bytes()).status, 200);
}

#[test]
fn guessing_links_is_throttled_with_the_other_credentials() {
    let site = Site::with(&[("rate_limit.login", "3/1m")]);
    let token = site.verification();
    let guess = || site.press(VERIFY, "token=authd_ev_guess");
    assert_eq!([guess().status, guess().status, guess().status], [400; 3]);
    let refused = site.press(VERIFY, &format!("token={token}"));
    assert_eq!((refused.status, refused.heading()), (429, "Too many attempts"));
    assert_eq!(refused.header("ratelimit-policy"), "\"login\";q=3;w=60");
    assert!(refused.header("ratelimit").starts_with("\"login\";r=0;t="), "{}", refused.head);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!(site.open(VERIFY, &token).status, 200, "looking is another budget");
    site.world.advance(Duration::from_secs(wait));
    assert_eq!(site.press(VERIFY, &format!("token={token}")).status, 200);
}

#[test]
fn what_the_operator_writes_is_text_too() {
    let site = Site::with(&[("pages.name", "<b>Bits & Bobs</b>")]);
    let page = site.open(VERIFY, &site.verification());
    assert!(page.body.contains("&lt;b&gt;Bits &amp; Bobs&lt;") && !page.body.contains("<b>"), "{page:?}");
}

#[test]
fn what_strangers_write_is_text() {
    let site = Site::new();
    let address = "o'brien&'@example.com";
    site.world.register(address).unwrap();
    let page = site.open(VERIFY, &site.world.token_in_mail(address));
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("o&#39;brien&amp;&#39;@example.com") && !page.body.contains("o'brien"),
        "{page:?}"
    );
    for token in ["%3Cscript%3E", "%22%3E%3Cimg%20src=x%3E", "%27onfocus%3D%27"] {
        let page = site.open(VERIFY, token);
        assert_eq!(page.status, 400);
        assert!(
            !page.body.contains("<script") && !page.body.contains("<img") && !page.body.contains("'onfocus"),
            "{page:?}"
        );
    }
}
