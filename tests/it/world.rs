//! A world to tell stories in: a temporary database, a clock that the test moves, chance that repeats,
//! cheap hashing by configuration, and the mail that was sent.

use crate::database::TestDatabase;
use crate::database::worlds::{self, OwnDatabase};
use authd::config::{self, Database, Provider, Sources};
use authd::domain::access::Actor;
use authd::domain::audit::Line;
use authd::domain::caller::Caller;
use authd::domain::email::Email;
use authd::domain::mail::Mail;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::domain::time::Timestamp;
use authd::domain::user::User;
use authd::error::Error;
use authd::ports::web_client::WebClient;
use authd::ports::{Clock, Entropy};
use authd::usecase::account::admin;
use authd::usecase::account::admin::{FirstPassword, NewAccount, Verified};
use authd::usecase::account::reference::UserRef;
use authd::usecase::account::register::{Registered, Registration, register};
use authd::usecase::app::{App, IfMissing, Ports};
use authd::usecase::audit::read;
use authd::usecase::audit::read::Wanted;
use authd::usecase::mail::{compose, link_requests};
use authd::usecase::session::authenticate;
use authd::usecase::signin::login::{Credentials, LoggedIn, Tokens, login};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// A password that every policy takes.
pub const PASSWORD: &str = "correct horse battery staple";

/// A clock that only a test moves.
pub struct TestClock {
    now: AtomicI64,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl TestClock {
    fn at(millis: i64) -> Self {
        Self { now: AtomicI64::new(millis), meanwhile: Mutex::default() }
    }

    pub fn set(&self, now: Timestamp) {
        self.now.store(now.as_millis(), Ordering::SeqCst);
    }

    /// Lets something happen once between the last look that is taken before the next transaction and that
    /// transaction. No App of this world may write in it that was open before.
    pub fn before_next_transaction(&self, meanwhile: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
    }
}

impl std::fmt::Debug for TestClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TestClock({})", self.now())
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        let elapsed = Duration::from_millis(self.now.load(Ordering::SeqCst).unsigned_abs());
        // A writer has taken its job, and measures from before it begins the transaction.
        if std::thread::current().name().is_some_and(|name| name.starts_with("writer")) {
            let meanwhile = self.meanwhile.lock().unwrap().take();
            if let Some(happens) = meanwhile {
                happens();
            }
        }
        elapsed
    }
}

/// Chance that repeats from one run to the next (splitmix64).
#[derive(Debug)]
struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct World {
    pub app: Arc<App>,
    pub clock: Arc<TestClock>,
    pub folder: PathBuf,
    _keep: Mutex<Option<TempDir>>,
    /// Those on a server: the world's own, where that is one, and the one elsewhere.
    servers: Mutex<Vec<OwnDatabase>>,
    /// Variables that name the database and its key, where these are not found by themselves.
    place: Vec<(&'static str, String)>,
    ports: Ports,
    settings: Vec<(String, String)>,
    providers: Vec<Provider>,
}

impl World {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// `settings` are configuration keys and values: `("registration", "closed")`.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::with_providers(settings, |_, _| Vec::new())
    }

    /// The same, and its database and its key are made by its own app, as on a first start.
    pub fn anew() -> Self {
        Self::begin(&[], |_, _| Vec::new(), |_, _| OwnDatabase::new())
    }

    /// The same with providers of identities, which `make` makes of the world's clock and its folder.
    pub fn with_providers(
        settings: &[(&str, &str)],
        make: impl FnOnce(&Arc<TestClock>, &Path) -> Vec<Provider>,
    ) -> Self {
        Self::begin(settings, make, |folder, ports| {
            // What tokens are like is decided with the first key.
            let is_special = settings.iter().any(|(key, _)| key.starts_with("tokens."));
            if is_special { OwnDatabase::new() } else { copied(folder, ports) }
        })
    }

    fn begin(
        settings: &[(&str, &str)],
        make: impl FnOnce(&Arc<TestClock>, &Path) -> Vec<Provider>,
        on_server: impl FnOnce(&Path, &Ports) -> OwnDatabase,
    ) -> Self {
        // A configuration that others could have written would be passed over.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
        let clock = Arc::new(TestClock::at(1_795_334_400_000));
        let ports = Ports {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(TestEntropy(AtomicU64::new(42))),
            http: Arc::new(WebClient::new()),
        };
        let mut all = vec![
            ("password.argon2_memory_kib".to_owned(), "8".to_owned()),
            ("password.argon2_iterations".to_owned(), "1".to_owned()),
            ("listen".to_owned(), "127.0.0.1:0".to_owned()),
        ];
        all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let path = folder.path().to_owned();
        let server = worlds::are_on_a_server().then(|| on_server(&path, &ports));
        let place = server.as_ref().map(|server| server.variables(&path)).unwrap_or_default();
        for (name, value) in &place {
            let key = name.trim_start_matches("AUTHD_").to_lowercase().replace("__", ".");
            all.push((key, value.clone()));
        }
        let providers = make(&clock, &path);
        let app = open(&path, &all, &providers, &ports).unwrap();
        Self {
            app: Arc::new(app),
            clock,
            folder: path,
            _keep: Mutex::new(Some(folder)),
            servers: Mutex::new(server.into_iter().collect()),
            place,
            ports,
            settings: all,
            providers,
        }
    }

    /// Another process on the same files: what it does, this world's app must see.
    pub fn another_app(&self) -> App {
        self.another_app_with(&[])
    }

    /// The same with other settings, as after a restart.
    pub fn another_app_with(&self, settings: &[(&str, &str)]) -> App {
        self.try_open_with(settings).unwrap()
    }

    pub fn try_open_with(&self, settings: &[(&str, &str)]) -> Result<App, Error> {
        let mut all = self.settings.clone();
        for (key, value) in settings {
            all.retain(|(known, _)| known != key);
            all.push(((*key).to_owned(), (*value).to_owned()));
        }
        open(&self.folder, &all, &self.providers, &self.ports)
    }

    /// The same in the place of this world's app, and of all that are opened after it.
    pub fn restart_with(&mut self, settings: &[(&str, &str)]) {
        self.app = Arc::new(self.another_app_with(settings));
        for (key, value) in settings {
            self.settings.retain(|(known, _)| known != key);
            self.settings.push(((*key).to_owned(), (*value).to_owned()));
        }
    }

    /// The same with other providers.
    pub fn restart_with_providers(&mut self, change: impl FnOnce(&mut Vec<Provider>)) {
        change(&mut self.providers);
        self.app = Arc::new(self.another_app());
    }

    pub fn try_open(&self) -> Result<App, Error> {
        self.try_open_with(&[])
    }

    pub fn ports(&self) -> Ports {
        self.ports.clone()
    }

    pub fn advance(&self, span: Duration) {
        self.clock.set(self.clock.now().plus(span));
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn add_user(&self, email: &str, roles: &[&str]) -> User {
        let new = NewAccount {
            email: Email::parse(email).unwrap(),
            name: Name::default(),
            roles: roles.iter().map(|role| authd::domain::role::RoleName::parse(role).unwrap()).collect(),
            verified: Verified::Yes,
            password: FirstPassword::Set(Password::new(PASSWORD).unwrap()),
        };
        admin::add(&self.app, &operator(), new).unwrap().user
    }

    /// An account whose address nobody has verified, as an operator makes it.
    pub fn add_unverified(&self, email: &str) -> User {
        let new = NewAccount {
            email: Email::parse(email).unwrap(),
            name: Name::default(),
            roles: Vec::new(),
            verified: Verified::No,
            password: FirstPassword::Set(Password::new(PASSWORD).unwrap()),
        };
        admin::add(&self.app, &operator(), new).unwrap().user
    }

    pub fn register(&self, email: &str) -> Result<Registered, Error> {
        let new = Registration {
            email: Email::parse(email).unwrap(),
            password: Password::new(PASSWORD).unwrap(),
            name: Name::default(),
        };
        register(&self.app, &anonymous(), &new)
    }

    pub fn login(&self, email: &str) -> Result<Tokens, Error> {
        self.login_with(email, PASSWORD)
    }

    /// Logs in where no second factor is on.
    pub fn login_with(&self, email: &str, password: &str) -> Result<Tokens, Error> {
        match self.first_step(&anonymous(), email, password)? {
            LoggedIn::Started(started) => started.tokens(&self.app),
            LoggedIn::SecondStep(..) => panic!("a second factor is on"),
            LoggedIn::PasswordChange(_) => panic!("the password must be changed"),
        }
    }

    pub fn first_step(&self, caller: &Caller, email: &str, password: &str) -> Result<LoggedIn, Error> {
        let credentials =
            Credentials { email: Email::parse(email).unwrap(), password: Password::new(password).unwrap() };
        login(&self.app, caller, &credentials)
    }

    pub fn is_signed_in(&self, tokens: &Tokens) -> bool {
        authenticate::bearer(&self.app, tokens.access_token.expose()).is_ok()
    }

    /// The caller that an access token makes.
    pub fn caller(&self, tokens: &Tokens) -> Caller {
        let signed_in = authenticate::bearer(&self.app, tokens.access_token.expose()).unwrap();
        Caller { actor: Actor::User(signed_in), ..anonymous() }
    }

    /// Does what a thread of the daemon does in the background.
    pub fn work_off(&self) {
        link_requests::work_off(&self.app).unwrap();
    }

    /// Mails to an address, newest first.
    pub fn mails(&self, to: &str) -> Vec<Mail> {
        self.work_off();
        let mut mails = compose::page(&self.app, &operator(), None, 200, None).unwrap().items;
        mails.retain(|mail| mail.to == to);
        mails
    }

    /// The secret in the newest mail to an address.
    pub fn token_in_mail(&self, to: &str) -> String {
        self.token_in(self.mails(to).first().expect("a mail was sent"))
    }

    /// The secret in a mail.
    pub fn token_in(&self, mail: &Mail) -> String {
        let opened = compose::show(&self.app, &operator(), &mail.id.to_string()).unwrap();
        let body = opened.body.expect("the body is there until it is sent").expose().clone();
        let start = body.find("authd_").expect("the mail holds a link");
        body[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect()
    }

    /// The whole audit log, oldest line first.
    pub fn audit(&self) -> Vec<Line> {
        read::tail(&self.app, &operator(), &Wanted::default(), u32::MAX).unwrap().0
    }

    pub fn events(&self) -> Vec<String> {
        self.audit().into_iter().map(|line| line.event).collect()
    }

    /// Its database past authd.
    pub fn database(&self) -> TestDatabase {
        TestDatabase::of(&self.app.config)
    }

    /// What tells a process of its own which database that is, and which key; nothing where it finds both by
    /// itself, in the world's folder.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.place.clone()
    }

    /// Where another database may be made, for the same key: the same place whenever it is asked for.
    pub fn elsewhere(&self) -> Database {
        if !worlds::are_on_a_server() {
            return Database::File(self.folder.join("elsewhere").join("authd.db"));
        }
        let mut servers = self.servers.lock().unwrap();
        if servers.len() < 2 {
            servers.push(OwnDatabase::new());
        }
        servers[1].database()
    }

    /// The file that it is, where it is one.
    pub fn file(&self) -> PathBuf {
        self.folder.join("authd.db")
    }
}

/// A database on a server as it is made, with its key. To make one takes longer than most of what is told of
/// worlds, so that they get copies.
static MADE: LazyLock<(OwnDatabase, Vec<u8>)> = LazyLock::new(|| {
    let world = World::anew();
    let database = world.servers.lock().unwrap().remove(0);
    (database, fs::read(world.folder.join(KEY)).unwrap())
});

const KEY: &str = "authd.key";

fn copied(folder: &Path, ports: &Ports) -> OwnDatabase {
    let (database, key) = &*MADE;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(KEY));
    file.unwrap().write_all(key).unwrap();
    // Nothing is drawn twice: that was made of the same chance.
    ports.entropy.fill(&mut [0; 4_096]);
    OwnDatabase::copy_of(database)
}

fn open(
    folder: &Path,
    settings: &[(String, String)],
    providers: &[Provider],
    ports: &Ports,
) -> Result<App, Error> {
    let env = settings
        .iter()
        .map(|(key, value)| (format!("AUTHD_{}", key.to_uppercase().replace('.', "__")), value.clone()))
        .collect();
    let sources = Sources { env, cwd: folder.to_owned(), ..Sources::default() };
    let mut config = config::load(&sources)?.config;
    config.oauth.extend_from_slice(providers);
    App::open(config, ports.clone(), IfMissing::Create)
}

pub fn operator() -> Caller {
    Caller::operator("olga")
}

pub fn anonymous() -> Caller {
    Caller {
        actor: Actor::Anonymous,
        ip: Some("192.0.2.7".parse().unwrap()),
        user_agent: Some("test/1".into()),
        request_id: Some("req-1".into()),
        browser_sessions: Vec::new(),
    }
}

pub fn user_ref(text: &str) -> UserRef {
    UserRef::parse(text).unwrap()
}
