//! `/auth/recover`: the page that an operator's link leads to.

use super::passkeys::{ORIGIN, PASSKEYS, SIGN_IN, new_device, site, site_with, with_passkey};
use super::visitor::{SESSION, TWO_FACTOR, Visitor};
use super::{ANN, OTHER, Site};
use crate::world::{PASSWORD, operator, user_ref};
use authd::usecase::account::recover;

const RECOVER: &str = "/auth/recover";
const RECOVERY_CODES: &str = "/auth/account/recovery-codes";

fn recovery_token(site: &Site) -> String {
    let made = recover::make_link(&site.world.app, &operator(), &user_ref(ANN)).unwrap();
    let (page, token) = made.url.expose().split_once("?token=").unwrap();
    assert_eq!(page, format!("{ORIGIN}{RECOVER}"));
    token.to_owned()
}

#[test]
fn a_recovery_link_sets_a_password_and_ends_what_was_before() {
    let site = site();
    let (mut before, mut lost, _) = with_passkey(&site);
    let token = recovery_token(&site);
    let mut ann = Visitor::new(&site);
    let target = format!("{RECOVER}?token={token}");
    for _ in 0..2 {
        let page = ann.open(&target);
        assert_eq!(page.heading(), "Get back into your account");
        assert!(page.body.contains(ANN) && page.body.contains("passkeys"), "{page:?}");
    }
    assert!(before.is_signed_in(), "opening it spends nothing");
    let send = |ann: &mut Visitor<'_>, first: &str, second: &str| {
        let fields = [("token", token.as_str()), ("new_password", first), ("new_password_again", second)];
        ann.submit_with(RECOVER, &fields)
    };
    assert_eq!(send(&mut ann, OTHER, PASSWORD).status, 422);
    let weak = send(&mut ann, "passwordpassword", "passwordpassword");
    assert!(weak.status == 422 && weak.body.contains("common"), "{weak:?}");
    let led = send(&mut ann, OTHER, OTHER);
    assert_eq!((led.status, led.header("location")), (303, "/auth/account/recovered"), "{led:?}");
    let page = ann.follow(&led);
    for href in [PASSKEYS, TWO_FACTOR, "/auth/account"] {
        assert!(page.body.contains(&format!("href=\"{href}\"")), "{href}: {page:?}");
    }
    assert!(ann.is_signed_in() && !before.is_signed_in() && !ann.has_two_factor(ANN));
    // It is fresh: a new passkey can be added at once, and the old one is worth nothing.
    let led = ann.add_passkey(&mut new_device(), "New");
    assert_eq!(led.header("location"), RECOVERY_CODES, "{led:?}");
    let mut thief = Visitor::new(&site);
    let page = thief.open(SIGN_IN);
    assert_eq!(thief.show_passkey(SIGN_IN, &page, &mut lost, &[("alone", "1")]).status, 401);
    // The link is spent.
    for page in [ann.open(&target), send(&mut ann, OTHER, OTHER)] {
        assert_eq!((page.status, page.heading()), (400, "This link doesn’t work any more"));
    }
    let page = ann.open(RECOVER);
    assert_eq!((page.status, page.heading()), (400, "This is not the whole link"));
}

#[test]
fn a_recovery_link_works_where_pages_are_off_and_where_a_factor_is_required() {
    let site = site_with(&[("pages.enabled", "false")]);
    site.world.add_user(ANN, &[]);
    let token = recovery_token(&site);
    let mut ann = Visitor::new(&site);
    assert_eq!(ann.open(&format!("{RECOVER}?token={token}")).status, 200);
    let fields = [("token", token.as_str()), ("new_password", OTHER), ("new_password_again", OTHER)];
    let page = ann.submit_with(RECOVER, &fields);
    assert_eq!((page.status, page.heading()), (200, "You are back in"));
    let cookie = format!("{SESSION}={}", ann.cookies[SESSION]);
    let me = site.send("GET", "/api/auth/me", &[("cookie", &cookie)], b"");
    assert!(me.status == 200 && me.body.contains(ANN), "{me:?}");
    let site = site_with(&[("two_factor.required", "all")]);
    site.world.add_user(ANN, &[]);
    let token = recovery_token(&site);
    let mut ann = Visitor::new(&site);
    let fields = [("token", token.as_str()), ("new_password", OTHER), ("new_password_again", OTHER)];
    let led = ann.submit_with(RECOVER, &fields);
    let page = ann.follow(&led);
    assert!(page.status == 200 && !page.body.contains(">Later<"), "{page:?}");
}

#[test]
fn whoever_was_signed_in_in_that_browser_is_so_no_more() {
    let site = site();
    site.world.add_user(ANN, &[]);
    let mut bob = Visitor::signed_in(&site, "bob@example.com");
    let (cookies, token) = (bob.cookies.clone(), recovery_token(&site));
    let page = bob.open(&format!("{RECOVER}?token={token}"));
    assert!(page.body.contains(ANN), "{page:?}");
    let fields = [("token", token.as_str()), ("new_password", OTHER), ("new_password_again", OTHER)];
    let led = bob.submit_with(RECOVER, &fields);
    assert_eq!((led.status, led.header("location")), (303, "/auth/account/recovered"), "{led:?}");
    let mut before = Visitor { cookies, ..Visitor::new(&site) };
    assert!(bob.is_signed_in() && !before.is_signed_in());
}

#[test]
fn no_passkey_is_offered_where_they_are_off() {
    let site = site_with(&[("passkeys.enabled", "false")]);
    site.world.add_user(ANN, &[]);
    let token = recovery_token(&site);
    let mut ann = Visitor::new(&site);
    let fields = [("token", token.as_str()), ("new_password", OTHER), ("new_password_again", OTHER)];
    let led = ann.submit_with(RECOVER, &fields);
    let page = ann.follow(&led);
    assert!(page.body.contains(&format!("href=\"{TWO_FACTOR}\"")), "{page:?}");
    assert!(!page.body.contains(&format!("href=\"{PASSKEYS}\"")), "{page:?}");
}
