//! Passkeys on the pages: forms as the script completes them, with a device in the browser's place.

use super::visitor::{CODES, SESSION, TWO_FACTOR, Visitor, codes};
use super::{ANN, Answer, OTHER, Site};
use crate::passkeys::device::Device;
use crate::world::{PASSWORD, operator, user_ref};
use serde_json::{Value, json};
use std::time::Duration;

pub const ORIGIN: &str = "https://auth.example.com";
pub const SIGN_IN: &str = "/auth/sign-in";
const CONFIRM: &str = "/auth/confirm";
pub const PASSKEYS: &str = "/auth/account/passkeys";
const RECOVERY_CODES: &str = "/auth/account/recovery-codes";
const PASSWORD_PAGE: &str = "/auth/account/password";
const REFUSED: &str = "This passkey is not accepted";

pub fn site() -> Site {
    site_with(&[])
}

pub fn site_with(more: &[(&str, &str)]) -> Site {
    Site::with(&[&[("rate_limit.enabled", "false"), ("public_url", ORIGIN)], more].concat())
}

pub fn new_device() -> Device {
    Device::new(ORIGIN, "auth.example.com")
}

/// What a page's script asks of the browser: the ceremony and its options. `None`: the page has no such
/// button.
pub fn find_ask(page: &Answer) -> Option<(String, Value)> {
    let rest = page.body.split_once("data-ceremony=\"")?.1;
    let (ceremony, rest) = rest.split_once('"').unwrap();
    let options = rest.split_once("data-options=\"").unwrap().1.split('"').next().unwrap();
    let entities = [("&quot;", "\""), ("&#x2f;", "/"), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">")];
    let options = entities.iter().fold(options.to_owned(), |text, (entity, is)| text.replace(entity, is));
    Some((ceremony.to_owned(), serde_json::from_str(&options.replace("&amp;", "&")).unwrap()))
}

pub fn ask(page: &Answer) -> (String, Value) {
    find_ask(page).unwrap_or_else(|| panic!("the page asks for no passkey: {page:?}"))
}

impl Visitor<'_> {
    /// Completes the form of the page that was opened last, as the script does.
    pub fn show_passkey(
        &mut self,
        target: &str,
        page: &Answer,
        device: &mut Device,
        more: &[(&str, &str)],
    ) -> Answer {
        let (ceremony, options) = ask(page);
        let credential = device.get(&options).to_string();
        self.submit(target, &[more, &[("ceremony", &ceremony), ("credential", &credential)]].concat())
    }

    pub fn add_passkey(&mut self, device: &mut Device, name: &str) -> Answer {
        let page = self.open(PASSKEYS);
        let (ceremony, options) = ask(&page);
        let credential = device.create(&options).to_string();
        let fields =
            [("action", "add"), ("name", name), ("ceremony", &ceremony), ("credential", &credential)];
        self.submit(PASSKEYS, &fields)
    }

    /// The first step, by the password.
    pub fn with_password(&mut self) -> Answer {
        let led = self.fill_in(SIGN_IN, &[("email", ANN), ("password", PASSWORD)]);
        self.follow(&led)
    }
}

/// Ann with a passkey and her recovery codes.
pub fn with_passkey(site: &Site) -> (Visitor<'_>, Device, Vec<String>) {
    let (mut ann, mut device) = (Visitor::signed_in(site, ANN), new_device());
    let led = ann.add_passkey(&mut device, "Phone");
    let codes = codes(&ann.follow(&led));
    (ann, device, codes)
}

/// The id of the only passkey of a page.
pub fn id_in(page: &Answer) -> String {
    let rest = page.body.split_once("name=\"passkey\" value=\"").expect("the page has a passkey").1;
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn the_first_passkey_comes_with_recovery_codes_and_ends_other_sessions() {
    let site = site();
    let (mut other, mut ann) = (Visitor::signed_in(&site, ANN), Visitor::signed_in(&site, ANN));
    let (mut device, before) = (new_device(), ann.cookies[SESSION].clone());
    let led = ann.add_passkey(&mut device, "Phone");
    assert_eq!((led.status, led.header("location")), (303, RECOVERY_CODES), "{led:?}");
    let page = ann.follow(&led);
    assert_eq!(codes(&page).len(), CODES, "{page:?}");
    assert!(page.body.contains("The passkey is added."), "{page:?}");
    assert!(ann.is_signed_in() && !other.is_signed_in() && ann.cookies[SESSION] != before);
    let page = ann.open(PASSKEYS);
    for text in ["Phone", "On one device", "Not used yet"] {
        assert!(page.body.contains(text), "{text}: {page:?}");
    }
    let led = ann.add_passkey(&mut new_device(), "<b>Key</b>");
    assert_eq!(led.header("location"), PASSKEYS, "{led:?}");
    let page = ann.follow(&led);
    assert!(page.body.contains("&lt;b&gt;Key") && !page.body.contains("<b>Key"), "{page:?}");
    assert!(page.body.matches("name=\"action\" value=\"rename\"").count() == 2, "{page:?}");
    let overview = ann.open("/auth/account");
    assert!(overview.body.contains("<span class=\"badge good\">On</span>"), "{overview:?}");
    assert!(ann.open(TWO_FACTOR).body.contains("Passkeys: 2."));
}

#[test]
fn what_a_device_sends_wrong_adds_nothing_and_is_said() {
    let site = site();
    let (mut ann, mut device) = (Visitor::signed_in(&site, ANN), new_device());
    let (ceremony, options) = ask(&ann.open(PASSKEYS));
    let good = device.create(&options).to_string();
    let elsewhere = Device::new("https://evil.example", "auth.example.com").create(&options).to_string();
    let add = |ann: &mut Visitor<'_>, ceremony: &str, credential: &str, name: &str| {
        let fields = [("action", "add"), ("name", name), ("ceremony", ceremony), ("credential", credential)];
        ann.submit(PASSKEYS, &fields)
    };
    let long = "x".repeat(201);
    for (ceremony, credential, name, status, says) in [
        (&*ceremony, "not JSON", "", 422, "no passkey that can be used here"),
        // It was spent with that.
        (&*ceremony, &*good, "", 401, "took too long"),
        ("authd_pk_x", &*good, "", 401, "took too long"),
        (&*ceremony, &*good, &*long, 422, "The name is too long"),
    ] {
        let page = add(&mut ann, ceremony, credential, name);
        assert_eq!(page.status, status, "{credential}: {page:?}");
        assert!(page.body.contains(says), "{says}: {page:?}");
    }
    let (ceremony, _) = ask(&ann.open(PASSKEYS));
    assert_eq!(add(&mut ann, &ceremony, &elsewhere, "").status, 422);
    // Without a script nothing comes with the form.
    assert_eq!(ann.submit(PASSKEYS, &[("action", "add"), ("name", "x")]).status, 401);
    assert!(!ann.has_two_factor(ANN));
    // One that is known already.
    ann.add_passkey(&mut device, "");
    let (ceremony, mut options) = ask(&ann.open(PASSKEYS));
    let known = device.credentials.last().unwrap().id.clone();
    options["excludeCredentials"] = Value::Null;
    let again = device.create_bent(&options, |parts| {
        parts.attested().id_length = known.len();
        parts.attested().id = known.clone();
    });
    let mut again = again;
    again["id"] = data_encoding::BASE64URL_NOPAD.encode(&known).into();
    again["rawId"] = again["id"].clone();
    let page = add(&mut ann, &ceremony, &again.to_string(), "");
    assert_eq!(page.status, 409, "{page:?}");
    assert!(page.body.contains("a passkey for your account already"), "{page:?}");
}

#[test]
fn a_passkey_signs_in_alone_and_goes_where_it_was_wanted() {
    let site = site();
    let (_, mut device, _) = with_passkey(&site);
    let mut ann = Visitor::new(&site);
    let to = "/auth/sign-in?return_to=%2Fauth%2Faccount%2Fsessions";
    let page = ann.open(to);
    assert!(page.body.contains("autocomplete=\"username webauthn\""), "{page:?}");
    assert!(ask(&page).1["allowCredentials"].as_array().is_none_or(Vec::is_empty), "it names nobody's");
    let led = ann.show_passkey(to, &page, &mut device, &[("alone", "1"), ("remember", "on")]);
    assert_eq!((led.status, led.header("location")), (303, "/auth/account/sessions"), "{led:?}");
    let cookie = led.head.lines().find(|line| line.contains(SESSION)).unwrap();
    assert!(cookie.contains("Max-Age="), "it was to be remembered: {cookie}");
    assert!(ann.is_signed_in());
    let listed = ann.open(PASSKEYS);
    assert!(!listed.body.contains("Not used yet") && listed.body.contains("Last used"), "{listed:?}");
    // It is fresh with it.
    assert_eq!(ann.open("/auth/account/delete").status, 200);
}

#[test]
fn a_passkey_that_is_wrong_comes_back_as_the_page_with_words() {
    let site = site();
    let (_, mut device, _) = with_passkey(&site);
    let mut ann = Visitor::new(&site);
    let page = ann.open(SIGN_IN);
    let (ceremony, options) = ask(&page);
    let good = device.get(&options).to_string();
    let unknown = {
        let mut other = new_device();
        other.create(&with_user(&options));
        other.get(&options).to_string()
    };
    for (ceremony, credential) in [
        (&*ceremony, "no JSON"),
        (&*ceremony, &*unknown),
        ("authd_pk_dead", &*good),
        // By now it is spent.
        (&*ceremony, &*good),
    ] {
        ann.open(SIGN_IN);
        let fields = [("alone", "1"), ("ceremony", ceremony), ("credential", credential)];
        let page = ann.submit(SIGN_IN, &fields);
        assert_eq!((page.status, page.body.contains(REFUSED)), (401, true), "{page:?}");
        assert!(!page.body.contains("aria-invalid") && find_ask(&page).is_some(), "{page:?}");
    }
    assert!(!ann.is_signed_in());
    // Five minutes are what a person may take.
    let page = ann.open(SIGN_IN);
    site.world.advance(Duration::from_secs(5 * 60));
    assert_eq!(ann.show_passkey(SIGN_IN, &page, &mut device, &[("alone", "1")]).status, 401);
    let page = ann.open(SIGN_IN);
    assert_eq!(ann.show_passkey(SIGN_IN, &page, &mut device, &[("alone", "1")]).status, 303);
}

/// Options to make a credential, of those to show one.
pub fn with_user(options: &Value) -> Value {
    let parameters = json!([{"type": "public-key", "alg": -8}]);
    json!({"challenge": options["challenge"], "pubKeyCredParams": parameters, "user": {"id": "AAAA"}})
}

#[test]
fn another_sites_form_with_a_passkey_is_refused() {
    let site = site();
    let (mut ann, mut device, _) = with_passkey(&site);
    let mut eve = Visitor::new(&site);
    let page = eve.open(SIGN_IN);
    let (ceremony, options) = ask(&page);
    let credential = device.get(&options).to_string();
    let fields = [("alone", "1"), ("ceremony", ceremony.as_str()), ("credential", credential.as_str())];
    for csrf in ["", "x", &ann.csrf.clone()] {
        let fields = [&fields[..], &[("csrf", csrf)]].concat();
        assert_eq!(eve.submit_with(SIGN_IN, &fields).status, 403);
    }
    assert!(eve.submit_with(SIGN_IN, &fields).status == 400 && !eve.is_signed_in());
    let id = id_in(&ann.open(PASSKEYS));
    for action in ["remove", "rename", "add"] {
        let fields = [("action", action), ("passkey", id.as_str()), ("name", "x"), ("csrf", "x")];
        assert_eq!(ann.submit_with(PASSKEYS, &fields).status, 403, "{action}");
    }
    assert!(ann.open(PASSKEYS).body.contains("Phone"));
}

#[test]
fn a_passkey_is_the_second_step_where_there_is_no_app() {
    let site = site();
    let (_, mut device, codes) = with_passkey(&site);
    let mut ann = Visitor::new(&site);
    let page = ann.with_password();
    assert_eq!(page.heading(), "Second step");
    assert!(!page.body.contains("name=\"code\""), "no code is asked for: {page:?}");
    assert_eq!(ask(&page).1["allowCredentials"].as_array().unwrap().len(), 1);
    let (ceremony, _) = ask(&page);
    let page = ann.submit(SIGN_IN, &[("ceremony", &ceremony), ("credential", "{}")]);
    assert_eq!((page.status, page.body.contains(REFUSED)), (401, true), "{page:?}");
    let led = ann.show_passkey(SIGN_IN, &page, &mut device, &[]);
    assert_eq!((led.status, led.header("location")), (303, "/auth/account"), "{led:?}");
    // Without a script, a recovery code.
    let mut ann = Visitor::new(&site);
    ann.with_password();
    let page = ann.open("/auth/sign-in?recovery=1");
    assert!(page.body.contains("name=\"recovery_code\"") && page.body.contains("Use a passkey"), "{page:?}");
    assert_eq!(ann.submit(SIGN_IN, &[("recovery_code", &codes[0])]).status, 303);
    assert!(ann.is_signed_in());
}

#[test]
fn app_and_passkey_stand_beside_each_other_at_the_second_step() {
    let site = site();
    let (mut ann, mut device, _) = with_passkey(&site);
    let (app, _) = ann.turn_on_two_factor();
    let mut by_code = Visitor::new(&site);
    let page = by_code.with_password();
    assert!(page.body.contains("name=\"code\"") && find_ask(&page).is_some(), "{page:?}");
    let code = by_code.code(&app);
    assert_eq!(by_code.submit(SIGN_IN, &[("code", &code)]).status, 303);
    let mut by_passkey = Visitor::new(&site);
    let page = by_passkey.with_password();
    assert_eq!(by_passkey.show_passkey(SIGN_IN, &page, &mut device, &[]).status, 303);
    // What another window has half done is not in the way of a passkey alone.
    let mut both = Visitor::new(&site);
    let front = both.open(SIGN_IN);
    both.with_password();
    assert_eq!(both.show_passkey(SIGN_IN, &front, &mut device, &[("alone", "1")]).status, 303);
    // The app's end leaves the passkey, and is not said to leave the password alone.
    assert!(by_passkey.open(TWO_FACTOR).body.contains("your passkeys alone are the second factor"));
    site.world.advance(Duration::from_secs(30));
    let code = by_passkey.code(&app);
    let fields = [("action", "turn-off"), ("password", PASSWORD), ("code", &code)];
    assert_eq!(by_passkey.submit(TWO_FACTOR, &fields).status, 303);
    assert!(by_passkey.has_two_factor(ANN));
}

#[test]
fn a_passkey_confirms_who_it_is() {
    let site = site();
    let (mut ann, mut device, _) = with_passkey(&site);
    site.world.advance(Duration::from_secs(5 * 60));
    let page = ann.open(PASSKEYS);
    assert!(find_ask(&page).is_none() && page.body.contains("/auth/confirm?return_to="), "{page:?}");
    let led = ann.open("/auth/account/delete");
    let to = led.header("location").to_owned();
    assert_eq!(to, "/auth/confirm?return_to=%2Fauth%2Faccount%2Fdelete");
    let page = ann.open(&to);
    let mut other = new_device();
    other.create(&with_user(&ask(&page).1));
    let page = ann.show_passkey(&to, &page, &mut other, &[]);
    assert_eq!((page.status, page.body.contains(REFUSED)), (401, true), "{page:?}");
    let led = ann.show_passkey(&to, &page, &mut device, &[]);
    assert_eq!((led.status, led.header("location")), (303, "/auth/account/delete"), "{led:?}");
    assert_eq!(ann.follow(&led).status, 200);
    // Of somebody else's nothing is confirmed.
    let mut eve = Visitor::signed_in(&site, "eve@example.com");
    eve.add_passkey(&mut new_device(), "");
    site.world.advance(Duration::from_secs(5 * 60));
    let page = eve.open(CONFIRM);
    assert_eq!(eve.show_passkey(CONFIRM, &page, &mut device, &[]).status, 401);
}

#[test]
fn renaming_and_removing_take_no_script() {
    let site = site();
    let (mut ann, mut device, _) = with_passkey(&site);
    let id = id_in(&ann.open(PASSKEYS));
    let led = ann.submit(PASSKEYS, &[("action", "rename"), ("passkey", &id), ("name", "Laptop")]);
    assert_eq!((led.status, led.header("location")), (303, PASSKEYS), "{led:?}");
    let page = ann.follow(&led);
    assert!(page.body.contains("<bdi>Laptop</bdi>") && !page.body.contains("<bdi>Phone</bdi>"), "{page:?}");
    let long = "x".repeat(201);
    let page = ann.submit(PASSKEYS, &[("action", "rename"), ("passkey", &id), ("name", &long)]);
    assert_eq!(page.status, 422, "{page:?}");
    let mut eve = Visitor::signed_in(&site, "eve@example.com");
    eve.open(PASSKEYS);
    for action in ["rename", "remove", "nonsense"] {
        let led = eve.submit(PASSKEYS, &[("action", action), ("passkey", &id), ("name", "Eve")]);
        assert_eq!(led.header("location"), PASSKEYS, "{action}: {led:?}");
    }
    assert!(ann.open(PASSKEYS).body.contains("Laptop"));
    // Removing wants a fresh login, and comes back to this page.
    site.world.advance(Duration::from_secs(5 * 60));
    let led = ann.submit(PASSKEYS, &[("action", "remove"), ("passkey", &id)]);
    assert_eq!(led.header("location"), "/auth/confirm?return_to=%2Fauth%2Faccount%2Fpasskeys", "{led:?}");
    let mut ann = Visitor::new(&site);
    let page = ann.open(SIGN_IN);
    ann.show_passkey(SIGN_IN, &page, &mut device, &[("alone", "1")]);
    ann.open(PASSKEYS);
    let led = ann.submit(PASSKEYS, &[("action", "remove"), ("passkey", &id)]);
    assert_eq!(led.header("location"), PASSKEYS, "{led:?}");
    assert!(ann.follow(&led).body.contains("signs in no more") && !ann.has_two_factor(ANN));
}

#[test]
fn whoever_has_a_passkey_alone_is_not_stuck_where_a_code_is_asked_for() {
    let site = site();
    let (mut ann, mut device, codes_then) = with_passkey(&site);
    let page = ann.open(PASSWORD_PAGE);
    assert!(!page.body.contains("name=\"code\"") && page.body.contains("name=\"recovery_code\""), "{page:?}");
    let new = [("password", PASSWORD), ("new_password", OTHER), ("new_password_again", OTHER)];
    let refused = ann.submit(PASSWORD_PAGE, &new);
    assert_eq!(refused.status, 401, "{refused:?}");
    let led = ann.show_passkey(PASSWORD_PAGE, &page, &mut device, &new);
    assert_eq!((led.status, led.header("location")), (303, "/auth/account"), "{led:?}");
    let page = ann.open(RECOVERY_CODES);
    let led = ann.show_passkey(RECOVERY_CODES, &page, &mut device, &[]);
    let new_codes = codes(&ann.follow(&led));
    assert!(new_codes.len() == CODES && !new_codes.contains(&codes_then[0]));
    let back = [("password", OTHER), ("new_password", PASSWORD), ("new_password_again", PASSWORD)];
    ann.open(PASSWORD_PAGE);
    let with_code = |code| [&back[..], &[("recovery_code", code)]].concat();
    assert_eq!(ann.submit(PASSWORD_PAGE, &with_code(&codes_then[0])).status, 401);
    assert_eq!(ann.submit(PASSWORD_PAGE, &with_code(&new_codes[0])).status, 303);
}

#[test]
fn whoever_must_set_up_a_factor_may_add_a_passkey() {
    let site = site_with(&[("two_factor.required", "all")]);
    let mut ann = Visitor::signed_in(&site, ANN);
    assert!(ann.open(TWO_FACTOR).body.contains("href=\"/auth/account/passkeys\""));
    assert_eq!(ann.open("/auth/account").header("location"), TWO_FACTOR);
    let led = ann.add_passkey(&mut new_device(), "");
    assert_eq!(codes(&ann.follow(&led)).len(), CODES);
    assert_eq!(ann.open("/auth/account").status, 200);
}

#[test]
fn nothing_of_it_is_there_where_they_are_off_or_no_browser_would_take_them() {
    let off = site_with(&[("passkeys.enabled", "false")]);
    let by_address = Site::with(&[("rate_limit.enabled", "false")]);
    for site in [&off, &by_address] {
        let mut ann = Visitor::new(site);
        let page = ann.open(SIGN_IN);
        assert_eq!(page.heading(), "Sign in");
        assert!(find_ask(&page).is_none() && !page.body.contains("webauthn"), "{page:?}");
        let mut ann = Visitor::signed_in(site, ANN);
        assert!(!ann.open("/auth/account").body.contains("asskey"));
        assert!(!ann.open(TWO_FACTOR).body.contains("asskey"));
    }
    let mut ann = Visitor::signed_in(&off, ANN);
    assert_eq!(ann.open(PASSKEYS).status, 404);
    for action in ["add", "rename", "remove"] {
        assert_eq!(ann.submit(PASSKEYS, &[("action", action), ("ceremony", "x")]).status, 404, "{action}");
    }
    let mut ann = Visitor::new(&off);
    ann.open(SIGN_IN);
    assert_eq!(ann.submit(SIGN_IN, &[("alone", "1"), ("ceremony", "x"), ("credential", "{}")]).status, 404);
    let page = Visitor::signed_in(&by_address, ANN).open(PASSKEYS);
    assert!(find_ask(&page).is_none() && page.body.contains("an address in place of a name"), "{page:?}");
}

#[test]
fn without_a_script_nothing_of_passkeys_is_seen_but_words() {
    let site = site();
    let page = Visitor::new(&site).open(SIGN_IN);
    let (before, rest) = page.body.split_once("data-ceremony").unwrap();
    assert!(before.rsplit_once("<button").unwrap().1.contains(" hidden "), "{page:?}");
    assert!(before.rsplit_once("<form").unwrap().1.contains(" hidden>"), "{page:?}");
    assert!(before.rsplit_once("<div hidden>").is_some() && !rest.contains("<script"), "{page:?}");
    assert!(!page.body.contains("onclick") && page.body.matches("<script").count() == 1, "{page:?}");
    let page = Visitor::signed_in(&site, ANN).open(PASSKEYS);
    assert!(page.body.contains("<p data-without>Passkeys need a browser"), "{page:?}");
    assert!(page.body.contains("action=\"/auth/account/passkeys\" hidden>"), "{page:?}");
}

#[test]
fn an_admin_sees_and_removes_somebodys_passkeys() {
    let site = site();
    let (mut ann, _, _) = with_passkey(&site);
    let user = authd::usecase::account::admin::find(&site.world.app, &operator(), &user_ref(ANN)).unwrap();
    let here = format!("/auth/admin/users/{}", user.id);
    site.world.add_user("root@example.com", &["admin"]);
    let mut root = Visitor::signed_in(&site, "root@example.com");
    let page = root.open(&here);
    assert!(page.body.contains("Phone") && page.body.contains("auth.example.com"), "{page:?}");
    assert!(!page.body.contains("ecover"), "a link to recover is the operator's: {page:?}");
    assert!(!page.body.contains("reset-two-factor"), "there is no app: {page:?}");
    let id = id_in(&page);
    site.world.advance(Duration::from_secs(5 * 60));
    let target = format!("{here}/passkeys");
    let led = root.submit(&target, &[("passkey", &id)]);
    assert!(led.header("location").starts_with(CONFIRM), "{led:?}");
    let mut root = Visitor::signed_in(&site, "root@example.com");
    root.open(&here);
    let led = root.submit(&target, &[("passkey", &id)]);
    assert_eq!((led.status, led.header("location")), (303, here.as_str()), "{led:?}");
    assert!(root.follow(&led).body.contains("The passkey is gone"));
    assert!(!ann.is_signed_in() && !ann.has_two_factor(ANN));
    assert_eq!(root.submit(&target, &[("passkey", &id)]).status, 404);
    // Whoever holds no permission for it is not let.
    let mut max = Visitor::signed_in(&site, "max@example.com");
    max.open("/auth/account");
    assert_eq!(max.submit(&target, &[("passkey", &id)]).status, 403);
}
