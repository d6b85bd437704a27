//! Signing in by a mail alone, on the pages: by the link in the browser that asked, by its code everywhere
//! else.

use super::visitor::{SESSION, Visitor};
use super::{ANN, Answer, FORM, OTHER, Site};
use crate::world::{PASSWORD, operator, user_ref};
use authd::domain::mail::Mail;
use authd::usecase::account::admin;
use authd::usecase::mail::compose;
use std::time::Duration;

const SIGN_IN: &str = "/auth/sign-in";
const SEND: &str = "/auth/send-magic-link";
const CODE: &str = "/auth/magic-link-code";
const LINK: &str = "/auth/magic-link";
const COOKIE: &str = "__Host-authd_magic_link";
const NOBODY: &str = "nobody@example.com";

fn site() -> Site {
    site_with(&[])
}

fn site_with(settings: &[(&str, &str)]) -> Site {
    let site = Site::with(&[&[("magic_link.enabled", "true")], settings].concat());
    site.world.add_user(ANN, &[]);
    site
}

/// Presses the button of the sign-in page.
fn ask(visitor: &mut Visitor<'_>, email: &str) -> Answer {
    assert_eq!(visitor.open(SIGN_IN).status, 200);
    let led = visitor.submit(SEND, &[("email", email), ("password", "")]);
    visitor.site.world.advance(Duration::from_millis(1));
    led
}

fn mail(site: &Site) -> Mail {
    site.world.mails(ANN).into_iter().find(|mail| mail.kind == "magic_link").expect("a mail was sent")
}

/// The path of the link in the newest mail.
fn link(site: &Site) -> String {
    format!("{LINK}?token={}", token(site))
}

fn token(site: &Site) -> String {
    site.world.token_in(&mail(site))
}

/// The code in the newest mail, as it stands there.
fn code(site: &Site) -> String {
    let opened = compose::show(&site.world.app, &operator(), &mail(site).id.to_string()).unwrap();
    let body = opened.body.unwrap().expose().clone();
    let is_code = |line: &&str| line.len() == 9 && line.bytes().all(|c| c.is_ascii_digit() || c == b' ');
    body.lines().map(str::trim).find(is_code).expect("the mail has a code").to_owned()
}

fn wrong(site: &Site) -> &'static str {
    if code(site) == "0000 0000" { "0000 0001" } else { "0000 0000" }
}

#[track_caller]
fn assert_signed_in(led: &Answer, visitor: &mut Visitor<'_>) {
    assert_eq!((led.status, led.header("location")), (303, "/auth/account"), "{led:?}");
    assert!(!visitor.cookies.contains_key(COOKIE) && visitor.is_signed_in());
}

#[test]
fn the_button_is_there_where_it_is_turned_on() {
    let off = Site::new();
    let mut visitor = Visitor::new(&off);
    assert!(!visitor.open(SIGN_IN).body.contains("Email me a link"));
    assert_eq!(visitor.submit(SEND, &[("email", ANN)]).status, 404);
    for path in [CODE, LINK, "/auth/magic-link?token=authd_ml_x"] {
        assert_eq!(visitor.open(path).status, 404, "{path}");
    }
    assert_eq!(off.press(LINK, "token=authd_ml_x").status, 404);
    let on = site();
    let page = Visitor::new(&on).open(SIGN_IN);
    assert!(page.body.contains("formaction=\"/auth/send-magic-link\" formnovalidate"), "{page:?}");
}

#[test]
fn whoever_asks_signs_in_by_the_link_which_opening_does_not_spend() {
    let site = site();
    let mut ann = Visitor::new(&site);
    let led = ask(&mut ann, ANN);
    assert_eq!((led.status, led.header("location")), (303, CODE), "{led:?}");
    let set = led.head.lines().find(|line| line.starts_with(&format!("set-cookie: {COOKIE}="))).unwrap();
    assert!(set.ends_with("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"), "{set}");
    let page = ann.follow(&led);
    assert_eq!((page.status, page.heading()), (200, "Look into your mail"), "{page:?}");
    let link = link(&site);
    for _ in 0..3 {
        let page = ann.open(&link);
        assert_eq!((page.status, page.heading(), page.has_form()), (200, "Sign in", true), "{page:?}");
        assert!(page.body.contains(ANN), "{page:?}");
    }
    assert_eq!(
        site.send("HEAD", &link, &[("cookie", &format!("{COOKIE}={}", ann.cookies[COOKIE]))], b"").status,
        200
    );
    assert!(
        !ann.cookies.contains_key(SESSION) && !site.world.events().contains(&"LoginSucceeded".to_owned())
    );
    let led = ann.submit_with(LINK, &[("token", &token(&site))]);
    assert_signed_in(&led, &mut ann);
    for again in [ann.open(&link), site.press(LINK, &format!("token={}", token(&site)))] {
        assert_eq!(
            (again.status, again.has_form()),
            (400, again.body.contains("/auth/sign-out")),
            "{again:?}"
        );
        assert!(again.body.contains("Ask for a new one"), "{again:?}");
    }
}

#[test]
fn opened_elsewhere_the_link_shows_the_code_and_signs_nobody_in() {
    let site = site();
    let mut desk = Visitor::new(&site);
    ask(&mut desk, ANN);
    let (link, token, code) = (link(&site), token(&site), code(&site));
    let mut phone = Visitor::new(&site);
    // One that waits for a mail of its own is another browser, too.
    let mut strangers = Visitor::new(&site);
    ask(&mut strangers, NOBODY);
    for other in [&mut phone, &mut strangers] {
        for page in [other.open(&link), other.submit_with(LINK, &[("token", &token)])] {
            assert_eq!((page.status, page.heading()), (200, "Code"), "{page:?}");
            assert!(page.body.contains(&code) && !page.has_form(), "{page:?}");
            assert!(!page.body.contains(ANN), "{page:?}");
        }
        assert!(!other.cookies.contains_key(SESSION));
    }
    let led = desk.fill_in(CODE, &[("code", &code)]);
    assert_signed_in(&led, &mut desk);
    assert_eq!(phone.open(&link).status, 400);
}

#[test]
fn an_address_that_nobody_has_gets_the_same_pages() {
    let site = site();
    let pages = |email: &str| {
        let mut visitor = Visitor::new(&site);
        let led = ask(&mut visitor, email);
        let csrf = |page: &Answer, visitor: &Visitor<'_>| page.body.replace(&visitor.csrf, "");
        let sent = visitor.follow(&led);
        let sent = csrf(&sent, &visitor);
        site.world.work_off();
        let wrong = visitor.submit(CODE, &[("code", "0000 0000")]);
        (led.status, led.header("location").to_owned(), sent, wrong.status, csrf(&wrong, &visitor))
    };
    assert_eq!(pages(ANN), pages(NOBODY));
}

#[test]
fn what_is_no_address_comes_back_on_the_sign_in_page() {
    let site = site();
    let mut ann = Visitor::new(&site);
    ann.open(SIGN_IN);
    let page = ann.submit(SEND, &[("email", "<ann"), ("password", OTHER), ("remember", "on")]);
    assert_eq!((page.status, page.heading()), (422, "Sign in"), "{page:?}");
    for part in ["This is not an e-mail address.", "value=\"&lt;ann\"", "value=\"on\" checked"] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    assert!(!page.body.contains(OTHER) && !ann.cookies.contains_key(COOKIE));
}

#[test]
fn wrong_codes_are_said_until_there_are_too_many() {
    let site = site_with(&[("lockout.pair_failures", "7")]);
    let mut ann = Visitor::new(&site);
    ask(&mut ann, ANN);
    let wrong = wrong(&site);
    ann.open(CODE);
    for _ in 0..4 {
        let page = ann.submit(CODE, &[("code", wrong)]);
        assert_eq!((page.status, page.heading()), (401, "Look into your mail"), "{page:?}");
        assert!(
            page.body.contains("This is not the code.") && page.body.contains("aria-invalid"),
            "{page:?}"
        );
    }
    let over = ann.submit(CODE, &[("code", wrong)]);
    assert_eq!((over.status, over.heading()), (401, "Sign in"), "{over:?}");
    assert!(over.body.contains("Sign in once more.") && !ann.cookies.contains_key(COOKIE));
    assert_eq!(ann.open(&link(&site)).status, 400, "the link is dead with it");
    assert_eq!(ann.open(CODE).header("location"), SIGN_IN);
    assert_eq!(ann.submit(CODE, &[("code", &code(&site))]).status, 401);
    assert!(!ann.is_signed_in());
}

#[test]
fn a_lock_is_said_and_ends() {
    let site = site();
    let mut ann = Visitor::new(&site);
    for _ in 0..5 {
        assert_eq!(ann.fill_in(SIGN_IN, &[("email", ANN), ("password", OTHER)]).status, 401);
    }
    ask(&mut ann, ANN);
    let (code, token) = (code(&site), token(&site));
    for locked in [ann.fill_in(CODE, &[("code", &code)]), ann.submit_with(LINK, &[("token", &token)])] {
        assert_eq!((locked.status, locked.header("retry-after")), (429, "60"), "{locked:?}");
        assert!(locked.body.contains("Wait 60 seconds"));
    }
    site.world.advance(Duration::from_secs(60));
    let led = ann.fill_in(CODE, &[("code", &code)]);
    assert_signed_in(&led, &mut ann);
}

#[test]
fn what_is_sent_too_often_comes_back() {
    let site = site_with(&[("rate_limit.login", "1/1m"), ("rate_limit.mail", "1/1h")]);
    let mut ann = Visitor::new(&site);
    ask(&mut ann, ANN);
    let page = ask(&mut ann, ANN);
    assert_eq!((page.status, page.heading()), (429, "Sign in"), "{page:?}");
    assert!(page.body.contains("value=\"ann@example.com\"") && !page.header("retry-after").is_empty());
    let (code, wrong) = (code(&site), wrong(&site));
    assert_eq!(ann.fill_in(CODE, &[("code", wrong)]).status, 401);
    let page = ann.submit(CODE, &[("code", &code)]);
    assert_eq!((page.status, page.heading()), (429, "Look into your mail"), "{page:?}");
    site.world.advance(Duration::from_secs(60));
    let led = ann.fill_in(CODE, &[("code", &code)]);
    assert_signed_in(&led, &mut ann);
}

#[test]
fn it_goes_where_signing_in_would_have_gone_and_stays_as_long() {
    let site = site_with(&[("redirects.allowed", "https://example.com/in?a=1&b=2")]);
    for (wish, to) in [
        ("?return_to=%2Fauth%2Faccount%2Fsessions", "/auth/account/sessions"),
        ("?return_to=https%3A%2F%2Fexample.com%2Fin%3Fa%3D1%26b%3D2", "https://example.com/in?a=1&b=2"),
        ("?return_to=https%3A%2F%2Fevil.example%2F", "/auth/account"),
    ] {
        let mut ann = Visitor::new(&site);
        assert_eq!(ann.open(&format!("{SIGN_IN}{wish}")).status, 200);
        let led = ann.submit(&format!("{SEND}{wish}"), &[("email", ANN), ("remember", "on")]);
        site.world.advance(Duration::from_millis(1));
        let page = ann.follow(&led);
        assert_eq!(
            page.header("content-security-policy").contains("https://example.com"),
            to.starts_with("https"),
            "{page:?}"
        );
        let led = ann.submit(CODE, &[("code", &code(&site))]);
        assert_eq!((led.status, led.header("location")), (303, to), "{led:?}");
        assert!(led.head.contains("Max-Age=2592000"), "{led:?}");
        site.world.advance(Duration::from_secs(3600));
    }
}

#[test]
fn a_second_factor_is_asked_for_after_it() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let (app, _) = ann.turn_on_two_factor();
    let mut again = Visitor::new(&site);
    ask(&mut again, ANN);
    let led = again.submit_with(LINK, &[("token", &token(&site))]);
    assert_eq!((led.status, led.header("location")), (303, SIGN_IN), "{led:?}");
    assert!(!again.cookies.contains_key(SESSION));
    assert_eq!(again.follow(&led).heading(), "Second step");
    let shown = again.code(&app);
    let led = again.submit(SIGN_IN, &[("code", &shown)]);
    assert_signed_in(&led, &mut again);
}

#[test]
fn what_was_voided_is_said() {
    let site = site();
    site.world.add_unverified("bob@example.com");
    let mut bob = Visitor::new(&site);
    ask(&mut bob, "bob@example.com");
    let mails = site.world.mails("bob@example.com");
    let mail = mails.iter().find(|mail| mail.kind == "magic_link").unwrap();
    let led = bob.submit_with(LINK, &[("token", &site.world.token_in(mail))]);
    assert!(bob.follow(&led).body.contains("The password that was set before counts no more."));
    assert!(site.world.login("bob@example.com").is_err());
}

#[test]
fn a_new_sign_in_ends_the_browsers_earlier_session() {
    let site = site();
    let mut ann = Visitor::new(&site);
    ask(&mut ann, ANN);
    let waiting = ann.cookies[COOKIE].clone();
    let mut signed_in = Visitor::signed_in(&site, ANN);
    let first = signed_in.cookies[SESSION].clone();
    signed_in.cookies.insert(COOKIE.into(), waiting);
    assert_eq!(signed_in.open(CODE).header("location"), "/auth/account", "there is nothing to wait for");
    let led = signed_in.submit_with(LINK, &[("token", &token(&site))]);
    assert_signed_in(&led, &mut signed_in);
    assert_ne!(signed_in.cookies[SESSION], first);
    let second = signed_in.cookies.insert(SESSION.into(), first).unwrap();
    assert!(!signed_in.is_signed_in());
    // The code does so, too.
    signed_in.cookies.insert(SESSION.into(), second.clone());
    assert!(signed_in.is_signed_in());
    ask(&mut ann, ANN);
    signed_in.cookies.insert(COOKIE.into(), ann.cookies[COOKIE].clone());
    signed_in.open("/auth/account");
    let led = signed_in.submit(CODE, &[("code", &code(&site))]);
    assert_signed_in(&led, &mut signed_in);
    signed_in.cookies.insert(SESSION.into(), second);
    assert!(!signed_in.is_signed_in());
}

#[test]
fn another_sites_page_signs_nobody_in() {
    let site = site();
    let mut ann = Visitor::new(&site);
    ask(&mut ann, ANN);
    let (token, code) = (token(&site), code(&site));
    let cookie =
        ann.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    for (path, body) in [(LINK, format!("token={token}")), (CODE, format!("code={}", &code.replace(' ', "")))]
    {
        for header in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
            let headers = [("cookie", cookie.as_str()), FORM, header];
            assert_eq!(site.send("POST", path, &headers, body.as_bytes()).status, 403, "{path} {header:?}");
        }
    }
    assert_eq!(ann.submit_with(CODE, &[("code", &code)]).status, 400, "without the form's own value");
    assert_eq!(ann.submit_with(CODE, &[("code", &code), ("csrf", "x")]).status, 403);
    assert_eq!(ann.submit_with(SEND, &[("email", ANN), ("csrf", "x")]).status, 403);
    let led = ann.submit_with(LINK, &[("token", &token)]);
    assert_signed_in(&led, &mut ann);
}

#[test]
fn a_link_that_is_cut_or_dead_is_said() {
    let site = site();
    let mut ann = Visitor::new(&site);
    ask(&mut ann, ANN);
    let link = link(&site);
    for cut in [LINK, "/auth/magic-link?token=", &link[..link.len() - 1]] {
        let page = ann.open(cut);
        assert_eq!((page.status, page.has_form()), (400, false), "{cut}: {page:?}");
    }
    site.world.advance(Duration::from_secs(600));
    let page = ann.open(&link);
    assert_eq!((page.status, page.heading()), (400, "This link doesn’t work any more"), "{page:?}");
    admin::disable(&site.world.app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(ann.submit_with(LINK, &[("token", &token(&site))]).status, 400);
}

#[test]
fn the_links_page_is_there_without_the_others() {
    let site = site_with(&[("pages.enabled", "false")]);
    let body = format!("{{\"email\":\"{ANN}\"}}");
    let headers = [("content-type", "application/json")];
    assert_eq!(site.send("POST", "/api/auth/magic-link/request", &headers, body.as_bytes()).status, 202);
    let page = site.send("GET", &link(&site), &[], b"");
    assert!(page.status == 200 && page.body.contains(&code(&site)), "{page:?}");
    assert_eq!(site.send("GET", CODE, &[], b"").status, 404);
    assert!(site.world.login_with(ANN, PASSWORD).is_ok());
}
