//! A provider that says what a test wants: of each kind, after its documentation, with its quirks. Start it,
//! look up [`StandIn::provider`] for the configuration, tell it what to claim next by [`StandIn::set`], and
//! send a browser there (`GET` of the authorization URL answers as the real ones do, at once, for a person
//! who says yes), or call [`StandIn::approve`] for the same without a browser.

use super::signer::{AppleKey, Signer, half_hash, s256};
use crate::world::TestClock;
use authd::config::{LinkByEmail, Provider, ProviderKind};
use authd::domain::identity::ProviderName;
use authd::domain::time::Timestamp;
use authd::ports::Clock;
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use tiny_http::{Header, Method, Request, Response, Server};

pub const CLIENT: &str = "client of authd";
pub const SECRET: &str = "s3cret: & more";
pub const TENANT: &str = "0f9d1b7e-4c2a-4a57-8f3e-2b6c1d0e9a85";
const TEAM: &str = "TEAM123456";
const KEY: &str = "KEY1234567";

/// What the stand-in says next. The maps are laid over what it would say by itself: a `null` takes a member
/// out.
#[derive(Default)]
pub struct Script {
    /// Over the claims of ID tokens.
    pub claims: Map<String, Value>,
    /// Over the header of ID tokens.
    pub header: Map<String, Value>,
    /// Over userinfo, or the kind's user document.
    pub userinfo: Map<String, Value>,
    pub metadata: Map<String, Value>,
    /// Over the answer of the token endpoint.
    pub token: Map<String, Value>,
    /// Over the parameters of the callback.
    pub callback: Map<String, Value>,
    /// GitHub's list of addresses. `None`: one, primary and verified.
    pub emails: Option<Value>,
    /// Status and body in the stead of what stands at a path that ends so.
    pub instead: BTreeMap<&'static str, (u16, String)>,
    /// Signs in the stead of the key that the provider publishes.
    pub forger: Option<Signer>,
    /// What it publishes. `None`: its one key.
    pub keys: Option<Vec<Value>>,
}

/// A code that was given out.
struct Grant {
    nonce: String,
    challenge: String,
    redirect_uri: String,
    is_spent: bool,
}

struct State {
    script: Script,
    signer: Signer,
    grants: BTreeMap<String, Grant>,
    /// Each request as `METHOD /path`, oldest first.
    asked: Vec<String>,
    /// Apple tells the name once.
    has_met: bool,
}

/// What a browser brings back, from the query or the posted form.
#[derive(Debug)]
pub struct Returned {
    /// Where to, without the query.
    pub to: String,
    pub fields: BTreeMap<String, String>,
}

/// See the module.
pub struct StandIn {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    kind: ProviderKind,
    clock: Arc<TestClock>,
    server: Server,
    address: SocketAddr,
    apple: AppleKey,
    state: Mutex<State>,
}

impl StandIn {
    /// Starts one, whose clock is the world's.
    pub fn start(kind: ProviderKind, clock: Arc<TestClock>) -> Self {
        let server = Server::http("127.0.0.1:0").unwrap();
        let address = server.server_addr().to_ip().unwrap();
        let state = State {
            script: Script::default(),
            signer: Signer::new("key-1"),
            grants: BTreeMap::new(),
            asked: Vec::new(),
            has_met: false,
        };
        let apple = AppleKey::new();
        let shared = Arc::new(Shared { kind, clock, server, address, apple, state: Mutex::new(state) });
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for request in serving.server.incoming_requests() {
                serving.answer(request);
            }
        });
        Self { shared, thread: Some(thread) }
    }

    /// Where it stands, without a slash at the end.
    pub fn origin(&self) -> String {
        self.shared.origin()
    }

    /// As it is configured, under the name `acme`; the file of the client's secret is made in `folder`.
    pub fn provider(&self, folder: &Path) -> Provider {
        let kind = self.shared.kind;
        let path = folder.join(format!("acme-{}.secret", self.shared.address.port()));
        let text = if kind == ProviderKind::Apple { &self.shared.apple.pem } else { SECRET };
        let mut open = fs::OpenOptions::new();
        let mut file = open.write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let if_apple = |text: &str| if kind == ProviderKind::Apple { text.to_owned() } else { String::new() };
        Provider {
            name: ProviderName::parse("acme").unwrap(),
            kind,
            client_id: CLIENT.into(),
            client_secret_file: Some(path),
            issuer: self.origin(),
            tenant: if kind == ProviderKind::Microsoft { "common".into() } else { String::new() },
            team_id: if_apple(TEAM),
            key_id: if_apple(KEY),
            display_name: "Acme".into(),
            scopes: Vec::new(),
            sign_up: true,
            allowed_domains: Vec::new(),
            link_by_email: LinkByEmail::Never,
            role_claim: None,
            roles: BTreeMap::new(),
            trust_amr: false,
            allow_private: true,
        }
    }

    /// Changes what it says next.
    pub fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.shared.lock().script);
    }

    /// Another key, of another name, from now on.
    pub fn rotate(&self, kid: &str) {
        self.shared.lock().signer = Signer::other(kid);
    }

    /// What it was asked so far, as `METHOD /path`.
    pub fn asked(&self) -> Vec<String> {
        self.shared.lock().asked.clone()
    }

    /// How often it was asked for a path that ends so.
    pub fn count(&self, end: &str) -> usize {
        self.asked().iter().filter(|asked| asked.ends_with(end)).count()
    }

    /// A person goes to an authorization URL and says yes.
    pub fn approve(&self, url: &str) -> Returned {
        let query = url.strip_prefix(&self.origin()).expect("the URL is this stand-in's");
        self.shared.approve(query.split_once('?').expect("it has parameters").1)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.shared.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// `over` over `under`.
fn laid(mut under: Value, over: &Map<String, Value>) -> Value {
    for (name, value) in over {
        if value.is_null() {
            under.as_object_mut().unwrap().remove(name);
        } else {
            under[name] = value.clone();
        }
    }
    under
}

/// A status and a body, of JSON unless it begins with `<`.
type Said = (u16, String);

fn ok(value: &Value) -> Said {
    (200, value.to_string())
}

impl Shared {
    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn answer(&self, mut request: Request) {
        let mut body = String::new();
        let _ = request.as_reader().read_to_string(&mut body);
        let url = request.url().to_owned();
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        let header = |name: &str| {
            let header =
                request.headers().iter().find(|header| header.field.to_string().eq_ignore_ascii_case(name));
            header.map(|header| header.value.to_string()).unwrap_or_default()
        };
        self.lock().asked.push(format!("{} {path}", request.method()));
        let instead =
            self.lock().script.instead.iter().find(|(end, _)| path.ends_with(**end)).map(|(_, s)| s.clone());
        let is_post = *request.method() == Method::Post;
        let mut location = None;
        let (status, text) = match path.rsplit('/').next().unwrap_or_default() {
            _ if instead.is_some() => instead.unwrap(),
            "openid-configuration" => ok(&self.metadata()),
            "jwks" => ok(&self.keys()),
            "authorize" => {
                let returned = self.approve(query);
                if self.kind == ProviderKind::Apple {
                    (200, posting_page(&returned))
                } else {
                    let query = form_urlencoded::Serializer::new(String::new())
                        .extend_pairs(&returned.fields)
                        .finish();
                    location = Some(format!("{}?{query}", returned.to));
                    (302, String::new())
                }
            }
            "token" | "access_token" if is_post => {
                self.token(&pairs(&body), &header("authorization"), &header("accept"))
            }
            "userinfo" | "user" | "@me" | "emails" => {
                self.user(path, &header("authorization"), &header("user-agent"))
            }
            _ => (404, "{}".into()),
        };
        let kind = if text.starts_with('<') { "text/html" } else { "application/json" };
        let date = jiff::Timestamp::from_second(self.now().as_secs()).unwrap();
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap();
        let mut response = Response::from_string(text).with_status_code(status);
        for (name, value) in [("Content-Type", kind), ("Date", &date)] {
            response.add_header(Header::from_bytes(name, value).unwrap());
        }
        if let Some(location) = location {
            response.add_header(Header::from_bytes("Location", location).unwrap());
        }
        let _ = request.respond(response);
    }

    fn metadata(&self) -> Value {
        let origin = self.origin();
        let issuer = match self.kind {
            ProviderKind::Microsoft => format!("{origin}/{{tenantid}}/v2.0"),
            _ => origin.clone(),
        };
        let methods = match self.kind {
            ProviderKind::Apple => json!(["client_secret_post"]),
            ProviderKind::Microsoft => {
                json!(["client_secret_post", "private_key_jwt", "client_secret_basic"])
            }
            _ => json!(["client_secret_basic", "client_secret_post"]),
        };
        let mut metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{origin}/authorize"),
            "token_endpoint": format!("{origin}/token"),
            "jwks_uri": format!("{origin}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": methods,
        });
        if self.kind != ProviderKind::Apple {
            metadata["userinfo_endpoint"] = json!(format!("{origin}/userinfo"));
        }
        if self.kind == ProviderKind::Oidc {
            metadata["authorization_response_iss_parameter_supported"] = json!(true);
            metadata["code_challenge_methods_supported"] = json!(["plain", "S256"]);
        }
        laid(metadata, &self.lock().script.metadata)
    }

    fn keys(&self) -> Value {
        let state = self.lock();
        let mut key = state.signer.jwk();
        if self.kind == ProviderKind::Microsoft {
            key["issuer"] = json!(format!("{}/{{tenantid}}/v2.0", self.origin()));
        }
        json!({"keys": state.script.keys.clone().unwrap_or_else(|| vec![key])})
    }

    fn approve(&self, query: &str) -> Returned {
        let asked = pairs(query);
        let field = |name: &str| asked.get(name).cloned().unwrap_or_default();
        assert_eq!((field("response_type"), field("client_id")), ("code".into(), CLIENT.into()), "{query}");
        assert_eq!(field("code_challenge_method"), "S256", "{query}");
        let mut state = self.lock();
        let code = format!("code-{}", state.grants.len() + 1);
        let grant = Grant {
            nonce: field("nonce"),
            challenge: field("code_challenge"),
            redirect_uri: field("redirect_uri"),
            is_spent: false,
        };
        state.grants.insert(code.clone(), grant);
        let mut fields = json!({"code": code, "state": field("state")});
        if matches!(self.kind, ProviderKind::Oidc | ProviderKind::Discord) {
            fields["iss"] = json!(self.origin());
        }
        if self.kind == ProviderKind::Apple {
            assert_eq!(field("response_mode"), "form_post", "Apple demands it where there are scopes");
            if !state.has_met {
                let user =
                    json!({"name": {"firstName": "Ann", "lastName": "Lee"}, "email": "ann@example.com"});
                fields["user"] = json!(user.to_string());
            }
            state.has_met = true;
        }
        let fields = laid(fields, &state.script.callback);
        let fields = fields.as_object().unwrap().iter();
        let fields = fields.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        Returned { to: field("redirect_uri"), fields }
    }

    fn token(&self, form: &BTreeMap<String, String>, authorization: &str, accept: &str) -> Said {
        // GitHub's errors come with 200.
        let status = if self.kind == ProviderKind::Github { 200 } else { 400 };
        let error = |error: &str| (status, json!({"error": error, "error_description": "no"}).to_string());
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        if !self.knows_client(form, authorization) {
            let github = self.kind == ProviderKind::Github;
            return error(if github { "incorrect_client_credentials" } else { "invalid_client" });
        }
        if self.kind == ProviderKind::Github && !accept.contains("application/json") {
            return (200, "access_token=access&scope=user&token_type=bearer".into());
        }
        let mut state = self.lock();
        let known = state.grants.get_mut(field("code")).filter(|grant| {
            !grant.is_spent
                && grant.challenge == s256(field("code_verifier"))
                && grant.redirect_uri == field("redirect_uri")
        });
        let Some(grant) = known.filter(|_| field("grant_type") == "authorization_code") else {
            let github = self.kind == ProviderKind::Github;
            return error(if github { "bad_verification_code" } else { "invalid_grant" });
        };
        grant.is_spent = true;
        let nonce = grant.nonce.clone();
        let mut answer = json!({"access_token": "access", "token_type": "Bearer", "expires_in": 3600});
        if !matches!(self.kind, ProviderKind::Github | ProviderKind::Discord) {
            answer["id_token"] = json!(self.id_token(&state, &nonce));
        }
        ok(&laid(answer, &state.script.token))
    }

    /// By the way that the kind takes, and by no other.
    fn knows_client(&self, form: &BTreeMap<String, String>, authorization: &str) -> bool {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let post = (field("client_id"), field("client_secret"));
        match self.kind {
            ProviderKind::Apple => {
                post.0 == CLIENT && self.apple.takes(post.1, CLIENT, TEAM, KEY, self.now())
            }
            ProviderKind::Github => post == (CLIENT, SECRET),
            _ => {
                let encoded =
                    |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let basic = BASE64.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET)).as_bytes());
                authorization == format!("Basic {basic}") && post.1.is_empty()
            }
        }
    }

    fn id_token(&self, state: &State, nonce: &str) -> String {
        let origin = self.origin();
        let now = self.now().as_secs();
        let mut claims = json!({"iss": origin, "sub": "42", "aud": CLIENT, "exp": now + 300, "iat": now,
            "nonce": nonce, "at_hash": half_hash("access"), "email": "ann@example.com"});
        match self.kind {
            ProviderKind::Microsoft => {
                claims["iss"] = json!(format!("{origin}/{TENANT}/v2.0"));
                (claims["tid"], claims["ver"]) = (json!(TENANT), json!("2.0"));
                claims["name"] = json!("Ann Lee");
            }
            ProviderKind::Apple => {
                claims["email_verified"] = json!("true");
                (claims["is_private_email"], claims["nonce_supported"]) = (json!("false"), json!(true));
            }
            _ => (claims["email_verified"], claims["name"]) = (json!(true), json!("Ann Lee")),
        }
        let signer = state.script.forger.as_ref().unwrap_or(&state.signer);
        let header = json!({"alg": "RS256", "kid": signer.kid, "typ": "JWT"});
        signer.sign(&laid(header, &state.script.header), &laid(claims, &state.script.claims))
    }

    fn user(&self, path: &str, authorization: &str, user_agent: &str) -> Said {
        if self.kind == ProviderKind::Github && user_agent.is_empty() {
            return (403, "Request forbidden by administrative rules.".into());
        }
        if authorization != "Bearer access" {
            return (401, json!({"message": "Requires authentication"}).to_string());
        }
        let state = self.lock();
        let user = match self.kind {
            ProviderKind::Github if path.ends_with("/emails") => {
                let one = json!([{"email": "ann@example.com", "primary": true, "verified": true}]);
                return ok(state.script.emails.as_ref().unwrap_or(&one));
            }
            ProviderKind::Github => json!({"id": 583_231, "login": "ann", "name": "Ann Lee", "email": null}),
            ProviderKind::Discord => {
                json!({"id": "80351110224678912", "username": "ann", "global_name": "Ann Lee",
                "email": "ann@example.com", "verified": true})
            }
            _ => json!({"sub": "42", "email": "ann@example.com", "email_verified": true, "name": "Ann Lee"}),
        };
        ok(&laid(user, &state.script.userinfo))
    }
}

/// The page by which Apple sends a browser back.
fn posting_page(returned: &Returned) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let fields: String = returned
        .fields
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value)))
        .collect();
    format!(
        "<!doctype html><form method=\"post\" action=\"{}\">{fields}</form><script>document.forms[0].submit()</script>",
        escaped(&returned.to)
    )
}
