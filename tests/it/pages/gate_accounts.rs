//! Whose account is at an application's door: another one than before, and one whose cookie leaked.

use super::gate::{BOB, Tab, WIKI, name, site};
use super::visitor::Visitor;
use super::{ANN, Answer, FORM};
use crate::world::{PASSWORD, operator, user_ref};
use authd::domain::role::RoleName;
use authd::usecase::account::roles;
use authd::usecase::gate::apps;
use authd::usecase::session::inspect::inspect;
use authd::usecase::session::tokens::{self, Target};

/// The address behind "Use another account".
fn another_account(refused: &Answer) -> String {
    let (before, _) = refused.body.split_once("\">Use another account").unwrap();
    let link = before.rsplit_once("href=\"").unwrap().1;
    link.replace("&#x2f;", "/").replace("&amp;", "&")
}

#[test]
fn whoever_takes_another_account_comes_to_the_application_after_all() {
    let site = site();
    let mut bob = Visitor::signed_in(&site, BOB);
    let mut wiki = Tab::at(&site, WIKI);
    let sign_in = wiki.begins("/page");
    let sign_out = another_account(&bob.open(&sign_in));
    assert!(sign_out.starts_with("/auth/sign-out?app=wiki&state="), "{sign_out}");
    bob.open(&sign_out);
    let led = bob.submit(&sign_out, &[]);
    assert_eq!((led.status, led.header("location")), (303, sign_in.as_str()), "{led:?}");
    let led = bob.fill_in(&sign_in, &[("email", ANN), ("password", PASSWORD)]);
    let led = bob.follow(&led);
    let callback = led.header("location").strip_prefix("https://wiki.example.com").unwrap();
    assert_eq!(wiki.get(callback).header("location"), "/page");

    // The same from the application's own host, where the proxy says which page it was.
    let editor = RoleName::parse("editor").unwrap();
    roles::unassign(&site.world.app, &operator(), &user_ref(ANN), std::slice::from_ref(&editor)).unwrap();
    let sign_out = another_account(&wiki.goes_to("/page?a=b&c=d"));
    assert_eq!(sign_out, "/.authd/sign-out?return_to=%2Fpage%3Fa%3Db%26c%3Dd");
    let page = wiki.get(&sign_out);
    let csrf = page.body.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap();
    let led =
        wiki.send("POST", &sign_out, &[FORM, ("sec-fetch-site", "same-origin")], &format!("csrf={csrf}"));
    let to = "https://auth.example.com/auth/sign-in?app=wiki&return_to=%2Fpage%3Fa%3Db%26c%3Dd";
    assert_eq!((led.status, led.header("location")), (303, to), "{led:?}");
    // No other host, whatever the address says.
    let led = wiki.get("/.authd/sign-out?return_to=//evil.example");
    assert_eq!(led.header("location"), "https://auth.example.com/auth/sign-in", "{led:?}");
}

#[test]
fn an_operator_can_tell_an_applications_cookie_that_leaked_and_end_its_session() {
    let site = site();
    let mut wiki = Tab::at(&site, WIKI);
    let mut ann = Visitor::signed_in(&site, ANN);
    wiki.comes_in(&mut ann, "/");
    let app = &site.world.app;
    let look = |value: &str| {
        let found = inspect(app, &operator(), value).unwrap();
        (found.kind, found.flaw.is_none(), found.facts.name)
    };
    let cookie = wiki.cookies["__Host-authd_app"].clone();
    assert_eq!(look(&cookie), ("app_session_cookie", true, Some("wiki".into())));
    let forged = format!("{}AAAAAAAA", &cookie[..cookie.len() - 8]);
    assert_eq!(look(&forged), ("app_session_cookie", false, None));
    let end = |value: &str| tokens::revoke(app, &operator(), &Target::Token(value.to_owned()));
    assert!(end(&forged).is_err());
    assert_eq!(wiki.status(), 200);
    assert_eq!(end(&cookie), Ok(1));
    assert_eq!((wiki.status(), ann.is_signed_in(), end(&cookie)), (401, false, Ok(0)));
    assert_eq!(look(&cookie), ("app_session_cookie", false, Some("wiki".into())));
    // Of an application that is gone nothing is known.
    apps::delete(app, &operator(), &name("wiki")).unwrap();
    assert_eq!(look(&cookie), ("app_session_cookie", false, None));
}
