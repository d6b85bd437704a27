//! Passkeys that can't be used here: of another domain, or where a browser would take none.

use super::passkeys::{PASSKEYS, SIGN_IN, find_ask, site, site_with, with_passkey};
use super::visitor::Visitor;
use super::{ANN, Answer, Site};
use std::time::Duration;

const CONFIRM: &str = "/auth/confirm";
const PASSWORD_PAGE: &str = "/auth/account/password";

/// Makes the only passkey one of another domain.
fn move_away(site: &Site) {
    assert_eq!(site.world.database().change("UPDATE passkeys SET rp_id = 'example.org'", &[]), 1);
}

#[test]
fn one_of_another_domain_is_shown_as_such_and_asked_for_nowhere() {
    let site = site();
    let (mut ann, _, codes) = with_passkey(&site);
    let is_marked = |page: &Answer| page.body.contains("badge bad") && page.body.contains("example.org");
    assert!(!is_marked(&ann.open(PASSKEYS)));
    move_away(&site);
    assert!(is_marked(&ann.open(PASSKEYS)));
    let page = ann.open(PASSWORD_PAGE);
    assert_eq!((page.status, find_ask(&page).is_none()), (200, true), "{page:?}");
    assert!(page.body.contains("name=\"recovery_code\""), "{page:?}");
    let mut again = Visitor::new(&site);
    let page = again.with_password();
    assert_eq!((page.heading(), find_ask(&page).is_none()), ("Second step", true), "{page:?}");
    assert!(page.body.contains("name=\"recovery_code\""), "{page:?}");
    assert_eq!(again.submit(SIGN_IN, &[("recovery_code", &codes[0])]).status, 303);
    site.world.advance(Duration::from_secs(5 * 60));
    let page = again.open(CONFIRM);
    assert_eq!((page.status, find_ask(&page).is_none()), (200, true), "{page:?}");
}

#[test]
fn whoever_has_none_is_asked_for_none() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    assert!(find_ask(&ann.open(PASSWORD_PAGE)).is_none());
    site.world.advance(Duration::from_secs(5 * 60));
    let page = ann.open(CONFIRM);
    assert_eq!((page.status, find_ask(&page).is_none()), (200, true), "{page:?}");
}

#[test]
fn an_address_of_six_groups_is_no_domain_either() {
    let site = site_with(&[("public_url", "http://[::1]:8080")]);
    let page = Visitor::new(&site).open(SIGN_IN);
    assert_eq!((page.heading(), find_ask(&page).is_none()), ("Sign in", true), "{page:?}");
}
