//! The app: everything that an action needs, opened once by the face that was called.

pub(super) mod blocklist;
pub(super) mod cached;
pub mod database_lock;
pub mod files;
pub(super) mod folder;
mod fresh;
pub(super) mod hash_costs;
pub mod html;
pub(super) mod in_flight;
pub(super) mod key_uses;
pub mod keyring;
pub mod locked_tries;
pub mod mail_templates;
pub mod migrate;
mod opening;
pub mod ports;
pub(super) mod providers;
pub mod rate_limit;
pub mod request_counts;
pub(super) mod root_key;
pub(super) mod row_count_cache;
pub(super) mod server_address;
pub(super) mod session_uses;
pub(super) mod shared_probe;
pub mod spending;
pub(super) mod temp_file;
pub mod template_folder;
pub mod token_cache;
pub mod unknown_proxy;
pub(super) mod wakeup;
pub mod worker;

use crate::config::Config;
use crate::crypto::csrf::CsrfKey;
use crate::crypto::gate::Gate;
use crate::crypto::mailed_code::MailedCodeKey;
use crate::crypto::password_tag::PasswordTagKey;
use crate::crypto::refresh::RefreshKey;
use crate::crypto::root_key::Purpose;
use crate::crypto::seal::Sealer;
use crate::crypto::session_cookie::SessionCookieKey;
use crate::crypto::stand_in::StandInKey;
use crate::domain::blocklist::Blocklist;
use crate::domain::id::IdEntropy;
use crate::domain::session::Lifetime;
use crate::domain::time::Timestamp;
use crate::error::{Error, Fault};
use crate::ports::{Entropy, draw};
use crate::store::Store;
use database_lock::DatabaseLock;
use hash_costs::HashCosts;
use key_uses::KeyUses;
use keyring::Keyring;
use locked_tries::LockedTries;
use mail_templates::MailTemplates;
use opening::Opened;
use providers::Providers;
use rate_limit::RateLimits;
use request_counts::RequestCounts;
use row_count_cache::RowCountCache;
use session_uses::SessionUses;
use shared_probe::SharedProbe;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::Duration;
use token_cache::TokenCache;
use unknown_proxy::UnknownProxy;
use wakeup::Wakeup;

pub use ports::Ports;

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
    pub(super) token_cache: TokenCache,
    pub(super) refresh_key: Arc<RefreshKey>,
    pub(super) session_cookie_key: Arc<SessionCookieKey>,
    pub(super) csrf_key: CsrfKey,
    pub(super) password_tag_key: PasswordTagKey,
    pub(super) mailed_code_key: Arc<MailedCodeKey>,
    pub(super) rate_limits: RateLimits,
    pub(super) mail_sealer: Arc<Sealer>,
    pub(super) totp_sealer: Arc<Sealer>,
    pub(super) handover_sealer: Sealer,
    pub(super) oauth_sealer: Sealer,
    pub(super) passkey_sealer: Arc<Sealer>,
    pub(super) mail_templates: Arc<MailTemplates>,
    /// Wakes the delivery worker when a mail was queued.
    pub(super) mail_wakeup: Wakeup,
    /// Wakes the links' worker when somebody asked for one.
    pub(super) link_wakeup: Wakeup,
    /// Wakes the sealer when lines of the audit log were committed.
    pub(super) seal_wakeup: Wakeup,
    pub(super) request_counts: RequestCounts,
    pub(super) row_counts: RowCountCache,
    pub(super) key_uses: KeyUses,
    pub(super) session_uses: SessionUses,
    pub(super) readiness: SharedProbe,
    pub(super) locked_tries: LockedTries,
    pub(super) hash_costs: HashCosts,
    pub(super) stand_in_key: StandInKey,
    pub(super) unknown_proxy: UnknownProxy,
    pub(super) providers: Providers,
    pub(super) started_at: Timestamp,
    blocklist: OnceLock<Blocklist>,
    ports: Ports,
    /// What tells this process from others on the same database.
    pub(super) process_id: [u8; 16],
    /// Whether the clock was too far from the database server's when it was compared last.
    pub(super) clock_is_off: AtomicBool,
    /// Let go last: until then nobody replaces the file.
    _lock: Option<DatabaseLock>,
}

impl App {
    /// Opens the database that the configuration names, after checking that nobody else can read it.
    ///
    /// # Errors
    /// `not_found` when there is none and `if_missing` says to refuse; [`Fault::Permission`] for files
    /// that can't be used or that others can read; [`Fault::Config`] for a missing or foreign key
    /// file; [`Fault::Storage`] for a damaged file or one of another version.
    pub fn open(config: Config, ports: Ports, if_missing: IfMissing) -> Result<Self, Error> {
        let mail_templates = MailTemplates::read(&config)?;
        let Opened { store, root, keyring, created, lock } = opening::open(&config, &ports, if_missing)?;
        let threads = config.server.hash_threads.unwrap_or_else(cores);
        let gate = Gate::new(
            threads,
            config.server.hash_queue,
            config.password.hash_cost,
            Arc::clone(&ports.clock),
        )?;
        let mut app = Self {
            gate,
            store,
            keyring: Arc::new(keyring),
            token_cache: TokenCache::default(),
            refresh_key: Arc::new(RefreshKey::new(&root)),
            session_cookie_key: Arc::new(SessionCookieKey::new(&root)),
            csrf_key: CsrfKey::new(&root),
            password_tag_key: PasswordTagKey::new(&root),
            mailed_code_key: Arc::new(MailedCodeKey::new(&root)),
            rate_limits: RateLimits::default(),
            mail_sealer: Arc::new(Sealer::new(&root, Purpose::Mail)),
            totp_sealer: Arc::new(Sealer::new(&root, Purpose::Totp)),
            handover_sealer: Sealer::new(&root, Purpose::Handovers),
            oauth_sealer: Sealer::new(&root, Purpose::OauthAttempts),
            passkey_sealer: Arc::new(Sealer::new(&root, Purpose::PasskeyCeremonies)),
            mail_templates: Arc::new(mail_templates),
            mail_wakeup: Wakeup::new(),
            link_wakeup: Wakeup::new(),
            seal_wakeup: Wakeup::new(),
            request_counts: RequestCounts::new(),
            row_counts: RowCountCache::default(),
            key_uses: KeyUses::default(),
            session_uses: SessionUses::default(),
            readiness: SharedProbe::default(),
            locked_tries: LockedTries::default(),
            hash_costs: HashCosts::default(),
            stand_in_key: StandInKey::new(&root),
            unknown_proxy: UnknownProxy::default(),
            providers: Providers::default(),
            started_at: ports.clock.now(),
            blocklist: OnceLock::new(),
            process_id: draw(&*ports.entropy),
            clock_is_off: AtomicBool::new(false),
            created,
            config,
            ports,
            _lock: lock,
        };
        if if_missing == IfMissing::Create {
            app.created.signing_key |= app.keyring.ensure(&app.store, &app.ports)?;
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

    /// The outside world that it was opened with.
    pub(super) const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Where random bytes come from.
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
    pub fn before_wait(&self) {
        self.store.before_wait();
    }

    /// Whether reading from the database may wait for another machine: then no thread on which others wait
    /// may read.
    #[must_use]
    pub fn reads_far(&self) -> bool {
        self.store.is_shared()
    }

    pub(super) fn lifetime(&self) -> Lifetime {
        Lifetime { idle: self.config.tokens.refresh_idle, grace: self.config.tokens.refresh_grace }
    }
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}
