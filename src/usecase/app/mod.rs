//! The app: everything that an action needs, opened once by the face that was called.

pub(super) mod blocklist;
pub mod database_lock;
pub mod files;
pub mod keyring;
pub mod mail_templates;
pub mod migrate;
pub mod rate_limit;
pub mod request_counts;
pub mod token_cache;
pub(super) mod wakeup;

use super::keys::api_key_uses::KeyUses;
use super::operator::figures::Counting;
use crate::config::Config;
use crate::crypto::csrf::CsrfKey;
use crate::crypto::gate::Gate;
use crate::crypto::refresh::RefreshKey;
use crate::crypto::root_key::{Purpose, RootKey};
use crate::crypto::seal::Sealer;
use crate::domain::audit::{Event, Subject};
use crate::domain::blocklist::Blocklist;
use crate::domain::caller::Caller;
use crate::domain::id::IdEntropy;
use crate::domain::session::Lifetime;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::{Clock, Entropy, SystemClock, SystemEntropy, draw};
use crate::store::Store;
use crate::store::tables::meta;
use crate::store::tx::Query;
use database_lock::InUse;
use keyring::Keyring;
use mail_templates::Letters;
use rate_limit::RateLimits;
use request_counts::Traffic;
use std::fs::File;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::Duration;
use token_cache::Remembered;
use wakeup::Bell;

/// What proves that a key file belongs to a database.
const ROOT_KEY_CHECK: &str = "root_key_check";

/// The outside world: the real one, or a test's.
#[derive(Clone, Debug)]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl Ports {
    #[must_use]
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock::new()), entropy: Arc::new(SystemEntropy) }
    }
}

/// What to do where there is no database yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IfMissing {
    /// Make the database, the key file and the signing key.
    Create,
    Refuse,
}

/// What [`App::open`] made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Created {
    pub database: bool,
    pub key_file: bool,
    pub signing_key: bool,
}

#[derive(Debug)]
pub struct App {
    pub config: Config,
    /// What this opening made.
    pub created: Created,
    pub(super) store: Store,
    pub(super) gate: Gate,
    pub(super) keyring: Arc<Keyring>,
    pub(super) remembered: Remembered,
    pub(super) refresh_key: Arc<RefreshKey>,
    pub(super) csrf_key: CsrfKey,
    pub(super) rate_limits: RateLimits,
    pub(super) mail_sealer: Arc<Sealer>,
    pub(super) totp_sealer: Arc<Sealer>,
    pub(super) letters: Letters,
    /// Rung when a mail was queued.
    pub(super) mail_bell: Bell,
    /// Rung when somebody asked for a link.
    pub(super) link_bell: Bell,
    pub(super) traffic: Traffic,
    pub(super) counting: Counting,
    pub(super) key_uses: KeyUses,
    pub(super) started_at: Timestamp,
    blocklist: OnceLock<Blocklist>,
    ports: Ports,
    /// Let go last: until then nobody replaces the file.
    _in_use: InUse,
}

impl App {
    /// Opens the database that the configuration names, after checking that nobody else can read it.
    ///
    /// # Errors
    /// `not_found` when there is none and `if_missing` says to refuse; [`Fault::Permission`] for files
    /// that can't be used or that others can read; [`Fault::Config`] for a missing or foreign key
    /// file; [`Fault::Storage`] for a damaged file or one of another version.
    pub fn open(config: Config, ports: Ports, if_missing: IfMissing) -> Result<Self, Error> {
        let mut created = Created::default();
        let letters = Letters::read(&config)?;
        let database_exists = files::exists(&config.database)?;
        if !database_exists && if_missing == IfMissing::Refuse {
            let advice = format!(
                "{}; run `authctl db init` or `authd serve` to make one, or set `database`",
                config.database.display()
            );
            return Err(Refusal::not_found("database", advice).into());
        }
        if if_missing == IfMissing::Create {
            files::prepare_folder(&config)?;
        }
        files::check(&config)?;
        let in_use = InUse::share(&config.database)?;
        let root = root_key(&config, &ports, database_exists, &mut created)?;
        let chain_key = root.derive(Purpose::AuditChain);
        if if_missing == IfMissing::Create {
            files::prepare(&config)?;
            created.database = Store::create(&config.database, &chain_key)?;
            migrate::bring_up(&config.database, &in_use, &ports, &root, &Caller::system())?;
        }
        let store = Store::open(&config.database, Arc::clone(&ports.clock), &chain_key, readers())?;
        seal_root_key(&store, &root, &ports)?;
        let threads = config.server.hash_threads.unwrap_or_else(cores);
        let gate = Gate::new(threads, config.server.hash_queue, config.password.hash_cost, Arc::clone(&ports.clock))?;
        let mut app = Self {
            gate,
            store,
            keyring: Arc::new(Keyring::new(Sealer::new(&root, Purpose::SigningKeys), &config.tokens)),
            remembered: Remembered::default(),
            refresh_key: Arc::new(RefreshKey::new(&root)),
            csrf_key: CsrfKey::new(&root),
            rate_limits: RateLimits::default(),
            mail_sealer: Arc::new(Sealer::new(&root, Purpose::Mail)),
            totp_sealer: Arc::new(Sealer::new(&root, Purpose::Totp)),
            letters,
            mail_bell: Bell::new(),
            link_bell: Bell::new(),
            traffic: Traffic::new(),
            counting: Counting::default(),
            key_uses: KeyUses::default(),
            started_at: ports.clock.now(),
            blocklist: OnceLock::new(),
            created,
            config,
            ports,
            _in_use: in_use,
        };
        if if_missing == IfMissing::Create {
            app.created.signing_key = super::app::keyring::ensure(&app)?;
            // The daemon learns at its start that the file can't be read, not at the first password.
            app.blocklist()?;
        }
        Ok(app)
    }

    /// The time of day; inside a transaction, the transaction's own counts.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// A time that only goes forward, for measuring spans.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.ports.clock.elapsed()
    }

    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.ports.entropy
    }

    /// Random bytes for a new identifier.
    #[must_use]
    pub fn id_entropy(&self) -> IdEntropy {
        draw(self.entropy())
    }

    /// What no new password may be. Read at the first use, so that a command that has nothing to do with
    /// passwords needs no list.
    ///
    /// # Errors
    /// [`Fault::Config`] or [`Fault::Permission`], which name the file.
    pub(super) fn blocklist(&self) -> Result<&Blocklist, Fault> {
        if let Some(blocklist) = self.blocklist.get() {
            return Ok(blocklist);
        }
        let read = super::app::blocklist::read(self.config.password.blocklist_file.as_deref())?;
        Ok(self.blocklist.get_or_init(|| read))
    }

    /// Before a thread that answers requests by itself waits for the next: it holds nothing meanwhile.
    pub fn rest(&self) {
        self.store.rest();
    }

    pub(super) fn lifetime(&self) -> Lifetime {
        Lifetime { idle: self.config.tokens.refresh_idle, grace: self.config.tokens.refresh_grace }
    }
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Four threads of the daemon may read for long. For those that must not wait, its I/O threads, there is always a
/// connection left; all others hold one for a moment.
fn readers() -> u32 {
    u32::try_from(cores()).unwrap_or(1).clamp(1, 4) + 8
}

fn root_key(config: &Config, ports: &Ports, database_exists: bool, created: &mut Created) -> Result<RootKey, Fault> {
    if database_exists || files::exists(&config.key_file)? {
        return existing_root_key(config);
    }
    files::prepare(config)?;
    let root = RootKey::generate(&*ports.entropy);
    created.key_file = root.write_new(&config.key_file)?;
    if !created.key_file {
        return RootKey::read(&config.key_file);
    }
    let made = File::open(&config.key_file).map_err(|error| files::cannot_write(&config.key_file, &error))?;
    files::give_to_owner(&made, files::folder_of(&config.key_file).as_path())?;
    Ok(root)
}

/// The root key of a database that is there.
///
/// # Errors
/// [`Fault::Config`] when its file is missing or is none, [`Fault::Permission`].
pub(super) fn existing_root_key(config: &Config) -> Result<RootKey, Fault> {
    if files::exists(&config.key_file)? {
        return RootKey::read(&config.key_file);
    }
    Err(Fault::Config(format!(
        "the key file {} is missing, and the database {} can't be opened without it; bring it back from the backup, or set `key_file`",
        config.key_file.display(),
        config.database.display()
    )))
}

/// Holds the key file against a database: a value sealed when that was made must open. `false`: there is
/// none yet, in a database that was just made.
///
/// # Errors
/// [`Fault::Config`] for the key file of another database; the driver's.
pub(super) fn check_root_key(query: &impl Query, root: &RootKey) -> Result<bool, Fault> {
    let Some(sealed) = meta::find(query, ROOT_KEY_CHECK)? else { return Ok(false) };
    Sealer::new(root, Purpose::Check).open(ROOT_KEY_CHECK.as_bytes(), &sealed).map_err(|_| {
        Fault::Config("the key file belongs to another database; set `key_file` to the one made with this".into())
    })?;
    Ok(true)
}

/// As [`check_root_key`], and seals that value in a database that was just made.
fn seal_root_key(store: &Store, root: &RootKey, ports: &Ports) -> Result<(), Error> {
    if store.read(|query| check_root_key(query, root))? {
        return Ok(());
    }
    let sealed = Sealer::new(root, Purpose::Check).seal(&*ports.entropy, ROOT_KEY_CHECK.as_bytes(), b"authd");
    store.write(&Caller::system(), move |tx| {
        meta::save(tx, ROOT_KEY_CHECK, &sealed)?;
        tx.audit(&Event::DatabaseCreated, Subject::default())?;
        Ok(Decision::Grant(()))
    })
}
