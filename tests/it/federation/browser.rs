//! What binds a sign-in to the browser that began it, and to its provider (S3, S19).

use super::{ANN, Browser, Stage, parameter, target};
use crate::daemon::{exchange, request};
use crate::providers::stand_in::StandIn;
use authd::config::ProviderKind;
use authd::domain::identity::ProviderName;
use serde_json::json;
use std::sync::{Arc, Barrier};
use std::time::Duration;

const MISMATCH: &str = "/auth/sign-in?error=state_mismatch";

#[test]
fn a_new_person_is_signed_up_and_comes_in_again() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
    let mut other = Browser::default();
    stage.sign_in(&mut other);
    stage.assert_signed_in(&other, ANN);
    let events = stage.world().events();
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!(["UserRegistered", "IdentityLinked", "LoginSucceeded"].map(count), [1, 1, 2], "{events:?}");
    assert_eq!(stage.world().mails(ANN).iter().filter(|mail| mail.kind == "identity_linked").count(), 1);
}

#[test]
fn what_the_sign_in_page_was_told_goes_there_and_back() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let url = stage.begin(&mut browser, "?return_to=%2Fauth%2Faccount%2Fname&odd=left-alone&remember=true");
    let landed = stage.land(&mut browser, &stage.stand_in.approve(&url));
    assert_eq!(landed.header("location"), "/auth/sign-in?return_to=%2Fauth%2Faccount%2Fname");
    let cookie = crate::cookies::set_cookies(&landed);
    let session = cookie.iter().find(|(name, ..)| name == "__Host-authd_session").unwrap();
    assert!(session.2.contains("Max-Age="), "stays signed in: {session:?}");
    // What proxies would not carry back is let go before the browser leaves.
    let url = stage.begin(&mut browser, &format!("?return_to=%2Fauth%2Faccount%3F{}", "a".repeat(4_000)));
    let landed = stage.land(&mut browser, &stage.stand_in.approve(&url));
    assert_eq!(landed.header("location"), "/auth/sign-in");
}

#[test]
fn the_authorization_request_hides_what_comes_back() {
    let stage = Stage::new();
    let (mut one, mut two) = (Browser::default(), Browser::default());
    let (a, b) = (stage.begin(&mut one, ""), stage.begin(&mut two, ""));
    for name in ["state", "nonce", "code_challenge"] {
        let value = |url: &str| parameter(url, name).unwrap();
        assert!(value(&a).len() >= 43 && value(&a) != value(&b), "{name}");
    }
    assert_eq!(parameter(&a, "code_challenge_method").as_deref(), Some("S256"));
    // A stolen database has neither state nor nonce nor verifier.
    let database = stage.world().database();
    assert!(database.holds("acme"), "it is the right one");
    for name in ["state", "nonce"] {
        assert!(!database.holds(parameter(&a, name).unwrap()), "{name}");
    }
}

#[test]
fn another_browser_can_not_finish_it() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let url = stage.begin(&mut browser, "");
    let returned = stage.stand_in.approve(&url);
    for mut other in [Browser::default(), {
        let mut began = Browser::default();
        stage.begin(&mut began, "");
        began
    }] {
        assert_eq!(stage.land(&mut other, &returned).header("location"), MISMATCH);
        assert!(!other.has("session"));
    }
    // It was not spent by that, and the code not sent to the provider.
    assert_eq!(stage.stand_in.count("/token"), 0);
    assert_eq!(stage.land(&mut browser, &returned).header("location"), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
}

#[test]
fn it_counts_once_and_for_ten_minutes() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let returned = stage.stand_in.approve(&stage.begin(&mut browser, ""));
    assert_eq!(stage.land(&mut browser, &returned).header("location"), "/auth/sign-in");
    assert_eq!(stage.land(&mut browser, &returned).header("location"), MISMATCH);
    let late = stage.stand_in.approve(&stage.begin(&mut browser, ""));
    stage.world().advance(Duration::from_secs(600));
    assert_eq!(stage.land(&mut browser, &late).header("location"), MISMATCH);
    let asked = stage.stand_in.count("/token");
    assert_eq!(asked, 1, "nobody is asked for what is refused");
    let url = stage.begin(&mut browser, "");
    stage.world().advance(Duration::from_secs(599));
    assert_eq!(stage.land(&mut browser, &stage.stand_in.approve(&url)).header("location"), "/auth/sign-in");
}

#[test]
fn it_is_spent_by_a_no_as_well() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let returned = stage.stand_in.approve(&stage.begin(&mut browser, ""));
    let mut no = stage.stand_in.approve(&stage.begin(&mut browser, ""));
    no.fields.clone_from(&returned.fields);
    no.fields.remove("code");
    no.fields.insert("error".into(), "access_denied".into());
    assert_eq!(stage.land(&mut browser, &no).header("location"), "/auth/sign-in?error=provider_refused");
    assert_eq!(stage.land(&mut browser, &returned).header("location"), MISMATCH);
}

#[test]
fn what_the_browser_keeps_meanwhile_is_for_this_host_and_no_script() {
    let stage = Stage::new();
    let begun = stage.get(&Browser::default(), "/api/auth/oauth/acme/start");
    let set = crate::cookies::set_cookies(&begun);
    let (name, value, attributes) = &set[0];
    assert_eq!((set.len(), name.as_str(), value.len()), (1, "__Host-authd_oauth", 9 + 43));
    assert_eq!(attributes, "Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax");
}

#[test]
fn whoever_is_to_prove_it_again_is_asked_again_there() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    assert_eq!(parameter(&stage.begin(&mut browser, ""), "prompt"), None);
    stage.sign_in(&mut browser);
    stage.world().advance(Duration::from_secs(301));
    let page = stage.get(&browser, "/auth/confirm?return_to=%2Fauth%2Faccount%2Fdelete").body;
    let link =
        page.split('"').find(|part| part.starts_with("/api/auth/oauth/acme/start?")).expect("a way in");
    let (_, query) = link.split_once('?').unwrap();
    let url = stage.begin(&mut browser, &format!("?{}", query.replace("&amp;", "&")));
    assert_eq!(parameter(&url, "prompt").as_deref(), Some("login"));
}

#[test]
fn of_many_at_once_one_is_signed_in() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let returned = stage.stand_in.approve(&stage.begin(&mut browser, ""));
    let barrier = Barrier::new(16);
    let address = stage.daemon.running.address().tcp().unwrap();
    let bytes = request("GET", &target(&returned), &[("cookie", &browser.cookies())], b"");
    let signed_in: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let answer = exchange(address, &bytes);
                    let set = crate::cookies::set_cookies(&answer);
                    usize::from(set.iter().any(|(name, ..)| name == "__Host-authd_session"))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(signed_in, 1);
}

#[test]
fn two_windows_do_not_spoil_each_other() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let one = stage.stand_in.approve(&stage.begin(&mut browser, ""));
    let two = stage.stand_in.approve(&stage.begin(&mut browser, ""));
    assert_eq!(stage.land(&mut browser, &two).header("location"), "/auth/sign-in");
    assert_eq!(stage.land(&mut browser, &one).header("location"), "/auth/sign-in");
}

#[test]
fn a_state_of_one_provider_is_none_of_anothers() {
    let mut other = None;
    let stage = Stage::with(&[], |_| {});
    let world = crate::world::World::with_providers(&[("rate_limit.enabled", "false")], |clock, folder| {
        let evil = Arc::new(StandIn::start(ProviderKind::Oidc, Arc::clone(clock)));
        let mut second = evil.provider(folder);
        second.name = ProviderName::parse("evil").unwrap();
        let first = StandIn::start(ProviderKind::Oidc, Arc::clone(clock));
        let provider = first.provider(folder);
        other = Some((evil, first));
        vec![provider, second]
    });
    drop(stage);
    let (evil, honest) = other.unwrap();
    let stage = Stage { daemon: crate::daemon::Daemon::of(world), stand_in: Arc::new(honest) };
    let mut browser = Browser::default();
    let url = stage.begin(&mut browser, "");
    let mut returned = stage.stand_in.approve(&url);
    // The browser of somebody who began with the honest one is sent to the other's callback (mix-up).
    returned.to = returned.to.replace("/acme/", "/evil/");
    assert_eq!(stage.land(&mut browser, &returned).header("location"), MISMATCH);
    assert_eq!((evil.count("/token"), stage.stand_in.count("/token")), (0, 0), "the code went nowhere");
}

#[test]
fn the_providers_no_is_told_and_nothing_else() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let url = stage.begin(&mut browser, "?return_to=%2Fauth%2Faccount");
    let mut returned = stage.stand_in.approve(&url);
    returned.fields.remove("code");
    returned.fields.insert("error".into(), "access_denied".into());
    returned.fields.insert("error_description".into(), "<script>alert(1)</script>".into());
    let landed = stage.land(&mut browser, &returned);
    assert_eq!(landed.header("location"), "/auth/sign-in?return_to=%2Fauth%2Faccount&error=provider_refused");
    let page = stage.get(&browser, landed.header("location")).body;
    assert!(page.contains("or said no"), "{page}");
    assert!(!page.contains("aria-invalid"), "nothing was typed that could be wrong: {page}");
    stage.stand_in.set(|script| {
        script.claims.insert("aud".into(), json!("somebody else"));
    });
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=provider_failed");
    let log: Vec<_> = stage.world().audit().into_iter().filter(|line| line.event == "LoginFailed").collect();
    let why: Vec<_> =
        log.iter().map(|line| line.details.iter().find(|(n, _)| n == "why").unwrap().1.clone()).collect();
    assert_eq!(why, ["provider_refused", "provider_failed"]);
}

#[test]
fn what_another_sites_page_loads_spends_and_begins_nothing() {
    let stage = Stage::with(&[("rate_limit.enabled", "true"), ("rate_limit.login", "2/1m")], |_| {});
    for headers in [
        [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
        [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
    ] {
        for path in ["/api/auth/oauth/acme/start", "/api/auth/oauth/acme/callback?state=x&code=y"] {
            let answer = stage.daemon.send("GET", path, &headers, b"");
            assert_eq!((answer.status, &*answer.problem()), (403, "csrf_failed"), "{path}: {answer:?}");
        }
    }
    let mut browser = Browser::default();
    let returned = stage.stand_in.approve(&stage.begin(&mut browser, ""));
    let headers = [("cookie", &*browser.cookies())];
    assert_eq!(
        stage.daemon.send("HEAD", &target(&returned), &headers, b"").status,
        403,
        "it begins no session"
    );
    assert_eq!(stage.land(&mut browser, &returned).header("location"), "/auth/sign-in");
}

#[test]
fn a_form_that_was_posted_goes_on_as_a_link_with_the_browsers_cookies() {
    let stage = Stage::of(ProviderKind::Apple, &[], |_| {});
    let mut browser = Browser::default();
    let url = stage.begin(&mut browser, "");
    let returned = stage.stand_in.approve(&url);
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&returned.fields).finish();
    // A Lax cookie is not sent with it.
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    let posted = stage.daemon.send("POST", "/api/auth/oauth/acme/callback", &headers, form.as_bytes());
    assert_eq!(posted.status, 303, "{posted:?}");
    let location = posted.header("location");
    assert!(location.starts_with("/api/auth/oauth/acme/callback?"), "{location}");
    assert_eq!(parameter(location, "user"), returned.fields.get("user").cloned());
    let answer = stage.get(&browser, posted.header("location"));
    browser.keep(&answer);
    let me = stage.me(&browser).json();
    assert_eq!((&me["email"], &me["name"]), (&json!(ANN), &json!("Ann Lee")));
}

#[test]
fn unknown_providers_are_not_there_and_without_pages_a_front_end_must_be_named() {
    let stage = Stage::new();
    for path in ["/api/auth/oauth/nobody/start", "/api/auth/oauth/nobody/callback?state=a&code=b"] {
        assert_eq!(stage.daemon.get(path).problem(), "not_found", "{path}");
    }
    let listed = stage.daemon.get("/api/auth/oauth/providers").json();
    assert_eq!(listed, json!({"providers": [{"name": "acme", "kind": "oidc", "display_name": "Acme"}]}));
    let stage = Stage::with(&[("pages.enabled", "false")], |_| {});
    let token = stage.daemon.token_of("bob@example.com", &[]);
    for answer in [
        stage.daemon.get("/api/auth/oauth/acme/start"),
        stage.daemon.send_as(&token, "POST", "/api/auth/oauth/acme/link", "{}"),
    ] {
        assert_eq!((answer.status, answer.field_errors()[0].0.as_str()), (422, "redirect_to"));
    }
}
