//! Where one is signed in, on a page, and ending it.

use super::visitor::{SESSION, Visitor};
use super::{ANN, Answer, Site};
use crate::world::anonymous;
use authd::domain::caller::Caller;
use std::time::Duration;

const SESSIONS: &str = "/auth/account/sessions";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

fn site() -> Site {
    Site::with(&[("rate_limit.enabled", "false")])
}

/// A session of Ann's on another device.
fn on(site: &Site, user_agent: &str) -> authd::usecase::signin::login::Tokens {
    let caller = Caller { user_agent: Some(user_agent.into()), ..anonymous() };
    site.world.advance(Duration::from_secs(1));
    let started = site.world.first_step(&caller, ANN, crate::world::PASSWORD).unwrap().started().unwrap();
    started.tokens(&site.world.app).unwrap()
}

/// The ids on the page's buttons.
fn buttons(page: &Answer) -> Vec<String> {
    let parts = page.body.split("name=\"session\" value=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn each_session_has_its_device_network_and_a_button_but_this_one() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let phone = on(&site, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1");
    on(&site, "<b>visit https://evil.example</b>");
    let page = ann.open(SESSIONS);
    for part in
        ["This browser", "Safari on an iPhone", "192.0.2.7", "we don’t know", "22 November 2026, 08:00 UTC"]
    {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    assert!(!page.body.contains("evil"), "{page:?}");
    // The API's logins at the start, and the two devices.
    assert!(buttons(&page).contains(&phone.session.to_string()));
    let led = ann.submit(SESSIONS, &[("session", &phone.session.to_string())]);
    assert_eq!((led.status, led.header("location")), (303, SESSIONS), "{led:?}");
    let page = ann.follow(&led);
    assert!(page.body.contains("That session has ended.") && !page.body.contains("iPhone"), "{page:?}");
    assert!(!site.world.is_signed_in(&phone) && ann.is_signed_in());
    // Once more, as of a page that was open before: it is over all the same.
    ann.open(SESSIONS);
    assert_eq!(ann.submit(SESSIONS, &[("session", &phone.session.to_string())]).status, 303);
    assert_eq!(site.world.events().iter().filter(|event| *event == "SessionRevoked").count(), 1);
}

#[test]
fn another_users_session_stays() {
    let site = site();
    site.world.add_user(ANN, &[]);
    let anns = on(&site, FIREFOX);
    let mut eve = Visitor::signed_in(&site, "eve@example.com");
    eve.open(SESSIONS);
    for id in [anns.session.to_string().as_str(), "", "nonsense"] {
        let led = eve.submit(SESSIONS, &[("session", id)]);
        assert_eq!((led.status, led.header("location")), (303, SESSIONS), "{id}: as for one that is over");
    }
    eve.open(SESSIONS);
    eve.submit(SESSIONS, &[("others", "all")]);
    assert!(site.world.is_signed_in(&anns));
    assert!(!site.world.events().contains(&"SessionRevoked".to_owned()));
}

#[test]
fn all_others_end_at_once() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let mut other = Visitor::signed_in(&site, ANN);
    let phone = on(&site, FIREFOX);
    ann.open(SESSIONS);
    let led = ann.submit(SESSIONS, &[("others", "all")]);
    let page = ann.follow(&led);
    assert!(page.body.contains("signed out everywhere else") && buttons(&page).is_empty(), "{page:?}");
    assert!(!site.world.is_signed_in(&phone) && !other.is_signed_in() && ann.is_signed_in());
    assert_eq!(site.world.events().last().unwrap(), "LoggedOutElsewhere");
    ann.open(SESSIONS);
    ann.submit(SESSIONS, &[("others", "all")]);
    let count = site.world.events().iter().filter(|event| *event == "LoggedOutElsewhere").count();
    assert_eq!(count, 1, "the second time there is nothing to end");
}

#[test]
fn ending_this_session_signs_the_browser_out() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let mut other = Visitor::signed_in(&site, ANN);
    let own = buttons(&other.open(SESSIONS));
    let page = ann.open(SESSIONS);
    let own = own.iter().find(|id| !buttons(&page).contains(id)).unwrap().clone();
    let led = ann.submit(SESSIONS, &[("session", &own)]);
    assert_eq!((led.status, led.header("location")), (303, "/auth/sign-in"), "{led:?}");
    assert!(!ann.cookies.contains_key(SESSION) && other.is_signed_in());
    assert!(ann.follow(&led).body.contains("You are signed out."));
}

#[test]
fn a_session_that_was_ended_elsewhere_is_out_on_the_next_request() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let mut other = Visitor::signed_in(&site, ANN);
    other.open("/auth/account/name");
    ann.open(SESSIONS);
    ann.submit(SESSIONS, &[("others", "all")]);
    let led = other.submit("/auth/account/name", &[("name", "Eve")]);
    assert_eq!(led.header("location"), "/auth/sign-in?return_to=%2Fauth%2Faccount%2Fname", "{led:?}");
    assert!(!other.cookies.contains_key(SESSION), "the dead cookie is taken away");
}
