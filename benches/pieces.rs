//! What the pieces of a hot request take, and how often each allocates: `cargo bench --bench pieces`.
//!
//! A word behind it picks: `cargo bench --bench pieces -- token`. Everything runs on one thread, over a
//! database file in a temporary folder. What writes waits for the disk, as the daemon does
//! (`synchronous=FULL`).

#![allow(clippy::unwrap_used, reason = "a benchmark stops where it can't go on")]
#![allow(
    clippy::wildcard_imports,
    reason = "each module is a part of this file, under the name that its figures have"
)]

use authd::api::router::Router;
use authd::api::{bodies, wire};
use authd::config::{self, Sources};
use authd::crypto::gate::Gate;
use authd::crypto::jwt::{self, AccessClaims, Expected};
use authd::crypto::root_key::{Purpose, RootKey};
use authd::crypto::seal::Sealer;
use authd::crypto::signing_key::{SigningKey, VerifyingKey};
use authd::crypto::totp;
use authd::domain::access::Actor;
use authd::domain::algorithm::Algorithm;
use authd::domain::audit::Event;
use authd::domain::caller::Caller;
use authd::domain::email::Email;
use authd::domain::id::{SessionId, TokenId, UserId};
use authd::domain::name::Name;
use authd::domain::password::{HashCost, Password};
use authd::domain::secret::Secret;
use authd::error::Decision;
use authd::ports::{Clock, Entropy, SystemClock, SystemEntropy, draw};
use authd::store::Store;
use authd::store::tables::meta;
use authd::store::tables::sessions;
use authd::store::tables::sessions::ShownToken;
use authd::transport::Service;
use authd::transport::message::{Found, Head, Request};
use authd::usecase::account::admin;
use authd::usecase::account::admin::{FirstPassword, NewAccount, Verified};
use authd::usecase::app::{App, IfMissing, Ports};
use authd::usecase::session::browser::{self, SessionCookie};
use authd::usecase::session::{authenticate, refresh};
use authd::usecase::signin::login::{Credentials, LoggedIn, Tokens, login};
use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Counts what each piece takes from the heap. It is in the way a little, so times are for comparing.
#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const EMAIL: &str = "ann@example.com";
const PASSWORD: &str = "correct horse battery staple";

/// The least that argon2 takes: what is left is the way to the hash and back.
const CHEAP: HashCost = HashCost { memory_kib: 8, iterations: 1, parallelism: 1 };

fn main() {
    divan::main();
}

/// A database with one user, who is logged in.
struct House {
    app: Arc<App>,
    tokens: Tokens,
    cookie: SessionCookie,
    _folder: tempfile::TempDir,
}

impl House {
    fn open() -> Self {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
        let settings =
            [("AUTHD_PASSWORD__ARGON2_MEMORY_KIB", "8"), ("AUTHD_PASSWORD__ARGON2_ITERATIONS", "1")];
        let env = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let sources = Sources { env, cwd: folder.path().to_owned(), ..Sources::default() };
        let app =
            App::open(config::load(&sources).unwrap().config, Ports::real(), IfMissing::Create).unwrap();
        let new = NewAccount {
            email: Email::parse(EMAIL).unwrap(),
            name: Name::default(),
            roles: Vec::new(),
            verified: Verified::Yes,
            password: FirstPassword::Set(Password::new(PASSWORD).unwrap()),
        };
        admin::add(&app, &Caller::operator("olga"), new).unwrap();
        let credentials =
            Credentials { email: Email::parse(EMAIL).unwrap(), password: Password::new(PASSWORD).unwrap() };
        let LoggedIn::Started(started) = login(&app, &stranger(), &credentials).unwrap() else {
            panic!("nobody set a second factor up")
        };
        let cookie = started.clone().session_cookie(&app, false);
        let tokens = started.tokens(&app).unwrap();
        Self { app: Arc::new(app), tokens, cookie, _folder: folder }
    }

    fn token(&self) -> &str {
        self.tokens.access_token.expose()
    }

    /// The same file, without the use-cases above it.
    fn store(&self) -> Store {
        let chain_key = self.root_key().derive(Purpose::AuditChain);
        Store::open(self.app.config.database.path().unwrap(), Arc::new(SystemClock::new()), &chain_key, 1)
            .unwrap()
    }

    fn root_key(&self) -> RootKey {
        RootKey::read(&self.app.config.key_file).unwrap()
    }

    /// As a program asks, in the words of a small HTTP client.
    fn me(&self) -> Request {
        let authorization = format!("Bearer {}", self.token());
        let fields = [
            ("host", "auth.example.com"),
            ("user-agent", "client/1.0"),
            ("accept", "application/json"),
            ("authorization", authorization.as_str()),
        ];
        let headers = fields.into_iter().collect();
        let head = Head {
            method: "GET".into(),
            path: "/api/auth/me".into(),
            query: None,
            headers,
            peer: stranger().ip,
        };
        Request { head, body: Vec::new().into(), waited: Duration::ZERO, found: Found::NOTHING }
    }
}

fn stranger() -> Caller {
    Caller {
        actor: Actor::Anonymous,
        ip: Some([192, 0, 2, 7].into()),
        user_agent: Some("client/1.0".into()),
        request_id: Some("0198".into()),
        browser_sessions: Vec::new(),
    }
}

/// What a token says that was just made for somebody with a role.
fn claims() -> AccessClaims {
    let (now, entropy) = (SystemClock::new().now(), || draw(&SystemEntropy));
    AccessClaims {
        issuer: "https://auth.example.com".into(),
        audience: "https://api.example.com".into(),
        user: UserId::new(now, entropy()),
        session: SessionId::new(now, entropy()),
        generation: 0,
        token: TokenId::new(now, entropy()),
        client_id: "authd".into(),
        issued_at: now,
        not_before: now,
        expires_at: now.plus(Duration::from_secs(900)),
        auth_time: Some(now),
        amr: vec!["pwd".into()],
        roles: Some(vec!["editor".into()]),
        permissions: Some(vec!["articles:write".into()]),
    }
}

mod token {
    use super::*;

    #[divan::bench]
    fn sign(bencher: Bencher<'_, '_>) {
        let (key, claims) = (SigningKey::generate(Algorithm::EdDsa, &SystemEntropy).unwrap(), claims());
        bencher.bench_local(|| jwt::sign(&key, black_box(&claims)).unwrap());
    }

    /// Signature and claims, nothing remembered.
    #[divan::bench]
    fn verify(bencher: Bencher<'_, '_>) {
        let (key, claims) = (SigningKey::generate(Algorithm::EdDsa, &SystemEntropy).unwrap(), claims());
        let token = jwt::sign(&key, &claims).unwrap();
        let public = VerifyingKey::from_jwk(&key.kid, key.algorithm, &key.jwk).unwrap();
        let (issuer, audience, now) = (claims.issuer.as_str(), claims.audience.as_str(), claims.issued_at);
        let expected = Expected { issuer, audience, now };
        bencher.bench_local(|| {
            let key = |_: &str| Ok::<_, Infallible>(Some(public.clone()));
            let Ok(found) = jwt::authenticate(black_box(token.expose()), key);
            found.unwrap().claims.validate(expected).unwrap();
        });
    }

    /// The whole check of a token that was seen before: whatever is remembered of it, and the database asked.
    #[divan::bench]
    fn check(bencher: Bencher<'_, '_>) {
        let house = House::open();
        bencher.bench_local(|| authenticate::bearer(&house.app, black_box(house.token())).unwrap());
    }

    /// The whole check of a browser's cookie, of which nothing is remembered.
    #[divan::bench]
    fn check_session_cookie(bencher: Bencher<'_, '_>) {
        let house = House::open();
        let value = house.cookie.value.expose();
        bencher.bench_local(|| browser::authenticate(&house.app, black_box(value)).unwrap().unwrap());
    }
}

mod database {
    use super::*;

    #[divan::bench]
    fn token_status(bencher: Bencher<'_, '_>) {
        let house = House::open();
        let (store, claims) = (house.store(), claims());
        let shown = ShownToken {
            id: claims.token,
            kid: "none",
            expires_at: claims.expires_at,
            now: claims.issued_at,
        };
        let session = house.tokens.session;
        bencher.bench_local(|| {
            store
                .read(|query| sessions::find_token_status(query, black_box(session), shown))
                .unwrap()
                .unwrap()
        });
    }

    /// Each a transaction on disk, with its audit line and a new access token.
    #[divan::bench]
    fn refresh_rotation(bencher: Bencher<'_, '_>) {
        let house = House::open();
        let (caller, token) = (stranger(), RefCell::new(house.tokens.refresh_token.clone()));
        bencher.bench_local(|| {
            let next = refresh::refresh(&house.app, &caller, token.borrow().expose()).unwrap();
            token.replace(next.refresh_token);
        });
    }

    /// The least that a change can cost: one row, on disk.
    #[divan::bench]
    fn commit(bencher: Bencher<'_, '_>) {
        let house = House::open();
        let (store, caller) = (house.store(), stranger());
        bencher.bench_local(|| {
            store
                .write(&caller, |tx| meta::save(tx, "bench", black_box(b"value")).map(Decision::Grant))
                .unwrap();
        });
    }

    /// Lines of the audit log, many in a commit.
    #[divan::bench]
    fn audit_line(bencher: Bencher<'_, '_>) {
        const LINES: usize = 200;
        let house = House::open();
        let (store, caller) = (house.store(), stranger());
        let subject = (house.tokens.user.id, house.tokens.session);
        bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
            let lines = move |tx: &mut authd::store::tx::Tx<'_>| {
                (0..LINES).try_for_each(|_| tx.audit(&Event::TokenRefreshed, subject)).map(Decision::Grant)
            };
            store.write(&caller, lines).unwrap();
        });
    }
}

mod request {
    use super::*;

    /// As the transport asks, before it knows where a request goes.
    #[divan::bench(args = ["/api/auth/me", "/api/auth/login", "/healthz", "/nowhere"])]
    fn find_route(bencher: Bencher<'_, '_>, path: &str) {
        let house = House::open();
        let router = Router::new(Arc::clone(&house.app));
        let head = Head { path: path.to_owned(), ..house.me().head };
        bencher.bench_local(|| router.dispatch(black_box(&head)));
    }

    #[divan::bench]
    fn read_json(bencher: Bencher<'_, '_>) {
        let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
        let read = || wire::read(black_box(body.as_bytes()), Some(&bodies::CREDENTIALS));
        assert!(read().is_ok());
        bencher.bench_local(read);
    }

    /// `GET /api/auth/me` with a bearer token: all but the transport.
    #[divan::bench]
    fn me(bencher: Bencher<'_, '_>) {
        let house = House::open();
        let (router, me) = (Router::new(Arc::clone(&house.app)), house.me());
        let request = Request { found: router.dispatch(&me.head).found, ..me };
        assert_eq!(router.handle(&request).status, 200);
        bencher.bench_local(|| router.handle(black_box(&request)));
    }
}

mod secret {
    use super::*;

    #[divan::bench]
    fn hash_at_the_least_cost(bencher: Bencher<'_, '_>) {
        let gate = Gate::new(1, 1, CHEAP, Arc::new(SystemClock::new())).unwrap();
        let password = Password::new(PASSWORD).unwrap();
        bencher.bench_local(|| gate.hash(black_box(&password), [7; 16]).unwrap());
    }

    #[divan::bench]
    fn totp_code(bencher: Bencher<'_, '_>) {
        let (secret, now) = (Secret::new(draw(&SystemEntropy)), SystemClock::new().now());
        bencher.bench_local(|| totp::accept(black_box(&secret), black_box("123456"), now, None));
    }

    #[divan::bench]
    fn seal(bencher: Bencher<'_, '_>) {
        let sealer = Sealer::new(&RootKey::generate(&SystemEntropy), Purpose::Totp);
        bencher.bench_local(|| sealer.seal(&SystemEntropy, b"context", black_box(&[7; 20])));
    }

    #[divan::bench]
    fn open(bencher: Bencher<'_, '_>) {
        let sealer = Sealer::new(&RootKey::generate(&SystemEntropy), Purpose::Totp);
        let sealed = sealer.seal(&SystemEntropy, b"context", &[7; 20]);
        bencher.bench_local(|| sealer.open(b"context", black_box(&sealed)).unwrap());
    }

    #[divan::bench]
    fn draw_a_token(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| {
            let mut bytes = [0; 32];
            SystemEntropy.fill(&mut bytes);
            bytes
        });
    }
}
