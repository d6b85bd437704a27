//! Applications on other hosts: the whole dance of a browser between an application's host and the sign-in
//! page, as its proxies lead it, and the attacks on it.

use super::visitor::Visitor;
use super::{ANN, Answer, FORM, Site};
use crate::world::{operator, user_ref};
use authd::domain::application::{Allow, AppName, AppOrigin};
use authd::domain::role::{Role, RoleName};
use authd::usecase::account::{admin, roles};
use authd::usecase::gate::apps::{self, Changes, NewApp};
use std::collections::BTreeMap;
use std::time::Duration;

pub const BOB: &str = "bob@example.com";
pub const WIKI: &str = "wiki.example.com";
const SHOP: &str = "shop.example.com";
const PUBLIC: &str = "https://auth.example.com";

/// Ann, an editor, and Bob; the wiki is for editors, the shop for everybody.
pub fn site() -> Site {
    let site = Site::with(&[
        ("proxy.trusted", "127.0.0.1"),
        ("public_url", PUBLIC),
        ("rate_limit.enabled", "false"),
    ]);
    let (app, operator) = (&site.world.app, operator());
    let editor = RoleName::parse("editor").unwrap();
    let role = Role { name: editor.clone(), description: String::new(), permissions: Vec::new() };
    roles::add(app, &operator, &role).unwrap();
    site.world.add_user(ANN, &["editor"]);
    site.world.add_user(BOB, &[]);
    for (name, host, allow) in [("wiki", WIKI, Allow::Roles(vec![editor])), ("shop", SHOP, Allow::Everyone)] {
        add(&site, name, host, allow);
    }
    site
}

fn add(site: &Site, name: &str, host: &str, allow: Allow) {
    let origin = AppOrigin::parse(&format!("https://{host}")).unwrap();
    let new = NewApp { name: AppName::parse(name).unwrap(), origin, allow };
    apps::add(&site.world.app, &operator(), &new).unwrap();
}

pub fn name(text: &str) -> AppName {
    AppName::parse(text).unwrap()
}

/// A browser's tab at the host of an application: what it keeps of that host, and what its proxy says.
pub struct Tab<'a> {
    site: &'a Site,
    host: &'static str,
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Tab<'a> {
    pub fn at(site: &'a Site, host: &'static str) -> Self {
        Self { site, host, cookies: BTreeMap::new() }
    }

    pub fn send(&mut self, method: &str, target: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("x-forwarded-host", self.host), ("x-forwarded-proto", "https")];
        headers.extend((!cookies.is_empty()).then_some(("cookie", cookies.as_str())));
        headers.extend(more);
        let answer = self.site.send(method, target, &headers, body.as_bytes());
        for line in answer.head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (pair, attributes) = line.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                assert!(name.starts_with("__Host-") && attributes.contains("HttpOnly"), "{line}");
                assert!(attributes.contains("SameSite=Lax") && attributes.contains("Secure"), "{line}");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub fn get(&mut self, target: &str) -> Answer {
        self.send("GET", target, &[], "")
    }

    /// What the gate says of a navigation to this path.
    pub fn goes_to(&mut self, path: &str) -> Answer {
        let asked =
            [("x-forwarded-method", "GET"), ("x-forwarded-uri", path), ("sec-fetch-mode", "navigate")];
        self.send("GET", "/api/auth/verify", &asked, "")
    }

    /// The gate's status for a picture on a page, as a program asks.
    pub fn status(&mut self) -> u16 {
        self.send("GET", "/api/auth/verify", &[("x-forwarded-method", "GET")], "").status
    }

    /// Begins, and gives the path of the sign-in page that it leads to.
    pub fn begins(&mut self, path: &str) -> String {
        let led = self.goes_to(path);
        assert_eq!(led.status, 302, "{led:?}");
        let start =
            led.header("location").strip_prefix(&format!("https://{}", self.host)).unwrap().to_owned();
        let led = self.get(&start);
        assert_eq!(led.status, 302, "{led:?}");
        led.header("location").strip_prefix(PUBLIC).unwrap().to_owned()
    }

    /// The path of the callback that somebody who is signed in is led to.
    pub fn callback_of(&self, person: &mut Visitor<'_>, sign_in: &str) -> String {
        let led = person.open(sign_in);
        assert_eq!(led.status, 303, "{led:?}");
        led.header("location").strip_prefix(&format!("https://{}", self.host)).unwrap().to_owned()
    }

    /// Comes in as somebody who is signed in.
    pub fn comes_in(&mut self, person: &mut Visitor<'_>, path: &str) {
        let sign_in = self.begins(path);
        let callback = self.callback_of(person, &sign_in);
        let led = self.get(&callback);
        assert_eq!((led.status, led.header("location")), (303, path), "{led:?}");
    }
}

#[test]
fn a_browser_without_a_session_comes_to_the_page_that_it_wanted() {
    let site = site();
    let mut wiki = Tab::at(&site, WIKI);
    let sign_in = wiki.begins("/page?a=b&c=d");
    assert!(sign_in.starts_with("/auth/sign-in?app=wiki&state="), "{sign_in}");
    let mut ann = Visitor::new(&site);
    let page = ann.open(&sign_in);
    assert!(page.body.contains("To go on to wiki.example.com."), "{page:?}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://wiki.example.com;"), "{policy}");
    let led = ann.submit(&sign_in, &[("email", ANN), ("password", crate::world::PASSWORD)]);
    assert_eq!((led.status, led.header("location")), (303, sign_in.as_str()), "{led:?}");
    let callback = wiki.callback_of(&mut ann, &sign_in);
    assert!(callback.starts_with("/.authd/callback?code=authd_ag_"), "{callback}");
    let led = wiki.get(&callback);
    assert_eq!((led.status, led.header("location")), (303, "/page?a=b&c=d"), "{led:?}");
    assert_eq!(wiki.cookies.keys().collect::<Vec<_>>(), ["__Host-authd_app", "__Host-authd_state"]);
    let let_through = wiki.goes_to("/page");
    assert_eq!((let_through.status, let_through.header("remote-email")), (200, ANN), "{let_through:?}");
    // The next application asks nobody anything.
    let mut shop = Tab::at(&site, SHOP);
    shop.comes_in(&mut ann, "/");
    assert_eq!(shop.status(), 200);
    let told: Vec<_> = site.world.events().into_iter().filter(|event| event == "AppSignedIn").collect();
    assert_eq!(told.len(), 2);
}

#[test]
fn only_a_person_who_goes_to_a_page_is_led_anywhere() {
    let site = site();
    let mut wiki = Tab::at(&site, WIKI);
    for (more, status) in [
        (&[("sec-fetch-mode", "navigate")][..], 302),
        (&[("accept", "text/html,*/*")], 302),
        (&[("sec-fetch-mode", "cors"), ("accept", "text/html")], 401),
        (&[("accept", "application/json")], 401),
        (&[("sec-fetch-mode", "navigate"), ("x-forwarded-method", "POST")], 401),
        (&[("sec-fetch-mode", "navigate"), ("x-forwarded-method", "HEAD")], 401),
        (&[("sec-fetch-mode", "navigate"), ("authorization", "Bearer x")], 401),
        (&[("sec-fetch-mode", "navigate"), ("authorization", "Basic eDp5")], 302),
        (
            &[("sec-fetch-mode", "navigate"), ("x-forwarded-method", "GET"), ("x-forwarded-method", "GET")],
            401,
        ),
        (&[], 401),
    ] {
        let answer = wiki.send("GET", "/api/auth/verify", more, "");
        assert_eq!(answer.status, status, "{more:?} {answer:?}");
    }
    for (path, back) in [("/a b", "%2F"), ("//evil.example", "%2F"), ("/\\evil", "%2F"), ("/ok", "%2Fok")] {
        let answer = wiki.goes_to(path);
        let to = answer.header("location");
        assert_eq!(to, format!("https://wiki.example.com/.authd/start?return_to={back}"), "{path}");
    }
    // By name the host doesn't matter; an unknown one lets nobody in and leads nobody on.
    let mut other = Tab::at(&site, "other.example.com");
    let named = other.send("GET", "/api/auth/verify?app=wiki", &[("sec-fetch-mode", "navigate")], "");
    assert!(named.header("location").starts_with("https://wiki.example.com/.authd/start"), "{named:?}");
    let unknown = other.send("GET", "/api/auth/verify?app=nothing", &[("sec-fetch-mode", "navigate")], "");
    assert_eq!(unknown.status, 401);
    assert_eq!(other.goes_to("/").status, 401, "no application stands there");
}

#[test]
fn whoever_may_not_use_an_application_is_told_by_name() {
    let site = site();
    let mut bob = Visitor::signed_in(&site, BOB);
    let mut wiki = Tab::at(&site, WIKI);
    let sign_in = wiki.begins("/");
    let refused = bob.open(&sign_in);
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains(BOB), "{refused:?}");
    assert!(!refused.body.contains("editor"), "the rule is no business of theirs");
    // Whoever loses the role is out on the next request, with a page that says who they are.
    let mut ann = Visitor::signed_in(&site, ANN);
    wiki.comes_in(&mut ann, "/");
    let editor = RoleName::parse("editor").unwrap();
    roles::unassign(&site.world.app, &operator(), &user_ref(ANN), std::slice::from_ref(&editor)).unwrap();
    let refused = wiki.goes_to("/page");
    assert_eq!((refused.status, refused.header("content-type")), (403, "text/html; charset=utf-8"));
    assert!(refused.body.contains(ANN) && refused.body.contains("/.authd/sign-out"), "{refused:?}");
    assert!(refused.body.contains("href=\"https://auth.example.com/auth/style.css\""), "{refused:?}");
    assert!(!refused.body.contains("lang=de"), "at the application's page no link leads to another language");
    let policy = refused.header("content-security-policy");
    assert!(policy.contains("style-src 'self' https://auth.example.com;"), "{policy}");
    let for_programs = wiki.send("GET", "/api/auth/verify", &[("x-forwarded-method", "GET")], "");
    assert_eq!(for_programs.header("content-type"), "application/problem+json");
}

#[test]
fn a_code_is_good_once_in_its_browser_for_its_application_and_a_minute() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let mut wiki = Tab::at(&site, WIKI);
    let refused = |tab: &mut Tab<'_>, callback: &str| {
        let answer = tab.get(callback);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains("Signing in didn’t work"), "{answer:?}");
        assert!(!tab.cookies.contains_key("__Host-authd_app"));
    };
    // Twice.
    let sign_in = wiki.begins("/");
    let callback = wiki.callback_of(&mut ann, &sign_in);
    assert_eq!(wiki.get(&callback).status, 303);
    wiki.cookies.remove("__Host-authd_app");
    refused(&mut wiki, &callback);
    // In another browser, which has begun itself or not; and then no more in its own.
    let callback = wiki.callback_of(&mut ann, &sign_in);
    let mut eve = Tab::at(&site, WIKI);
    refused(&mut eve, &callback);
    refused(&mut wiki, &callback);
    let callback = wiki.callback_of(&mut ann, &sign_in);
    eve.begins("/");
    refused(&mut eve, &callback);
    // For another application.
    let callback = wiki.callback_of(&mut ann, &sign_in);
    let mut shop = Tab::at(&site, SHOP);
    shop.cookies.clone_from(&wiki.cookies);
    refused(&mut shop, &callback);
    // After a minute.
    let callback = wiki.callback_of(&mut ann, &sign_in);
    site.world.advance(Duration::from_secs(60));
    refused(&mut wiki, &callback);
    for odd in ["", "?code=", "?code=authd_ag_x", "?code=%00"] {
        refused(&mut wiki, &format!("/.authd/callback{odd}"));
    }
}

#[test]
fn nobody_is_signed_in_by_somebody_elses_link() {
    let site = site();
    // Eve begins, and sends Ann where she herself would come back.
    let (mut eve, mut eves) = (Visitor::signed_in(&site, BOB), Tab::at(&site, SHOP));
    let sign_in = eves.begins("/");
    let callback = eves.callback_of(&mut eve, &sign_in);
    let mut anns = Tab::at(&site, SHOP);
    anns.begins("/");
    assert_eq!(anns.get(&callback).status, 400);
    // Or she sends Ann, who is signed in, to her own sign-in page: what comes of it is good in no browser but
    // Eve's, and Eve doesn't see it.
    let mut ann = Visitor::signed_in(&site, ANN);
    let callback = anns.callback_of(&mut ann, &sign_in);
    assert_eq!(anns.get(&callback).status, 400);
}

#[test]
fn a_browser_without_a_state_has_none_that_could_be_guessed() {
    let site = site();
    let mut eve = Visitor::signed_in(&site, BOB);
    for guess in ["A".repeat(43), String::new(), "AA".into()] {
        let led = eve.open(&format!("/auth/sign-in?app=shop&state={guess}&return_to=%2F"));
        let to = led.header("location").strip_prefix("https://shop.example.com").unwrap();
        if to.starts_with("/.authd/start") {
            continue;
        }
        let mut ann = Tab::at(&site, SHOP);
        assert_eq!(ann.get(to).status, 400, "{guess}");
        assert!(ann.cookies.is_empty());
    }
}

#[test]
fn two_windows_don_t_spoil_each_others_sign_in() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let mut wiki = Tab::at(&site, WIKI);
    let first = wiki.begins("/first");
    let second = wiki.begins("/second");
    let callback = wiki.callback_of(&mut ann, &first);
    let other = wiki.callback_of(&mut ann, &second);
    assert_eq!(wiki.get(&callback).header("location"), "/first");
    assert_eq!(wiki.get(&other).header("location"), "/second");
}

#[test]
fn an_applications_cookie_is_good_nowhere_else() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let mut wiki = Tab::at(&site, WIKI);
    wiki.comes_in(&mut ann, "/");
    let value = wiki.cookies["__Host-authd_app"].clone();
    let app = format!("__Host-authd_app={value}");
    let session = format!("__Host-authd_session={value}");
    for cookie in [&app, &session] {
        for path in ["/api/auth/me", "/api/auth/verify", "/api/auth/verify?app=shop"] {
            let answer = site.send("GET", path, &[("cookie", cookie.as_str())], b"");
            assert_eq!(answer.status, 401, "{path} {cookie}");
        }
        let page = site.send("GET", "/auth/sign-in", &[("cookie", cookie.as_str())], b"");
        assert_eq!(page.status, 200, "nobody is signed in by it");
    }
    let mut shop = Tab::at(&site, SHOP);
    shop.cookies.clone_from(&wiki.cookies);
    assert_eq!(shop.status(), 401);
    // Nor is the session's own cookie good under an application's name.
    shop.cookies.insert("__Host-authd_app".into(), ann.cookies[super::visitor::SESSION].clone());
    assert_eq!(shop.status(), 401);
    let mut twice = format!("{app}; {app}");
    let asked = [("x-forwarded-host", WIKI), ("cookie", twice.as_str())];
    assert_eq!(site.send("GET", "/api/auth/verify", &asked, b"").status, 400);
    twice = app.replace("authd_as_", "authd_as_A");
    let asked = [("x-forwarded-host", WIKI), ("cookie", twice.as_str())];
    assert_eq!(site.send("GET", "/api/auth/verify", &asked, b"").status, 401);
}

#[test]
fn whatever_ends_the_session_or_the_rule_counts_on_the_next_request() {
    let site = site();
    let (app, operator) = (&site.world.app, operator());
    let enter = || {
        let mut ann = Visitor::signed_in(&site, ANN);
        let mut wiki = Tab::at(&site, WIKI);
        wiki.comes_in(&mut ann, "/");
        assert_eq!(wiki.status(), 200);
        (ann, wiki)
    };
    let (mut ann, mut wiki) = enter();
    ann.open("/auth/sign-out");
    ann.submit("/auth/sign-out", &[]);
    assert_eq!(wiki.status(), 401, "signed out");

    let (_, mut wiki) = enter();
    admin::disable(app, &operator, &user_ref(ANN)).unwrap();
    assert_eq!(wiki.status(), 401, "disabled");
    admin::enable(app, &operator, &user_ref(ANN)).unwrap();

    let (_, mut wiki) = enter();
    let nobody = Changes { allow: Some(Allow::Roles(Vec::new())), ..Changes::default() };
    apps::edit(app, &operator, &name("wiki"), &nobody).unwrap();
    assert_eq!(wiki.status(), 403, "the rule is another one");
    let everyone = Changes { allow: Some(Allow::Everyone), ..Changes::default() };
    apps::edit(app, &operator, &name("wiki"), &everyone).unwrap();
    assert_eq!(wiki.status(), 200);
    apps::delete(app, &operator, &name("wiki")).unwrap();
    assert_eq!(wiki.status(), 401, "the application is gone");
    site.world.advance(Duration::from_secs(1));
    add(&site, "wiki", WIKI, Allow::Everyone);
    assert_eq!(wiki.status(), 401, "another one of its name is another one");
}

#[test]
fn a_stranger_names_no_host() {
    let site = Site::with(&[("public_url", PUBLIC)]);
    add(&site, "shop", SHOP, Allow::Everyone);
    let mut shop = Tab::at(&site, SHOP);
    for path in ["/.authd/start", "/.authd/callback?code=x", "/.authd/sign-out"] {
        assert_eq!(shop.get(path).status, 404, "{path}");
    }
    assert_eq!(shop.goes_to("/").status, 401);
    let trusting = self::site();
    assert_eq!(Tab::at(&trusting, "other.example.com").get("/.authd/start").status, 404);
    let hosts = [("x-forwarded-host", "wiki.example.com, evil.example")];
    assert_eq!(trusting.send("GET", "/.authd/start", &hosts, b"").status, 400);
}

#[test]
fn signing_out_at_an_application_ends_the_browsers_session() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let (mut wiki, mut shop) = (Tab::at(&site, WIKI), Tab::at(&site, SHOP));
    wiki.comes_in(&mut ann, "/");
    shop.comes_in(&mut ann, "/");
    let page = wiki.get("/.authd/sign-out");
    assert_eq!((page.status, wiki.status()), (200, 200), "a link alone signs nobody out");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://auth.example.com;"), "{policy}");
    let csrf = page.body.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap();
    let own = [FORM, ("sec-fetch-site", "same-origin")];
    assert_ne!(csrf, ann.cookies["__Host-authd_csrf"], "an application's pages can read it");
    assert_eq!(wiki.send("POST", "/.authd/sign-out", &own, "csrf=x").status, 403);
    let foreign = [FORM, ("sec-fetch-site", "same-site")];
    assert_eq!(wiki.send("POST", "/.authd/sign-out", &foreign, &format!("csrf={csrf}")).status, 403);
    let out = wiki.send("POST", "/.authd/sign-out", &own, &format!("csrf={csrf}"));
    assert_eq!(out.header("location"), "https://auth.example.com/auth/sign-in", "{out:?}");
    assert!(wiki.cookies.is_empty(), "{:?}", wiki.cookies);
    assert_eq!((shop.status(), ann.is_signed_in()), (401, false));
    let again = shop.send("POST", "/.authd/sign-out", &own, "csrf=x");
    assert_eq!(again.status, 303, "where nobody is signed in any more, the cookie goes");
    assert!(!shop.cookies.contains_key("__Host-authd_app"));
}

#[test]
fn no_picture_on_a_page_enters_or_spends_anything() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let mut wiki = Tab::at(&site, WIKI);
    let sign_in = wiki.begins("/");
    let callback = wiki.callback_of(&mut ann, &sign_in);
    let picture = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
    assert_eq!(wiki.send("GET", &callback, &picture, "").status, 400);
    assert_eq!(wiki.send("HEAD", &callback, &[], "").status, 400);
    let cookie = format!("__Host-authd_session={}", ann.cookies[super::visitor::SESSION]);
    let more = [("cookie", cookie.as_str()), picture[0], picture[1]];
    assert_eq!(site.send("GET", &sign_in, &more, b"").status, 400);
    assert_eq!(wiki.get(&callback).status, 303, "the code is still good");
}

#[test]
fn a_bookmark_of_the_sign_in_page_leads_to_the_application() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let led = ann.open("/auth/sign-in?app=wiki&return_to=/page");
    assert_eq!(led.header("location"), "https://wiki.example.com/.authd/start?return_to=%2Fpage");
    let refused = Visitor::signed_in(&site, BOB).open("/auth/sign-in?app=wiki");
    assert!(refused.status == 403 && refused.body.contains("<h1>Not for this account</h1>"), "{refused:?}");
}

#[test]
fn a_password_that_is_changed_asks_at_the_applications_anew() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    let mut wiki = Tab::at(&site, WIKI);
    wiki.comes_in(&mut ann, "/");
    let cookie = format!("__Host-authd_session={}", ann.cookies[super::visitor::SESSION]);
    let csrf = ann.cookies["__Host-authd_csrf"].clone();
    let headers = [
        ("cookie", cookie.as_str()),
        ("x-csrf-token", csrf.as_str()),
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
        ("origin", PUBLIC),
    ];
    let body = format!(
        "{{\"current_password\":\"{}\",\"new_password\":\"{}\"}}",
        crate::world::PASSWORD,
        super::OTHER
    );
    let changed = site.send("POST", "/api/auth/password/change", &headers, body.as_bytes());
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(wiki.status(), 401);
}
