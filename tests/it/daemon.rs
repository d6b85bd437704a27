//! A world with its daemon, spoken to over a real socket.

use crate::world::{PASSWORD, World, operator, user_ref};
use authd::api::router::Router;
use authd::domain::api_key::ApiKeyName;
use authd::domain::role::Permission;
use authd::pages::Pages;
use authd::transport::{Running, Server, Settings};
use authd::usecase::account::admin;
use authd::usecase::keys::api_keys;
use authd::usecase::keys::api_keys::{ApiKeyRef, NewApiKey};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

pub const JSON: (&str, &str) = ("content-type", "application/json");

/// A world with its daemon.
pub struct Daemon {
    pub world: World,
    pub running: Running,
}

impl Daemon {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(settings: &[(&str, &str)]) -> Self {
        // Tests ask more in a second than anybody should; those of the limits turn them on.
        let mut all = vec![("rate_limit.enabled", "false")];
        all.extend(settings);
        Self::of(World::with(&all))
    }

    /// The same with other settings, as after a restart.
    pub fn restarted_with(self, settings: &[(&str, &str)]) -> Self {
        let Self { mut world, running } = self;
        running.stopper().stop();
        world.restart_with(settings);
        Self::of(world)
    }

    pub fn of(world: World) -> Self {
        let config = &world.app.config;
        let router = Arc::new(Router::new(Arc::clone(&world.app)));
        let running = Server::start(&config.listen, Settings::from(config), router).unwrap();
        Self { world, running }
    }

    /// With the pages before its API.
    pub fn with_pages(world: World) -> Self {
        let config = &world.app.config;
        let router = Arc::new(Router::new(Arc::clone(&world.app)));
        let pages = Arc::new(Pages::before(Arc::clone(&world.app), router).unwrap());
        let running = Server::start(&config.listen, Settings::from(config), pages).unwrap();
        Self { world, running }
    }

    pub fn exchange(&self, bytes: &[u8]) -> Answer {
        exchange(self.running.address().tcp().unwrap(), bytes)
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.exchange(&request(method, path, headers, body))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[JSON], body.as_bytes())
    }

    /// Sends with an access token; `body` is JSON or empty.
    pub fn send_as(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), JSON];
        let headers = if body.is_empty() { &headers[..1] } else { &headers[..] };
        self.send(method, path, headers, body.as_bytes())
    }

    pub fn login(&self, email: &str) -> Value {
        let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
        let answer = self.post("/api/auth/login", &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// A fresh access token of Tess's, who is made at the first call.
    pub fn token(&self) -> String {
        self.token_of("tess@example.com", &[])
    }

    /// A fresh access token of somebody, who is made with these roles at the first call.
    pub fn token_of(&self, email: &str, roles: &[&str]) -> String {
        if admin::find(&self.world.app, &operator(), &user_ref(email)).is_err() {
            self.world.add_user(email, roles);
        }
        self.world.login(email).unwrap().access_token.expose().clone()
    }

    /// A new API key in the place of the one of this name.
    pub fn key(&self, name: &str, permissions: &[&str]) -> String {
        let name = ApiKeyName::parse(name).unwrap();
        let _ = api_keys::revoke(&self.world.app, &operator(), &ApiKeyRef::Name(name.clone()));
        let permissions = permissions.iter().map(|text| Permission::parse(text).unwrap()).collect();
        let new = NewApiKey { name, permissions, ttl: None };
        api_keys::add(&self.world.app, &operator(), &new).unwrap().secret.expose().clone()
    }

    /// Sends a form.
    pub fn post_form(&self, token: &str, path: &str, form: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers =
            [("authorization", bearer.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, form.as_bytes())
    }
}

/// For threads, which can't share a [`Daemon`].
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Answer::parse(&answer)
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    [request.as_bytes(), body].concat()
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap_or((line, "")));
        let headers =
            headers.map(|(name, value)| (name.trim_end_matches(':').to_owned(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    /// The one value of a header; empty without it.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map_or("", |(_, value)| value);
        assert!(values.next().is_none(), "{name} stands twice: {self:?}");
        value
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a problem document, after looking whether it is a whole one.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let document = self.json();
        let code = document["code"].as_str().unwrap();
        assert_eq!(document["type"], format!("urn:authd:problem:{code}"));
        assert_eq!(document["status"], self.status);
        assert_eq!(document["request_id"], self.header("x-request-id"));
        for text in ["title", "detail"] {
            assert!(!document[text].as_str().unwrap().is_empty(), "{self:?}");
        }
        let seconds = document.get("retry_after_s").map_or(String::new(), ToString::to_string);
        assert_eq!(seconds, self.header("retry-after"));
        assert_eq!(self.status == 401, !self.header("www-authenticate").is_empty(), "{self:?}");
        assert_eq!(self.status == 405, !self.header("allow").is_empty(), "{self:?}");
        assert_eq!(code == "validation_failed", document.get("errors").is_some(), "{self:?}");
        code.to_owned()
    }

    /// Field and code of each error of a 422.
    pub fn field_errors(&self) -> Vec<(String, String)> {
        assert_eq!((self.status, self.problem().as_str()), (422, "validation_failed"), "{self:?}");
        let errors = self.json()["errors"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors.iter().map(|error| (text(&error["field"]), text(&error["code"]))).collect()
    }
}
