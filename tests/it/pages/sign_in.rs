//! Signing in, registering and asking for links on the pages, over a real socket and without scripts.

use super::visitor::{SESSION, Visitor};
use super::{ANN, FORM, NEW, OTHER, Site};
use crate::authenticator::Authenticator;
use crate::world::{PASSWORD, operator, user_ref};
use authd::domain::password::Password;
use authd::domain::secret::Secret;
use authd::usecase::account::admin::Term;
use authd::usecase::account::{admin, two_factor};
use authd::usecase::signin::login::TICKET_TTL;
use std::time::Duration;

const SIGN_IN: &str = "/auth/sign-in";

fn site() -> Site {
    let site = Site::new();
    site.world.add_user(ANN, &[]);
    site
}

fn sign_in(visitor: &mut Visitor<'_>, at: &str) -> super::Answer {
    visitor.fill_in(at, &[("email", ANN), ("password", PASSWORD)])
}

/// The attributes of a cookie that an answer sets.
fn attributes(answer: &super::Answer, name: &str) -> String {
    let lines = answer.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let found = lines.filter(|line| line.starts_with(&format!("{name}=")));
    found.map(|line| line.split_once("; ").unwrap().1.to_owned()).next().unwrap_or_default()
}

#[test]
fn address_and_password_sign_in_until_the_button_signs_out() {
    let site = site();
    let mut ann = Visitor::new(&site);
    assert_eq!(ann.open("/auth/").header("location"), SIGN_IN);
    let led = sign_in(&mut ann, SIGN_IN);
    assert_eq!((led.status, led.header("location")), (303, "/auth/account"), "{led:?}");
    assert_eq!(
        attributes(&led, SESSION),
        "Path=/; Secure; SameSite=Lax; HttpOnly",
        "no longer than the window"
    );
    assert!(attributes(&led, "__Host-authd_form").contains("Max-Age=0"), "a new session has a new value");
    assert!(ann.is_signed_in());
    assert!(ann.open("/auth/sign-out").body.contains("<h1>Sign out?</h1>"), "a link alone signs nobody out");
    let out = ann.submit("/auth/sign-out", &[]);
    assert_eq!((out.status, out.header("location")), (303, SIGN_IN));
    assert_eq!(out.header("clear-site-data"), "\"cache\", \"storage\"");
    assert!(!ann.cookies.contains_key(SESSION) && !ann.is_signed_in());
    let page = ann.open(SIGN_IN);
    assert!(!page.body.contains("You are signed out."), "it is said once, and was: {page:?}");
    assert!(site.world.events().contains(&"LoggedOut".to_owned()));
}

#[test]
fn what_was_done_is_said_once() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    ann.open("/auth/sign-out");
    let out = ann.submit("/auth/sign-out", &[]);
    assert!(ann.follow(&out).body.contains("You are signed out."));
    assert!(!ann.open(SIGN_IN).body.contains("You are signed out."));
    ann.cookies.insert("__Host-authd_notice".into(), "<b>".into());
    assert!(!ann.open(SIGN_IN).body.contains("<b>"));
}

#[test]
fn whoever_stays_signed_in_keeps_the_cookie_for_the_sessions_life() {
    let site = site();
    let mut ann = Visitor::new(&site);
    let led = ann.fill_in(SIGN_IN, &[("email", ANN), ("password", PASSWORD), ("remember", "on")]);
    assert!(attributes(&led, SESSION).contains("Max-Age=2592000"), "{led:?}");
}

#[test]
fn a_mistake_comes_back_beside_what_was_typed() {
    let site = site();
    let mut ann = Visitor::new(&site);
    for (email, password) in [(ANN, OTHER), ("nobody@example.com", PASSWORD), ("<i>\"x", ""), (ANN, "")] {
        let page = ann.fill_in(SIGN_IN, &[("email", email), ("password", password)]);
        assert_eq!(page.status, 401, "{email}");
        assert!(page.body.contains("Address and password don’t match."), "{page:?}");
        assert!(
            page.body.contains("aria-invalid=\"true\"") && page.body.contains("aria-describedby=\"error\"")
        );
        assert!(
            !page.body.contains("<i>") && (password.is_empty() || !page.body.contains(password)),
            "{page:?}"
        );
    }
    assert!(ann.open(SIGN_IN).body.contains("value=\"") && !ann.cookies.contains_key(SESSION));
    let kept = ann.fill_in(SIGN_IN, &[("email", ANN), ("password", OTHER), ("remember", "on")]);
    assert!(kept.body.contains("value=\"ann@example.com\""), "{kept:?}");
    assert!(kept.body.contains("type=\"checkbox\" value=\"on\" checked"), "{kept:?}");
}

#[test]
fn guessing_is_bounded_as_at_the_api() {
    let site = site();
    let mut ann = Visitor::new(&site);
    for _ in 0..5 {
        assert_eq!(ann.fill_in(SIGN_IN, &[("email", ANN), ("password", OTHER)]).status, 401);
    }
    let locked = sign_in(&mut ann, SIGN_IN);
    assert_eq!((locked.status, locked.header("retry-after")), (429, "60"), "{locked:?}");
    assert!(locked.body.contains("Wait 60 seconds"));
    site.world.advance(Duration::from_secs(60));
    assert_eq!(sign_in(&mut ann, SIGN_IN).status, 303);
}

#[test]
fn a_form_counts_in_its_own_browser_alone() {
    let site = site();
    let fields = [("email", ANN), ("password", PASSWORD)];
    let mut ann = Visitor::new(&site);
    ann.open(SIGN_IN);
    assert_eq!(ann.submit_with(SIGN_IN, &fields).status, 400, "without the value");
    let own = ann.csrf.clone();
    assert_eq!(ann.submit_with(SIGN_IN, &[&fields[..], &[("csrf", "x")]].concat()).status, 403);
    let mut eve = Visitor::new(&site);
    eve.open(SIGN_IN);
    assert_eq!(eve.submit_with(SIGN_IN, &[&fields[..], &[("csrf", &own)]].concat()).status, 403);
    let body = format!("csrf={own}&email={ANN}&password={}", PASSWORD.replace(' ', "+"));
    let cookie =
        ann.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    for (header, status) in [
        (("sec-fetch-site", "cross-site"), 403),
        (("sec-fetch-site", "same-site"), 403),
        (("content-type", "text/plain"), 415),
    ] {
        let mut headers = vec![("cookie", cookie.as_str()), header];
        headers.extend((header.0 != "content-type").then_some(FORM));
        assert_eq!(site.send("POST", SIGN_IN, &headers, body.as_bytes()).status, status, "{header:?}");
    }
    // A form that was open before signing in is none of the session's.
    assert_eq!(ann.submit(SIGN_IN, &fields).status, 303);
    assert_eq!(ann.submit_with("/auth/sign-out", &[("csrf", &own)]).status, 403);
    assert!(ann.is_signed_in());
}

#[test]
fn another_sites_forms_use_up_nobodys_tries() {
    let site = Site::with(&[("rate_limit.login", "3/1m")]);
    site.world.add_user(ANN, &[]);
    for _ in 0..10 {
        let foreign = site.send("POST", SIGN_IN, &[FORM, ("sec-fetch-site", "cross-site")], b"");
        assert_eq!(foreign.status, 403);
    }
    let foreign = site.send("POST", SIGN_IN, &[FORM, ("origin", "https://evil.example")], b"");
    assert_eq!(foreign.status, 403);
    assert_eq!(sign_in(&mut Visitor::new(&site), SIGN_IN).status, 303);
}

#[test]
fn a_form_that_was_one_too_many_comes_back_with_what_was_typed() {
    let once = [("rate_limit.login", "1/1m"), ("rate_limit.register", "1/1m"), ("rate_limit.mail", "1/1m")];
    let site = Site::with(&once);
    site.world.add_user(ANN, &[]);
    let mut ann = Visitor::new(&site);
    for (page, fields) in [
        (SIGN_IN, &[("email", "a&b@example.com"), ("password", OTHER), ("remember", "on")][..]),
        ("/auth/register", &[("email", "a&b@example.com"), ("password", "short"), ("name", "Ann <Lee>")]),
        ("/auth/forgot-password", &[("email", "a&b@example.com")]),
    ] {
        ann.fill_in(page, fields);
        let again = ann.submit(page, fields);
        let waits = again.header("retry-after").parse::<u64>().unwrap();
        assert_eq!(again.status, 429, "{page} {again:?}");
        assert!(again.body.contains(&format!("Wait {waits} seconds")), "{page} {again:?}");
        for (name, typed) in fields {
            let value = typed.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            match *name {
                "password" => assert!(!again.body.contains(&format!("value=\"{value}")), "{page} {again:?}"),
                "remember" => assert!(again.body.contains("value=\"on\" checked"), "{page} {again:?}"),
                _ => assert!(again.body.contains(&format!("value=\"{value}\"")), "{page} {name} {again:?}"),
            }
        }
        // Nobody is let in by it, and another browser's form still counts for nothing.
        assert_eq!(ann.submit_with(page, &[fields, &[("csrf", "x")]].concat()).status, 403, "{page}");
    }
    assert!(!site.world.events().contains(&"LoginSucceeded".to_owned()));
}

#[test]
fn what_is_not_there_spends_its_budget_too() {
    let site = Site::with(&[("rate_limit.default", "4/1m")]);
    let asked = [
        ("GET", "/auth/nowhere"),
        ("DELETE", SIGN_IN),
        ("POST", "/auth/style.css"),
        ("GET", "/auth/page.js"),
    ];
    let statuses = || asked.map(|(method, path)| site.send(method, path, &[], b"").status);
    assert_eq!(statuses(), [404, 405, 405, 200]);
    assert_eq!(statuses(), [429; 4]);
}

#[test]
fn whoever_signs_out_of_a_session_that_is_over_forgets_it() {
    let site = site();
    let mut ann = Visitor::signed_in(&site, ANN);
    ann.open("/auth/sign-out");
    admin::disable(&site.world.app, &operator(), &user_ref(ANN)).unwrap();
    let out = ann.submit("/auth/sign-out", &[]);
    assert_eq!((out.status, out.header("location")), (303, SIGN_IN), "{out:?}");
    assert!(!ann.cookies.contains_key(SESSION));
}

#[test]
fn a_new_sign_in_ends_the_browsers_earlier_session() {
    let site = site();
    let mut ann = Visitor::new(&site);
    ann.open(SIGN_IN);
    let (first_form, jar) = (ann.csrf.clone(), ann.cookies.clone());
    assert_eq!(sign_in(&mut ann, SIGN_IN).status, 303);
    let first = ann.cookies[SESSION].clone();
    // As after a click in another window, which had the form open.
    ann.cookies.extend(jar);
    ann.cookies.remove(SESSION);
    ann.csrf = first_form;
    let headers_with_first = format!("{SESSION}={first}");
    let mut again = Visitor::new(&site);
    again.open(SIGN_IN);
    again.cookies.insert(SESSION.into(), first.clone());
    assert_eq!(again.open(SIGN_IN).header("location"), "/auth/account");
    let body = format!(
        "email={ANN}&password={}&csrf={}",
        PASSWORD.replace(' ', "+"),
        again_csrf(&site, &headers_with_first)
    );
    let headers = [("cookie", headers_with_first.as_str()), FORM, ("sec-fetch-site", "same-origin")];
    assert_eq!(site.send("POST", SIGN_IN, &headers, body.as_bytes()).status, 303);
    assert!(!again.is_signed_in(), "the earlier session has ended");
}

/// The value of the forms of a session.
fn again_csrf(site: &Site, cookie: &str) -> String {
    let page = site.send("GET", "/auth/sign-out", &[("cookie", cookie)], b"");
    page.body.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

#[test]
fn nothing_leads_to_another_site() {
    let site = Site::with(&[("redirects.allowed", "https://shop.example.com/in?a=b")]);
    site.world.add_user(ANN, &[]);
    for wish in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/auth/../../evil",
        "https://shop.example.com/in",
        "https://shop.example.com/in?a=b#c",
        "https://shop.example.com/in?a=b%0d%0ax:y",
        "javascript:alert(1)",
        "/auth//evil\n",
        "@evil.example",
        "/other",
    ] {
        let query: String = form_urlencoded::byte_serialize(wish.as_bytes()).collect();
        let led = sign_in(&mut Visitor::new(&site), &format!("{SIGN_IN}?return_to={query}"));
        let to = led.header("location");
        assert_eq!(to, "/auth/account", "{wish}");
    }
    for wish in ["https://shop.example.com/in?a=b", "/auth/account?tab=2"] {
        let query: String = form_urlencoded::byte_serialize(wish.as_bytes()).collect();
        let mut ann = Visitor::new(&site);
        let page = ann.open(&format!("{SIGN_IN}?return_to={query}"));
        let policy = page.header("content-security-policy");
        let lists = policy.contains("form-action 'self' https://shop.example.com;");
        assert_eq!(lists, wish.starts_with("https"), "{policy}");
        let led = sign_in(&mut ann, &format!("{SIGN_IN}?return_to={query}"));
        assert_eq!(led.header("location"), wish);
        let again = ann.open(&format!("{SIGN_IN}?return_to={query}"));
        assert_eq!(again.header("location"), wish, "whoever is signed in goes on at once");
    }
}

/// Turns Ann's second factor on; gives her app and a recovery code.
fn with_two_factor(site: &Site) -> (Authenticator, String) {
    let caller = site.world.caller(&site.world.login(ANN).unwrap());
    let setup = two_factor::setup(&site.world.app, &caller).unwrap();
    let app = Authenticator::new(setup.secret.expose());
    let code = Secret::new(app.code_at(site.world.now().as_secs()));
    let codes = two_factor::enable(&site.world.app, &caller, &code).unwrap().codes;
    site.world.advance(Duration::from_secs(30));
    (app, codes[0].expose().clone())
}

#[test]
fn the_second_step_stands_on_the_same_page() {
    let site = site();
    let (app, recovery_code) = with_two_factor(&site);
    let mut ann = Visitor::new(&site);
    let at = "/auth/sign-in?return_to=%2Fauth%2Faccount%3Fx%3D1";
    let led = ann.fill_in(at, &[("email", ANN), ("password", PASSWORD), ("remember", "on")]);
    assert_eq!(led.header("location"), at, "{led:?}");
    let step = ann.follow(&led);
    assert!(step.body.contains("<h1>Second step</h1>") && !step.body.contains("authd_2fa_"), "{step:?}");
    let wrong = ann.submit(at, &[("code", "000000")]);
    assert!(wrong.status == 401 && wrong.body.contains("This code is not valid"), "{wrong:?}");
    let code = app.code_at(site.world.now().as_secs());
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let led = ann.submit(at, &[("code", &spaced)]);
    assert_eq!((led.status, led.header("location")), (303, "/auth/account?x=1"), "{led:?}");
    assert!(attributes(&led, SESSION).contains("Max-Age="), "stays signed in, as was ticked before");
    assert!(!ann.cookies.contains_key("__Host-authd_ticket") && ann.is_signed_in());

    let mut other = Visitor::new(&site);
    sign_in(&mut other, SIGN_IN);
    assert!(other.open("/auth/sign-in?recovery=1").body.contains("name=\"recovery_code\""));
    assert_eq!(other.submit(SIGN_IN, &[("recovery_code", &recovery_code)]).status, 303);
    assert!(other.is_signed_in());
}

#[test]
fn a_ticket_that_is_burnt_or_too_old_begins_from_the_front() {
    let site = site();
    with_two_factor(&site);
    let mut ann = Visitor::new(&site);
    let led = sign_in(&mut ann, SIGN_IN);
    ann.follow(&led);
    for _ in 0..4 {
        assert!(ann.submit(SIGN_IN, &[("code", "000000")]).body.contains("<h1>Second step</h1>"));
    }
    let burnt = ann.submit(SIGN_IN, &[("code", "000000")]);
    assert!(burnt.status == 401 && burnt.body.contains("<h1>Sign in</h1>"), "{burnt:?}");
    assert!(burnt.body.contains("Sign in once more") && !ann.cookies.contains_key("__Host-authd_ticket"));

    let led = sign_in(&mut ann, SIGN_IN);
    ann.follow(&led);
    site.world.advance(TICKET_TTL + Duration::from_secs(1));
    ann.cookies.remove("__Host-authd_ticket");
    let late = ann.submit(SIGN_IN, &[("code", "000000")]);
    assert!(late.status == 401 && late.body.contains("Sign in once more"), "{late:?}");

    let led = sign_in(&mut ann, SIGN_IN);
    assert!(ann.follow(&led).body.contains("/auth/sign-in?again=1"));
    let again = ann.open("/auth/sign-in?again=1");
    assert!(ann.follow(&again).body.contains("<h1>Sign in</h1>"));
}

#[test]
fn a_password_that_must_be_changed_is_changed_on_the_same_page() {
    let site = site();
    let made = Password::new("made for her by somebody").unwrap();
    admin::set_password(&site.world.app, &operator(), &user_ref(ANN), &made, Term::Temporary).unwrap();
    let mut ann = Visitor::new(&site);
    let led = ann.fill_in(SIGN_IN, &[("email", ANN), ("password", made.expose())]);
    assert_eq!(led.header("location"), SIGN_IN, "{led:?}");
    let due = ann.follow(&led);
    assert!(
        due.body.contains("<h1>Choose a new password</h1>") && !due.body.contains("authd_pc_"),
        "{due:?}"
    );
    let new = |first: &'static str, second| [("new_password", first), ("new_password_again", second)];
    let differ = ann.submit(SIGN_IN, &new(OTHER, PASSWORD));
    assert!(differ.status == 422 && differ.body.contains("not the same"), "{differ:?}");
    let weak = ann.submit(SIGN_IN, &new("short", "short"));
    assert!(weak.status == 422 && weak.body.contains("shorter"), "{weak:?}");
    assert_eq!(ann.submit(SIGN_IN, &new(OTHER, OTHER)).header("location"), "/auth/account");
    assert!(ann.is_signed_in());
}

#[test]
fn an_address_that_waits_for_its_link_is_told_so() {
    let site = Site::new();
    site.world.add_unverified(ANN);
    let page = sign_in(&mut Visitor::new(&site), SIGN_IN);
    assert_eq!(page.status, 403);
    assert!(page.body.contains("has not been confirmed yet"), "{page:?}");
    assert!(page.body.contains("href=\"/auth/send-confirmation\""), "{page:?}");
    admin::disable(&site.world.app, &operator(), &user_ref(ANN)).unwrap();
    assert!(sign_in(&mut Visitor::new(&site), SIGN_IN).body.contains("This account is disabled."));
}

#[test]
fn registering_says_the_same_of_a_taken_address() {
    let site = site();
    let register = |email: &str| {
        let mut somebody = Visitor::new(&site);
        let fields = [("name", "Somebody"), ("email", email), ("password", OTHER)];
        let led = somebody.fill_in("/auth/register", &fields);
        assert_eq!((led.status, led.header("location")), (303, SIGN_IN), "{led:?}");
        let said = somebody.follow(&led).body;
        said.split_once("class=\"notice\"").unwrap().1.split_once("</p>").unwrap().0.to_owned()
    };
    assert_eq!(register(ANN), register(NEW));
    site.world.work_off();
    assert!(
        site.world.mails(NEW)[0].kind == "verify_email"
            && site.world.mails(ANN)[0].kind == "already_registered"
    );
}

#[test]
fn a_registration_with_mistakes_comes_back_with_each() {
    let site = Site::new();
    let fields = [("name", "Ann\u{7}"), ("email", "ann"), ("password", "short")];
    let page = Visitor::new(&site).fill_in("/auth/register", &fields);
    assert_eq!(page.status, 422);
    for part in ["id=\"email-error\"", "id=\"name-error\"", "value=\"ann\""] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    let fields = [("email", ANN), ("password", "short")];
    let page = Visitor::new(&site).fill_in("/auth/register", &fields);
    assert!(page.status == 422 && page.body.contains("id=\"password-error\""), "{page:?}");
    assert!(!page.body.contains("value=\"short\""), "{page:?}");
    let closed = Site::with(&[("registration", "closed")]);
    let refused = Visitor::new(&closed).open("/auth/register");
    assert!(refused.status == 403 && refused.body.contains("Nobody can register here"), "{refused:?}");
    assert!(!Visitor::new(&closed).open(SIGN_IN).body.contains("/auth/register"));
}

#[test]
fn a_forgotten_password_brings_a_link_and_nothing_else() {
    let site = site();
    let ask = |email: &str| {
        let mut somebody = Visitor::new(&site);
        let led = somebody.fill_in("/auth/forgot-password", &[("email", email)]);
        assert_eq!((led.status, led.header("location")), (303, SIGN_IN));
        somebody.follow(&led).body
    };
    let strip = |page: String| page.split("value=\"").next().unwrap().to_owned();
    assert_eq!(strip(ask(ANN)), strip(ask("nobody@example.com")));
    site.world.work_off();
    assert_eq!(site.world.mails(ANN).len(), 1);
    let page = Visitor::new(&site).fill_in("/auth/forgot-password", &[("email", "ann")]);
    assert!(page.status == 422 && page.body.contains("id=\"email-error\""), "{page:?}");
}

#[test]
fn the_language_is_the_browsers_or_the_one_that_was_chosen() {
    let site = Site::new();
    let page = site.send("GET", SIGN_IN, &[("accept-language", "de-AT,en;q=0.5")], b"");
    assert!(page.body.contains("<html lang=\"de\">") && page.body.contains("<h1>Anmelden</h1>"), "{page:?}");
    let mut somebody = Visitor::new(&site);
    assert!(somebody.open("/auth/sign-in?lang=fr").body.contains("<html lang=\"fr\">"));
    assert!(somebody.open(SIGN_IN).body.contains("<html lang=\"fr\">"), "it is kept");
    assert!(somebody.open("/auth/sign-in?lang=%3Cx%3E").body.contains("<html lang=\"fr\">"));
}

#[test]
fn odd_languages_harm_nobody() {
    let site = Site::new();
    let odd: Vec<_> =
        (0..100).map(|n| format!("x{n};q={}", if n % 2 == 0 { "NaN" } else { "0.5" })).collect();
    for _ in 0..20 {
        assert_eq!(site.send("GET", SIGN_IN, &[("accept-language", &odd.join(","))], b"").status, 200);
    }
    assert_eq!(site.send("GET", SIGN_IN, &[], b"").status, 200);
}

#[test]
fn without_pages_only_what_mails_lead_to_is_there() {
    let site = Site::with(&[("pages.enabled", "false")]);
    for path in ["/auth/", SIGN_IN, "/auth/register", "/auth/forgot-password", "/auth/sign-out"] {
        assert_eq!(site.send("GET", path, &[], b"").status, 404, "{path}");
    }
    let token = site.verification();
    assert_eq!(site.open("/auth/verify-email", &token).status, 200);
    assert_eq!(site.send("GET", "/auth/style.css", &[], b"").status, 200);
}

#[test]
fn the_name_the_colour_and_the_logo_are_the_services() {
    let folder = tempfile::tempdir().unwrap();
    let logo = folder.path().join("logo");
    std::fs::write(&logo, "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    let site = Site::with(&[
        ("pages.name", "Example"),
        ("pages.accent", "#0f766e"),
        ("pages.logo_file", logo.to_str().unwrap()),
    ]);
    let page = site.send("GET", SIGN_IN, &[], b"");
    assert!(page.body.contains("Sign in – Example</title>") && page.body.contains("src=\"/auth/logo\""));
    let style = site.send("GET", "/auth/style.css", &[], b"");
    assert!(
        style.body.ends_with("}}\n") && style.body.contains(":root{--accent:#0f766e;--on-accent:#ffffff}")
    );
    let picture = site.send("GET", "/auth/logo", &[], b"");
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml"));
    assert_eq!(Site::new().send("GET", "/auth/logo", &[], b"").status, 404);
}
