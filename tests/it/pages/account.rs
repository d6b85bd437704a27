//! The account's page, and those that change its name and address, delete it, and tell what has happened.

use super::visitor::{SESSION, Visitor};
use super::{ANN, NEW, Site};
use crate::world::{PASSWORD, operator, user_ref};
use authd::domain::user::User;
use authd::usecase::account::{admin, roles};
use std::time::Duration;

/// Every page of an account, with a form or without.
pub const PAGES: [&str; 10] = [
    "/auth/account",
    "/auth/account/name",
    "/auth/account/email",
    "/auth/account/password",
    "/auth/account/two-factor",
    "/auth/account/recovery-codes",
    "/auth/account/sessions",
    "/auth/account/activity",
    "/auth/account/delete",
    "/auth/confirm",
];

fn site() -> Site {
    Site::with(&[("rate_limit.enabled", "false")])
}

fn user(site: &Site, email: &str) -> User {
    admin::find(&site.world.app, &operator(), &user_ref(email)).unwrap()
}

#[test]
fn whoever_is_signed_out_signs_in_first_and_comes_back() {
    let site = site();
    site.world.add_user(ANN, &[]);
    for page in PAGES {
        let mut visitor = Visitor::new(&site);
        let led = visitor.open(page);
        let back: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        assert_eq!((led.status, led.header("location")), (303, &*format!("/auth/sign-in?return_to={back}")));
        let to = led.header("location").to_owned();
        let led = visitor.fill_in(&to, &[("email", ANN), ("password", PASSWORD)]);
        assert_eq!((led.status, led.header("location")), (303, page), "{led:?}");
    }
    // A form that is sent once the session is over leads there, too, and does nothing.
    let mut visitor = Visitor::signed_in(&site, ANN);
    visitor.open("/auth/account/name");
    visitor.cookies.remove(SESSION);
    let led = visitor.submit("/auth/account/name", &[("name", "Eve")]);
    assert_eq!(led.header("location"), "/auth/sign-in?return_to=%2Fauth%2Faccount%2Fname", "{led:?}");
    assert_eq!(user(&site, ANN).name.as_str(), "");
}

#[test]
fn every_page_of_the_account_is_one_for_all_browsers_and_kept_by_none() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    ann.turn_on_two_factor();
    for page in PAGES.into_iter().filter(|page| *page != "/auth/confirm") {
        let answer = ann.open(page);
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{page}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        for inline in [" style=", "<style", "onclick", "javascript:", "<script>"] {
            assert!(!answer.body.contains(inline), "{page} has {inline}");
        }
        for secret in [&ann.cookies[SESSION], PASSWORD, "argon2", "authd_"] {
            assert!(!answer.body.contains(secret), "{page} shows {secret}");
        }
        assert_eq!(ann.site.send("HEAD", page, &[], b"").body, "");
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(site.send(method, "/auth/account", &[], b"").header("allow"), "GET, HEAD");
    }
    let script = site.send("GET", "/auth/page.js", &[], b"");
    assert_eq!((script.status, script.header("content-type")), (200, "text/javascript; charset=utf-8"));
}

#[test]
fn a_form_of_another_page_does_nothing() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    ann.open("/auth/account");
    let mut eve = Visitor::signed_in(&site, "eve@example.com");
    eve.open("/auth/account");
    let before = site.world.events().len();
    let forms: [(&str, &[(&str, &str)]); 8] = [
        ("/auth/account/name", &[("name", "Eve")]),
        ("/auth/account/email", &[("email", NEW)]),
        (
            "/auth/account/password",
            &[("password", PASSWORD), ("new_password", NEW), ("new_password_again", NEW)],
        ),
        ("/auth/account/two-factor", &[("action", "set-up")]),
        ("/auth/account/recovery-codes", &[("code", "123456")]),
        ("/auth/account/sessions", &[("others", "all")]),
        ("/auth/account/delete", &[("password", PASSWORD)]),
        ("/auth/confirm", &[("password", PASSWORD)]),
    ];
    for (page, fields) in forms {
        assert_eq!(ann.submit_with(page, fields).status, 400, "{page} without the session's value");
        for foreign in [eve.csrf.as_str(), "", "x"] {
            let sent = ann.submit_with(page, &[fields, &[("csrf", foreign)]].concat());
            assert_eq!(sent.status, 403, "{page} with {foreign:?}");
        }
        let cookie = format!("{SESSION}={}", ann.cookies[SESSION]);
        let mut form = form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(fields).append_pair("csrf", &ann.csrf).finish();
        for from in ["cross-site", "same-site"] {
            let headers = [super::FORM, ("cookie", cookie.as_str()), ("sec-fetch-site", from)];
            assert_eq!(site.send("POST", page, &headers, body.as_bytes()).status, 403, "{page} from {from}");
        }
    }
    assert_eq!(site.world.events().len(), before, "nothing was done, and nothing refused by a use-case");
}

#[test]
fn a_name_is_changed_and_said_once() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let led = ann.fill_in("/auth/account/name", &[("name", "  <b>Ann</b> \u{5e9}  ")]);
    let page = ann.follow(&led);
    assert!(page.body.contains("<bdi>&lt;b&gt;Ann&lt;/b&gt; \u{5e9}</bdi>"), "{page:?}");
    assert!(page.body.contains("role=\"status\">Your name is saved."), "{page:?}");
    assert!(!ann.open("/auth/account").body.contains("Your name is saved."), "a notice is said once");
    assert_eq!(site.world.events().iter().filter(|event| *event == "ProfileChanged").count(), 1);

    let long = "x".repeat(201);
    let page = ann.fill_in("/auth/account/name", &[("name", &long)]);
    assert_eq!(page.status, 422);
    for part in [
        "<title>Please check: ",
        "aria-describedby=\"name-hint name-error ",
        "aria-invalid=\"true\"",
        "id=\"name-error\">The name is too long",
        &format!("value=\"{long}\""),
    ] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    assert_eq!(user(&site, ANN).name.as_str(), "<b>Ann</b> \u{5e9}");
}

#[test]
fn another_address_counts_once_its_link_is_opened() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    for wrong in ["nonsense", "a@b", ""] {
        let page = ann.fill_in("/auth/account/email", &[("email", wrong)]);
        assert_eq!(page.status, 422, "{wrong}");
        assert!(page.body.contains("id=\"email-error\">"), "{page:?}");
        assert!(wrong.is_empty() || page.body.contains(&format!("value=\"{wrong}\"")), "{page:?}");
    }
    let led = ann.fill_in("/auth/account/email", &[("email", NEW)]);
    let page = ann.follow(&led);
    assert!(page.body.contains("open the link in the mail to your new address"), "{page:?}");
    assert!(page.body.contains(ANN) && !page.body.contains(NEW), "it does not count yet: {page:?}");
    let link = site.world.token_in_mail(NEW);
    assert_eq!(site.press(super::CHANGE, &format!("token={link}")).status, 200);
    assert!(ann.open("/auth/account").body.contains(NEW), "the session that asked lives on");
    // Whether an address is taken is told to nobody.
    site.world.add_user("taken@example.com", &[]);
    let led = ann.fill_in("/auth/account/email", &[("email", "taken@example.com")]);
    assert_eq!((led.status, led.header("location")), (303, "/auth/account"));
    assert!(site.world.mails("taken@example.com").is_empty());
}

#[test]
fn what_wants_a_fresh_login_asks_for_it_in_between() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    ann.open("/auth/account/email");
    site.world.advance(Duration::from_secs(5 * 60));
    for page in ["/auth/account/email", "/auth/account/delete", "/auth/account/recovery-codes"] {
        let led = ann.open(page);
        let back: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        assert_eq!(led.header("location"), format!("/auth/confirm?return_to={back}"), "{led:?}");
    }
    // The same for a form that was opened in time.
    let led = ann.submit("/auth/account/email", &[("email", NEW)]);
    assert_eq!(led.header("location"), "/auth/confirm?return_to=%2Fauth%2Faccount%2Femail", "{led:?}");
    let to = led.header("location").to_owned();
    let led = ann.fill_in(&to, &[("password", PASSWORD)]);
    assert_eq!(led.header("location"), "/auth/account/email", "{led:?}");
    assert_eq!(ann.follow(&led).status, 200);
    assert!(site.world.mails(NEW).is_empty(), "what was typed before was not done");
}

#[test]
fn an_account_is_deleted_with_its_password_and_everything_goes() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let page = ann.fill_in("/auth/account/delete", &[("password", "some other long password")]);
    assert_eq!(page.status, 401);
    assert!(page.body.contains("id=\"password-error\">This is not your account"), "{page:?}");
    assert!(!page.body.contains("some other long password"), "a password is never sent back: {page:?}");
    let led = ann.submit("/auth/account/delete", &[("password", PASSWORD)]);
    assert_eq!((led.status, led.header("location")), (303, "/auth/sign-in"), "{led:?}");
    assert!(led.head.contains("clear-site-data: \"cache\", \"storage\""), "{led:?}");
    assert!(!ann.cookies.contains_key(SESSION));
    assert!(ann.follow(&led).body.contains("Your account is deleted."));
    assert!(admin::find(&site.world.app, &operator(), &user_ref(ANN)).is_err());
    assert_eq!(site.world.events().last().unwrap(), "UserDeleted");
}

#[test]
fn the_last_admin_is_told_why_the_account_stays() {
    let site = site();
    site.world.add_user(ANN, &["admin"]);
    let mut ann = Visitor::signed_in(&site, ANN);
    let page = ann.fill_in("/auth/account/delete", &[("password", PASSWORD)]);
    assert_eq!(page.status, 409);
    assert!(page.body.contains("role=\"alert\">The last admin"), "{page:?}");
    assert!(ann.is_signed_in());
}

#[test]
fn activity_says_in_words_what_has_happened_a_page_at_a_time() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let role = authd::domain::role::RoleName::parse("admin").unwrap();
    roles::assign(&site.world.app, &operator(), &user_ref(ANN), &[role]).unwrap();
    let page = ann.open("/auth/account/activity");
    for part in ["Signed in", "Account made", "Role given <span class=\"badge\">By the service", "127.0.0.1"]
    {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    assert!(page.body.contains("<time datetime=\"2026-11-22T08:00:00Z\">22 November 2026, 08:00 UTC</time>"));
    assert!(!page.body.contains("?before="), "all of it fits: {page:?}");
    for _ in 0..50 {
        site.world.login(ANN).unwrap();
    }
    let newest = ann.open("/auth/account/activity");
    let count = |page: &super::Answer| page.body.matches("<time ").count();
    assert_eq!(count(&newest), 50);
    let older = newest.body.split_once("/auth/account/activity?before=").unwrap().1;
    let older = ann.open(&format!("/auth/account/activity?before={}", older.split('"').next().unwrap()));
    assert!(older.body.contains("Account made") && older.body.contains(">Newest</a>"), "{older:?}");
    assert_eq!(ann.open("/auth/account/activity?before=nonsense").status, 400);
    // The account's page has the newest few; others' events are nowhere.
    assert_eq!(count(&ann.open("/auth/account")), 4, "three events, and when the account was made");
    let mut eve = Visitor::signed_in(&site, "eve@example.com");
    assert!(!eve.open("/auth/account/activity").body.contains("Role given"));
}

#[test]
fn pages_speak_the_language_that_was_chosen() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    for (tag, title, time) in [
        ("de", "Ihr Konto", "22. November 2026, 08:00 UTC"),
        ("es", "Su cuenta", "22 de noviembre de 2026, 08:00 UTC"),
        ("fr", "Votre compte", "22 novembre 2026, 08:00 UTC"),
        ("zh-Hans", "您的账户", "2026年11月22日 08:00 UTC"),
    ] {
        ann.open(&format!("/auth/account?lang={tag}"));
        let page = ann.open("/auth/account");
        assert!(page.body.contains(&format!("<html lang=\"{tag}\">")), "{tag}");
        assert!(
            page.body.contains(&format!("<h1>{title}</h1>")) && page.body.contains(time),
            "{tag}: {page:?}"
        );
    }
}
