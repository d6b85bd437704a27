//! Passkeys over a real socket, with an authenticator in software: adding, signing in, the second step, the
//! way back. What must hold of a signature is `passkeys`.

mod accounts;
mod adding;
mod audited;
mod ceremonies;
mod domains;
mod factors;
mod first;
mod judged;
mod keeping;
mod login;
mod owning;
mod proving;
mod recover;
mod returning;
mod second_step;

use crate::daemon::{Answer, Daemon};
use crate::passkeys::device::Device;
use crate::world::{PASSWORD, World};
use serde_json::{Value, json};

pub const ANN: &str = "ann@example.com";
pub const BOB: &str = "bob@example.com";
pub const ORIGIN: &str = "https://auth.example.com";
pub const RP_ID: &str = "auth.example.com";

/// A daemon with Ann, who has a password and a verified address.
pub struct Stage {
    pub daemon: Daemon,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(settings: &[(&str, &str)]) -> Self {
        let mut all = vec![("public_url", ORIGIN)];
        all.extend(settings);
        let daemon = Daemon::with(&all);
        daemon.world.add_user(ANN, &[]);
        Self { daemon }
    }

    pub fn world(&self) -> &World {
        &self.daemon.world
    }

    /// A fresh token of somebody's, by the password alone.
    pub fn token(&self, email: &str) -> String {
        self.daemon.login(email)["access_token"].as_str().unwrap().to_owned()
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.daemon.post(&format!("/api/auth{path}"), &body.to_string())
    }

    pub fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.daemon.send_as(token, "POST", &format!("/api/auth{path}"), &body.to_string())
    }

    /// What a device answers to a registration that has begun.
    pub fn created(&self, token: &str, device: &mut Device) -> Value {
        let begun = self.post_as(token, "/passkeys/register/start", &json!({}));
        assert_eq!(begun.status, 200, "{begun:?}");
        let begun = begun.json();
        let credential = device.create(&begun["publicKey"]);
        json!({"ceremony": begun["ceremony"], "credential": credential, "name": "My phone"})
    }

    /// Adds a passkey; gives the answer's body.
    pub fn add(&self, token: &str, device: &mut Device) -> Value {
        let body = self.created(token, device);
        let added = self.post_as(token, "/passkeys/register/finish", &body);
        assert_eq!(added.status, 201, "{added:?}");
        added.json()
    }

    /// Ann's first passkey.
    pub fn ann_with_passkey(&self) -> Device {
        let mut device = phone();
        self.add(&self.token(ANN), &mut device);
        device
    }

    /// What a device answers to a sign-in that has begun.
    pub fn signed(&self, device: &mut Device) -> Value {
        let begun = self.post("/passkeys/login/start", &json!({})).json();
        json!({"ceremony": begun["ceremony"], "credential": device.get(&begun["publicKey"])})
    }

    pub fn sign_in(&self, device: &mut Device) -> Answer {
        let body = self.signed(device);
        self.post("/passkeys/login/finish", &body)
    }

    /// The ticket of a login with the password.
    pub fn ticket(&self, email: &str) -> Value {
        self.post("/login", &json!({"email": email, "password": PASSWORD})).json()
    }

    /// What a device answers to a second step that has begun.
    pub fn second(&self, ticket: &Value, device: &mut Device) -> Value {
        let begun = self.post("/2fa/passkey/start", &json!({"ticket": ticket["ticket"]})).json();
        let credential = device.get(&begun["publicKey"]);
        json!({"ticket": ticket["ticket"], "ceremony": begun["ceremony"], "credential": credential})
    }

    pub fn list(&self, token: &str) -> Vec<Value> {
        let answer = self.daemon.send_as(token, "GET", "/api/auth/passkeys", "");
        answer.json()["passkeys"].as_array().unwrap().clone()
    }

    pub fn count_mails(&self, to: &str, kind: &str) -> usize {
        self.world().mails(to).iter().filter(|mail| mail.kind == kind).count()
    }
}

pub fn phone() -> Device {
    Device::new(ORIGIN, RP_ID)
}

pub fn access_token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// What an access token claims.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}
