//! The second factor on its pages: set up, turned on, its recovery codes shown once, turned off.

use super::visitor::{CODES, SESSION, TWO_FACTOR, Visitor, codes, key};
use super::{ANN, Site};
use crate::authenticator::Authenticator;
use crate::world::PASSWORD;
use std::time::Duration;

const RECOVERY_CODES: &str = "/auth/account/recovery-codes";
const HANDOVER: &str = "__Host-authd_handover";

fn site() -> Site {
    Site::with(&[("rate_limit.enabled", "false"), ("totp.issuer", "Acme")])
}

#[test]
fn an_app_is_set_up_and_its_code_turns_the_factor_on() {
    let site = site();
    let mut other = Visitor::signed_in(&site, ANN);
    let mut ann = Visitor::signed_in(&site, ANN);
    let led = ann.fill_in(TWO_FACTOR, &[("action", "set-up")]);
    assert_eq!((led.status, led.header("location")), (303, TWO_FACTOR), "{led:?}");
    let page = ann.follow(&led);
    for part in ["<svg", "role=\"img\"", "otpauth://totp/Acme", "autocomplete=\"one-time-code\""] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    assert!(!page.body.contains("style="), "the policy forbids it: {page:?}");
    let key_shown = key(&page);
    assert_eq!(key(&ann.open(TWO_FACTOR)), key_shown, "a reload shows the same");
    assert!(!ann.has_two_factor(ANN));
    let page = ann.submit(TWO_FACTOR, &[("action", "turn-on"), ("code", "000000")]);
    assert_eq!(page.status, 401);
    assert!(page.body.contains("id=\"code-error\">") && key(&page) == key_shown, "{page:?}");

    let (app, before) = (Authenticator::new(&key_shown), ann.cookies[SESSION].clone());
    let code = ann.code(&app);
    let led = ann.submit(TWO_FACTOR, &[("action", "turn-on"), ("code", &code)]);
    assert_eq!((led.status, led.header("location")), (303, RECOVERY_CODES), "{led:?}");
    assert!(codes(&led).is_empty() && ann.has_two_factor(ANN));
    assert_ne!(ann.cookies[SESSION], before, "the cookie is another one");
    assert_eq!(codes(&ann.follow(&led)).len(), CODES);
    assert!(ann.is_signed_in() && !other.is_signed_in());
    let page = ann.open(TWO_FACTOR);
    assert!(!page.body.contains("<svg") && !page.body.contains(&key_shown), "it is shown no more: {page:?}");
    // That code is spent.
    let mut again = Visitor::new(&site);
    let led = again.fill_in("/auth/sign-in", &[("email", ANN), ("password", PASSWORD)]);
    assert_eq!(again.follow(&led).heading(), "Second step");
    assert_eq!(again.submit("/auth/sign-in", &[("code", &code)]).status, 401);
}

#[test]
fn recovery_codes_are_shown_once() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let led = ann.fill_in(TWO_FACTOR, &[("action", "set-up")]);
    let app = Authenticator::new(&key(&ann.follow(&led)));
    let code = ann.code(&app);
    let led = ann.submit(TWO_FACTOR, &[("action", "turn-on"), ("code", &code)]);
    let sealed = ann.cookies[HANDOVER].clone();
    let page = ann.follow(&led);
    let shown = codes(&page);
    assert_eq!(shown.len(), CODES, "{page:?}");
    assert!(page.header("cache-control") == "no-store" && page.body.contains("Two-factor sign-in is on."));
    // Without a script: the file is a link, and the buttons that need one are hidden.
    let file = shown.join("%0A");
    assert!(
        page.body.contains(&format!(
            "download=\"recovery-codes.txt\" href=\"data:text/plain;charset=utf-8,{file}"
        ))
    );
    assert_eq!(page.body.matches("<button type=\"button\"").count(), page.body.matches(" hidden>").count());
    for _ in 0..2 {
        let again = ann.open(RECOVERY_CODES);
        assert!(codes(&again).is_empty() && !again.body.contains(&shown[0]), "{again:?}");
        assert!(again.body.contains("Unused recovery codes: 10"), "{again:?}");
    }
    // What the browser carried meanwhile says nothing, opens for nobody else, elsewhere or later.
    assert!(shown.iter().all(|code| !sealed.contains(code.as_str())));
    let mut eve = Visitor::signed_in(&site, "eve@example.com");
    eve.turn_on_two_factor();
    eve.cookies.insert(HANDOVER.into(), sealed.clone());
    assert!(codes(&eve.open(RECOVERY_CODES)).is_empty());
    ann.cookies.insert(HANDOVER.into(), sealed.clone());
    assert!(!ann.open(TWO_FACTOR).body.contains(&shown[0]));
    let mut changed = sealed.clone();
    changed.replace_range(20..21, if &sealed[20..21] == "A" { "B" } else { "A" });
    ann.cookies.insert(HANDOVER.into(), changed);
    assert!(codes(&ann.open(RECOVERY_CODES)).is_empty());
    site.world.advance(Duration::from_secs(10 * 60));
    ann.cookies.insert(HANDOVER.into(), sealed);
    assert!(codes(&ann.open(RECOVERY_CODES)).is_empty());
}

#[test]
fn a_key_that_was_set_up_elsewhere_is_never_offered() {
    let site = site();
    let mut thief = Visitor::signed_in(&site, ANN);
    let led = thief.fill_in(TWO_FACTOR, &[("action", "set-up")]);
    let stolen = key(&thief.follow(&led));
    // Whoever comes after begins with a key of their own.
    let mut ann = Visitor::signed_in(&site, ANN);
    assert!(!ann.open(TWO_FACTOR).body.contains("<svg"));
    let led = ann.submit(TWO_FACTOR, &[("action", "set-up")]);
    assert_ne!(key(&ann.follow(&led)), stolen);
    // And the other one is worth nothing then.
    let code = thief.code(&Authenticator::new(&stolen));
    assert_eq!(thief.submit(TWO_FACTOR, &[("action", "turn-on"), ("code", &code)]).status, 401);
}

#[test]
fn new_recovery_codes_take_the_place_of_the_old() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let (app, old) = ann.turn_on_two_factor();
    let page = ann.fill_in(RECOVERY_CODES, &[("code", "000000")]);
    assert_eq!(page.status, 401);
    assert!(page.body.contains("id=\"code-error\">"), "{page:?}");
    let code = ann.code(&app);
    let led = ann.submit(RECOVERY_CODES, &[("code", &code)]);
    let new = codes(&ann.follow(&led));
    assert_eq!(new.len(), CODES);
    assert!(new.iter().all(|code| !old.contains(code)));
    assert!(ann.is_signed_in());
    let turn_off = |code: &str| {
        [("action", "turn-off"), ("password", PASSWORD), ("recovery_code", code)]
            .map(|(n, v)| (n, v.to_owned()))
    };
    for (code, status) in [(&old[0], 401), (&new[0], 303)] {
        let fields = turn_off(code);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(ann.fill_in(TWO_FACTOR, &fields).status, status, "{code}");
    }
}

#[test]
fn the_factor_is_turned_off_with_the_password_and_itself() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let (app, _) = ann.turn_on_two_factor();
    let code = ann.code(&app);
    for (password, code, field) in [
        ("not the password at all", code.as_str(), "password-error"),
        (PASSWORD, "000000", "code-error"),
        (PASSWORD, "", "code-error"),
    ] {
        let page = ann.fill_in(TWO_FACTOR, &[("action", "turn-off"), ("password", password), ("code", code)]);
        assert_eq!(page.status, 401, "{page:?}");
        assert!(page.body.contains(&format!("id=\"{field}\">")) && !page.body.contains(password), "{page:?}");
    }
    assert!(ann.has_two_factor(ANN));
    let before = ann.cookies[SESSION].clone();
    let led = ann.fill_in(TWO_FACTOR, &[("action", "turn-off"), ("password", PASSWORD), ("code", &code)]);
    assert_eq!((led.status, led.header("location")), (303, TWO_FACTOR), "{led:?}");
    assert!(ann.follow(&led).body.contains("Two-factor sign-in is off."));
    assert!(!ann.has_two_factor(ANN) && ann.cookies[SESSION] != before && ann.is_signed_in());
    assert_eq!(ann.open(RECOVERY_CODES).header("location"), TWO_FACTOR, "there are none any more");
}

#[test]
fn what_changes_factors_wants_a_fresh_login() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    ann.open(TWO_FACTOR);
    site.world.advance(Duration::from_secs(5 * 60));
    let led = ann.submit(TWO_FACTOR, &[("action", "set-up")]);
    assert_eq!(led.header("location"), "/auth/confirm?return_to=%2Fauth%2Faccount%2Ftwo-factor", "{led:?}");
    assert!(!ann.cookies.contains_key(HANDOVER));
    assert!(!site.world.events().contains(&"SecondFactorEnrolled".to_owned()));
}

#[test]
fn an_address_that_nobody_has_confirmed_gets_no_factor() {
    let site = site();
    site.world.add_unverified("eve@example.com");
    site.world.add_user(ANN, &[]);
    let mut ann = Visitor::signed_in(&site, ANN);
    assert_eq!(ann.submit(TWO_FACTOR, &[("action", "nonsense")]).status, 403, "no page was opened yet");
    assert_eq!(ann.fill_in(TWO_FACTOR, &[("action", "nonsense")]).header("location"), TWO_FACTOR);
}

#[test]
fn whoever_must_set_up_a_factor_is_led_there_and_nowhere_else() {
    let site = Site::with(&[("rate_limit.enabled", "false"), ("two_factor.required", "all")]);
    let mut ann = Visitor::signed_in(&site, ANN);
    for page in super::account::PAGES {
        let answer = ann.open(page);
        match page {
            TWO_FACTOR => assert_eq!(answer.status, 200, "{answer:?}"),
            "/auth/confirm" => assert_eq!(answer.header("location"), "/auth/account"),
            _ => assert_eq!(answer.header("location"), TWO_FACTOR, "{page}: {answer:?}"),
        }
    }
    assert!(ann.open(TWO_FACTOR).body.contains("must have a second factor before"));
    site.world.advance(Duration::from_secs(5 * 60));
    let led = ann.fill_in(TWO_FACTOR, &[("action", "set-up")]);
    let to = led.header("location").to_owned();
    assert_eq!(ann.fill_in(&to, &[("password", PASSWORD)]).header("location"), TWO_FACTOR);
    ann.turn_on_two_factor();
    assert!(ann.is_signed_in());
}
