//! A person with a browser, without scripts: it keeps cookies, sends the forms that pages show, and goes
//! where it is led.

use super::{Answer, FORM, Site};
use crate::authenticator::Authenticator;
use crate::world::PASSWORD;
use authd::usecase::account::two_factor;
use std::collections::BTreeMap;

pub const SESSION: &str = "__Host-authd_session";

pub struct Visitor<'a> {
    pub site: &'a Site,
    pub cookies: BTreeMap<String, String>,
    /// Of the forms on the page that was opened last.
    pub csrf: String,
}

impl<'a> Visitor<'a> {
    pub fn new(site: &'a Site) -> Self {
        Self { site, cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// Somebody with an account, who has signed in on the page.
    pub fn signed_in(site: &'a Site, email: &str) -> Self {
        if site.world.login(email).is_err() {
            site.world.add_user(email, &[]);
        }
        let mut visitor = Self::new(site);
        let led = visitor.fill_in("/auth/sign-in", &[("email", email), ("password", PASSWORD)]);
        assert_eq!((led.status, led.header("location")), (303, "/auth/account"), "{led:?}");
        visitor
    }

    fn send(&mut self, method: &str, target: &str, body: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("sec-fetch-site", "same-origin")];
        headers.extend((!cookies.is_empty()).then_some(("cookie", cookies.as_str())));
        headers.extend((method == "POST").then_some(FORM));
        let answer = self.site.send(method, target, &headers, body.as_bytes());
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (pair, attributes) = line.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.split("; ").any(|attribute| attribute == "Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some((_, rest)) = answer.body.split_once("name=\"csrf\" value=\"") {
            rest.split('"').next().unwrap().clone_into(&mut self.csrf);
        }
    }

    pub fn open(&mut self, target: &str) -> Answer {
        self.send("GET", target, "")
    }

    /// Sends a form with the value of the page that was opened last.
    pub fn submit(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        self.submit_with(target, &[fields, &[("csrf", &csrf)]].concat())
    }

    /// Sends a form as it is.
    pub fn submit_with(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.send("POST", target, &form.finish())
    }

    /// Opens a page and sends its form.
    pub fn fill_in(&mut self, page: &str, fields: &[(&str, &str)]) -> Answer {
        let opened = self.open(page);
        assert_eq!(opened.status, 200, "{opened:?}");
        self.submit(page, fields)
    }

    /// Goes where an answer leads.
    pub fn follow(&mut self, answer: &Answer) -> Answer {
        assert_eq!(answer.status, 303, "{answer:?}");
        let to = answer.header("location").to_owned();
        self.open(&to)
    }

    /// Whether the sign-in page leads on to the account.
    pub fn is_signed_in(&mut self) -> bool {
        self.open("/auth/sign-in").header("location") == "/auth/account"
    }

    /// Turns the second factor on, on the pages; gives the app and the recovery codes.
    pub fn turn_on_two_factor(&mut self) -> (Authenticator, Vec<String>) {
        let led = self.fill_in(TWO_FACTOR, &[("action", "set-up")]);
        let app = Authenticator::new(&key(&self.follow(&led)));
        let code = app.code_at(self.site.world.now().as_secs());
        let led = self.submit(TWO_FACTOR, &[("action", "turn-on"), ("code", &code)]);
        assert_eq!(led.header("location"), "/auth/account/recovery-codes", "{led:?}");
        let codes = codes(&self.follow(&led));
        // The next code is another one.
        self.site.world.advance(std::time::Duration::from_secs(30));
        (app, codes)
    }

    pub fn code(&self, app: &Authenticator) -> String {
        app.code_at(self.site.world.now().as_secs())
    }

    /// Whether a second factor is on.
    pub fn has_two_factor(&self, email: &str) -> bool {
        let world = &self.site.world;
        let user = authd::usecase::account::admin::find(
            &world.app,
            &crate::world::operator(),
            &crate::world::user_ref(email),
        );
        user.unwrap().has_two_factor()
    }
}

pub const TWO_FACTOR: &str = "/auth/account/two-factor";

/// How many codes there are at first.
pub const CODES: usize = two_factor::RECOVERY_CODES;

/// The key of an app, as the page shows it in groups.
pub fn key(page: &Answer) -> String {
    let (_, rest) =
        page.body.split_once("<code class=\"key\" translate=\"no\">").expect("the page has a key");
    rest.split('<').next().unwrap().replace(' ', "")
}

/// The recovery codes that a page shows.
pub fn codes(page: &Answer) -> Vec<String> {
    let list = page.body.split_once("id=\"codes\"").map_or("", |(_, rest)| rest);
    let list = list.split("</ol>").next().unwrap();
    list.split("<li>").skip(1).map(|item| item.split('<').next().unwrap().to_owned()).collect()
}
