//! Signing in with accounts elsewhere, over a real socket, with a stand-in for the provider.

mod accounts;
mod address;
mod browser;
mod claimed;
mod front_end;
mod lasting;
mod linking;
mod roles;
mod rules;
mod told;
mod unlinking;
mod unverified;
mod without_password;

use crate::authenticator::Authenticator;
use crate::cookies::set_cookies;
use crate::daemon::{Answer, Daemon, JSON};
use crate::providers::stand_in::{Returned, StandIn};
use crate::world::World;
use authd::config::{Provider, ProviderKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const ANN: &str = "ann@example.com";
pub const BACK: &str = "https://app.example.com/signed-in?from=authd";
/// Of the front end, with its challenge.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A daemon and a provider.
pub struct Stage {
    pub daemon: Daemon,
    pub stand_in: Arc<StandIn>,
}

/// A browser, by the cookies that it keeps.
#[derive(Clone, Debug, Default)]
pub struct Browser(pub BTreeMap<String, String>);

impl Browser {
    pub fn keep(&mut self, answer: &Answer) {
        for (name, value, _) in set_cookies(answer) {
            if value.is_empty() {
                self.0.remove(&name);
            } else {
                self.0.insert(name, value);
            }
        }
    }

    pub fn cookies(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(&format!("__Host-authd_{name}"))
    }
}

impl Stage {
    pub fn new() -> Self {
        Self::with(&[], |_| {})
    }

    pub fn with(settings: &[(&str, &str)], change: impl FnOnce(&mut Provider)) -> Self {
        Self::of(ProviderKind::Oidc, settings, change)
    }

    pub fn of(kind: ProviderKind, settings: &[(&str, &str)], change: impl FnOnce(&mut Provider)) -> Self {
        let mut all = vec![("rate_limit.enabled", "false"), ("redirects.allowed", BACK)];
        all.extend(settings);
        let mut stand_in = None;
        let world = World::with_providers(&all, |clock, folder| {
            let started = Arc::new(StandIn::start(kind, Arc::clone(clock)));
            let mut provider = started.provider(folder);
            change(&mut provider);
            stand_in = Some(started);
            vec![provider]
        });
        Self { daemon: Daemon::with_pages(world), stand_in: stand_in.unwrap() }
    }

    /// The same after a restart with another configuration of its providers.
    pub fn restarted_with_providers(self, change: impl FnOnce(&mut Vec<Provider>)) -> Self {
        let Daemon { mut world, running } = self.daemon;
        running.stopper().stop();
        world.restart_with_providers(change);
        Self { daemon: Daemon::with_pages(world), stand_in: self.stand_in }
    }

    pub fn world(&self) -> &World {
        &self.daemon.world
    }

    /// Lets the provider state this address.
    pub fn states(&self, email: Option<&str>, verified: Value) {
        self.stand_in.set(|script| {
            for claims in [&mut script.claims, &mut script.userinfo] {
                claims.insert("email".into(), json!(email));
                claims.insert("email_verified".into(), verified.clone());
            }
        });
    }

    /// Lets it say that it is somebody of this subject.
    pub fn is(&self, subject: &str) {
        self.stand_in.set(|script| {
            for claims in [&mut script.claims, &mut script.userinfo] {
                claims.insert("sub".into(), json!(subject));
            }
        });
    }

    /// A browser begins; gives the provider's address that it is sent to.
    pub fn begin(&self, browser: &mut Browser, query: &str) -> String {
        let answer = self.get(browser, &format!("/api/auth/oauth/acme/start{query}"));
        assert_eq!(answer.status, 303, "{answer:?}");
        browser.keep(&answer);
        answer.header("location").to_owned()
    }

    pub fn get(&self, browser: &Browser, target: &str) -> Answer {
        self.daemon.send("GET", target, &[("cookie", &browser.cookies())], b"")
    }

    /// Opens a page and sends its form; gives the answer.
    pub fn submit(&self, browser: &mut Browser, page: &str, fields: &[(&str, &str)]) -> Answer {
        self.submit_after(browser, page, fields, |_| {})
    }

    /// The same after something has happened to the browser in between.
    pub fn submit_after(
        &self,
        browser: &mut Browser,
        page: &str,
        fields: &[(&str, &str)],
        between: impl FnOnce(&mut Browser),
    ) -> Answer {
        let opened = self.get(browser, page);
        assert_eq!(opened.status, 200, "{opened:?}");
        browser.keep(&opened);
        let (_, rest) = opened.body.split_once("name=\"csrf\" value=\"").expect("the page has a form");
        between(browser);
        let mut form = form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(fields).append_pair("csrf", rest.split('"').next().unwrap()).finish();
        let headers = [
            ("cookie", &*browser.cookies()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        let answer = self.daemon.send("POST", page, &headers, body.as_bytes());
        browser.keep(&answer);
        answer
    }

    /// Opens the link in the newest mail to an address: the registration becomes an account.
    pub fn confirm_by_mail(&self, email: &str) {
        let body = json!({"token": self.world().token_in_mail(email)}).to_string();
        let confirmed = self.daemon.post("/api/auth/email/verify/confirm", &body);
        assert_eq!(confirmed.status, 200, "{confirmed:?}");
    }

    /// Lets the provider state these groups.
    pub fn says_groups(&self, groups: Value) {
        self.stand_in.set(|script| {
            script.claims.insert("groups".into(), groups);
        });
    }

    /// Comes back from the provider.
    pub fn land(&self, browser: &mut Browser, returned: &Returned) -> Answer {
        let answer = self.get(browser, &target(returned));
        browser.keep(&answer);
        answer
    }

    /// There and back by authd's own pages; gives where it ends.
    pub fn sign_in(&self, browser: &mut Browser) -> String {
        let url = self.begin(browser, "");
        let answer = self.land(browser, &self.stand_in.approve(&url));
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("location").to_owned()
    }

    /// There and back for a front end; gives where it ends.
    pub fn sign_in_for_front_end(&self, browser: &mut Browser) -> String {
        let url = self.begin(browser, &for_front_end());
        let answer = self.land(browser, &self.stand_in.approve(&url));
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("location").to_owned()
    }

    pub fn exchange(&self, code: &str, verifier: &str) -> Answer {
        let body = json!({"code": code, "code_verifier": verifier}).to_string();
        self.daemon.send("POST", "/api/auth/oauth/exchange", &[JSON], body.as_bytes())
    }

    /// Who is signed in in a browser.
    pub fn me(&self, browser: &Browser) -> Answer {
        self.get(browser, "/api/auth/me")
    }

    pub fn assert_signed_in(&self, browser: &Browser, email: &str) {
        let me = self.me(browser);
        assert_eq!((me.status, &me.json()["email"]), (200, &json!(email)), "{me:?}");
    }
}

pub fn for_front_end() -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("redirect_to", BACK)
        .append_pair("code_challenge", CHALLENGE)
        .finish();
    format!("?{query}")
}

/// The path and query of the callback.
pub fn target(returned: &Returned) -> String {
    let path = &returned.to[returned.to.find("/api/").unwrap()..];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&returned.fields).finish();
    format!("{path}?{query}")
}

/// The value of a parameter of a URL.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

/// What an access token claims.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

/// Sets up and turns on the second factor of whoever has this fresh token.
pub fn enable_second_factor(stage: &Stage, token: &str) -> Authenticator {
    let setup = stage.daemon.send_as(token, "POST", "/api/auth/2fa/setup", "").json();
    let phone = Authenticator::new(setup["secret"].as_str().unwrap());
    let code = json!({"code": phone.code_at(stage.world().now().as_secs())}).to_string();
    let answer = stage.daemon.send_as(token, "POST", "/api/auth/2fa/enable", &code);
    assert_eq!(answer.status, 200, "{answer:?}");
    phone
}
