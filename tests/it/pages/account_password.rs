//! Changing one's password on a page, and proving once more who one is.

use super::visitor::{SESSION, Visitor};
use super::{ANN, OTHER, Site};
use crate::world::PASSWORD;
use std::time::Duration;

const CHANGE: &str = "/auth/account/password";

fn site() -> Site {
    Site::with(&[("rate_limit.enabled", "false")])
}

fn fields<'a>(current: &'a str, new: &'a str, again: &'a str) -> [(&'static str, &'a str); 3] {
    [("password", current), ("new_password", new), ("new_password_again", again)]
}

#[test]
fn password_managers_find_the_page() {
    let site = site();
    let led = site.send("GET", "/.well-known/change-password", &[], b"");
    assert_eq!((led.status, led.header("location")), (302, CHANGE));
    let off = Site::with(&[("pages.enabled", "false")]);
    assert_eq!(off.send("GET", "/.well-known/change-password", &[], b"").status, 404);
}

#[test]
fn a_changed_password_keeps_this_browser_signed_in_and_no_other() {
    let site = site();
    let mut other = Visitor::signed_in(&site, ANN);
    let mut ann = Visitor::signed_in(&site, ANN);
    let page = ann.open(CHANGE);
    for part in [
        "autocomplete=\"username\" value=\"ann@example.com\"",
        "autocomplete=\"current-password\"",
        "autocomplete=\"new-password\"",
        "minlength=\"15\"",
    ] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    assert!(!page.body.contains("one-time-code"), "no second factor is on: {page:?}");
    let before = ann.cookies[SESSION].clone();
    let led = ann.submit(CHANGE, &fields(PASSWORD, OTHER, OTHER));
    assert_eq!((led.status, led.header("location")), (303, "/auth/account"), "{led:?}");
    assert_ne!(ann.cookies[SESSION], before, "the cookie is another one");
    assert!(ann.follow(&led).body.contains("Your password is changed."));
    assert!(ann.is_signed_in() && !other.is_signed_in());
    ann.cookies.insert(SESSION.into(), before);
    assert!(!ann.is_signed_in(), "the old cookie counts no more");
    assert!(site.world.login_with(ANN, OTHER).is_ok() && site.world.login(ANN).is_err());
}

#[test]
fn mistakes_come_back_beside_their_fields_and_without_what_is_secret() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    for (current, new, again, status, says) in [
        ("not the password at all", OTHER, OTHER, 401, "id=\"password-error\">This is not your account"),
        ("", OTHER, OTHER, 401, "id=\"password-error\">"),
        (PASSWORD, "short", "short", 422, "id=\"new_password-error\">"),
        (
            PASSWORD,
            "passwordpassword",
            "passwordpassword",
            422,
            "id=\"new_password-error\">The password is on",
        ),
        (PASSWORD, "", "", 422, "id=\"new_password-error\">"),
        (PASSWORD, OTHER, "another long enough passwort", 422, "id=\"new_password_again-error\">The two"),
    ] {
        let page = ann.fill_in(CHANGE, &fields(current, new, again));
        assert_eq!(page.status, status, "{page:?}");
        assert!(page.body.contains(says) && page.body.contains("aria-invalid"), "{says}: {page:?}");
        for secret in [current, new, again].into_iter().filter(|secret| !secret.is_empty()) {
            assert!(!page.body.contains(&format!("\"{secret}\"")), "{secret} is sent back: {page:?}");
        }
    }
    assert!(site.world.login(ANN).is_ok(), "nothing has changed");
}

#[test]
fn guesses_lock_the_account_to_this_network() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    for _ in 0..5 {
        assert_eq!(ann.fill_in(CHANGE, &fields("not the password at all", OTHER, OTHER)).status, 401);
    }
    let page = ann.fill_in(CHANGE, &fields(PASSWORD, OTHER, OTHER));
    assert_eq!((page.status, page.header("retry-after")), (429, "60"), "{page:?}");
    assert!(page.body.contains("role=\"alert\">Wait 60 seconds"), "{page:?}");
    site.world.advance(Duration::from_secs(60));
    assert_eq!(ann.fill_in(CHANGE, &fields(PASSWORD, OTHER, OTHER)).status, 303);
}

#[test]
fn where_a_second_factor_is_on_it_is_asked_for_too() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let (app, codes) = ann.turn_on_two_factor();
    let wanted = fields(PASSWORD, OTHER, OTHER);
    for factor in [&[][..], &[("code", "000000")], &[("recovery_code", "aaaa-aaaa")]] {
        let page = ann.fill_in(CHANGE, &[&wanted[..], factor].concat());
        assert_eq!(page.status, 401, "{factor:?}");
        assert!(page.body.contains("id=\"code-error\">"), "{page:?}");
    }
    let code = ann.code(&app);
    // As the app shows it, in two groups.
    let code = format!("{} {}", &code[..3], &code[3..]);
    let led = ann.fill_in(CHANGE, &[&wanted[..], &[("code", &code)]].concat());
    assert_eq!(led.status, 303, "{led:?}");
    let back = fields(OTHER, PASSWORD, PASSWORD);
    let led = ann.fill_in(CHANGE, &[&back[..], &[("code", ""), ("recovery_code", &codes[0])]].concat());
    assert_eq!(led.status, 303, "{led:?}");
    assert!(ann.is_signed_in());
}

#[test]
fn proving_who_one_is_goes_on_to_a_page_of_ours_and_nowhere_else() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let led = ann.open("/auth/confirm?return_to=%2Fauth%2Faccount%2Femail");
    assert_eq!(led.header("location"), "/auth/account/email", "a fresh login is enough: {led:?}");
    for bad in [
        "",
        "https://evil.example/",
        "//evil.example/auth/",
        "/\\evil.example",
        "/auth\\..\\..",
        "\\\\evil.example",
        "/auth/\t/evil.example",
        "/auth/\r\nset-cookie: x=y",
        "javascript:alert(1)",
        "/api/auth/me",
        "/authx",
        "@evil.example",
        "/auth/é",
    ] {
        site.world.advance(Duration::from_secs(5 * 60));
        let wish: String = form_urlencoded::byte_serialize(bad.as_bytes()).collect();
        let page = format!("/auth/confirm?return_to={wish}");
        let led = ann.fill_in(&page, &[("password", PASSWORD)]);
        assert_eq!((led.status, led.header("location")), (303, "/auth/account"), "{bad:?}: {led:?}");
    }
}

#[test]
fn only_the_owner_makes_a_session_fresh_and_it_changes_its_cookie() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    site.world.advance(Duration::from_secs(5 * 60));
    let page = ann.fill_in("/auth/confirm", &[("password", "not the password at all")]);
    assert_eq!(page.status, 401);
    assert!(
        page.body.contains("id=\"password-error\">") && !page.body.contains("not the password"),
        "{page:?}"
    );
    assert_eq!(ann.open("/auth/account/email").status, 303, "it is not fresh");
    let before = ann.cookies[SESSION].clone();
    assert_eq!(ann.fill_in("/auth/confirm", &[("password", PASSWORD)]).status, 303);
    assert_eq!(ann.open("/auth/account/email").status, 200);
    assert_ne!(ann.cookies[SESSION], before);
    assert_eq!(site.world.events().iter().filter(|event| *event == "Reauthenticated").count(), 1);
    ann.cookies.insert(SESSION.into(), before);
    assert!(!ann.is_signed_in(), "the old cookie counts no more");
}

#[test]
fn with_a_second_factor_the_password_alone_makes_nothing_fresh() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let (app, codes) = ann.turn_on_two_factor();
    site.world.advance(Duration::from_secs(5 * 60));
    let page = ann.fill_in("/auth/confirm", &[("password", PASSWORD)]);
    assert_eq!(page.status, 401);
    assert!(page.body.contains("id=\"code-error\">") && page.body.contains("one-time-code"), "{page:?}");
    let code = ann.code(&app);
    assert_eq!(ann.submit("/auth/confirm", &[("password", "not hers at all"), ("code", &code)]).status, 401);
    assert_eq!(ann.open("/auth/account/email").status, 303, "neither alone");
    assert_eq!(ann.fill_in("/auth/confirm", &[("password", PASSWORD), ("code", &code)]).status, 303);
    assert_eq!(ann.open("/auth/account/email").status, 200);
    site.world.advance(Duration::from_secs(5 * 60));
    assert_eq!(ann.fill_in("/auth/confirm", &[("password", PASSWORD), ("code", &code)]).status, 401, "once");
    let recovery = [("password", PASSWORD), ("recovery_code", codes[3].as_str())];
    assert_eq!(ann.fill_in("/auth/confirm", &recovery).status, 303);
    assert_eq!(ann.open("/auth/account/email").status, 200);
}

#[test]
fn a_session_lives_no_longer_for_being_made_fresh() {
    let site = Site::with(&[("rate_limit.enabled", "false"), ("tokens.refresh_ttl", "1h")]);
    let mut ann = Visitor::signed_in(&site, ANN);
    site.world.advance(Duration::from_secs(59 * 60));
    assert_eq!(ann.fill_in("/auth/confirm", &[("password", PASSWORD)]).status, 303);
    assert!(ann.is_signed_in());
    site.world.advance(Duration::from_secs(60));
    assert!(!ann.is_signed_in());
}
