//! Every setting as a typed value: the [`Config`] that the rest of authd reads.

use super::choice::{
    LogFormat, LogLevel, MailTransport, PostgresTls, Registration, SameSite, SmtpTls, TwoFactorRequired,
};
use super::database::Database;
use super::oauth::Provider;
use crate::domain::algorithm::Algorithm;
use crate::domain::color::Color;
use crate::domain::password::HashCost;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// All settings. Durations are whole seconds, sizes carry their unit in the name, paths are absolute.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub listen: Listen,
    /// What links in mail, the issuer and cookies are built from: an origin (RFC 6454 §6.2), as a browser
    /// writes it in `Origin`.
    pub public_url: String,
    pub database: Database,
    /// True when `database` is `./authd.db`, the default, whose folder's mode is only warned about.
    pub database_is_default: bool,
    /// The root key.
    pub key_file: PathBuf,
    /// True when systemd handed the root key over, whose access list shows as rights of the group.
    pub key_file_is_credential: bool,
    pub postgres: Postgres,
    pub registration: Registration,
    pub email_verification: EmailVerification,
    pub password: Password,
    pub tokens: Tokens,
    pub lockout: Lockout,
    pub rate_limit: RateLimit,
    pub proxy: Proxy,
    pub mail: Mail,
    pub links: Links,
    pub pages: Pages,
    pub redirects: Redirects,
    pub magic_link: MagicLink,
    pub passkeys: Passkeys,
    /// Providers of identities, by name.
    pub oauth: Vec<Provider>,
    pub cookies: Cookies,
    pub cors: Cors,
    pub two_factor: TwoFactor,
    pub totp: Totp,
    pub server: Server,
    pub metrics: Metrics,
    pub log: Log,
}

/// How a database on a server is spoken to. Without a meaning where it is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postgres {
    /// `None`: the password stands in the URL, or there is none.
    pub password_file: Option<PathBuf>,
    pub tls: PostgresTls,
    /// The authorities that the server's certificate may come from. `None`: those that the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// The most connections of one process.
    pub connections: u32,
    /// Whether statements are prepared under a name.
    pub prepared: bool,
}

impl Postgres {
    /// Each writes all the time where there is that much to do.
    const WRITERS_MAX: u32 = 8;

    /// How many of the connections write.
    #[must_use]
    pub fn writers(&self) -> u32 {
        (self.connections / 2).clamp(1, Self::WRITERS_MAX)
    }

    /// How many of the connections read: one is the audit log's sealer's.
    #[must_use]
    pub fn readers(&self) -> u32 {
        self.connections.saturating_sub(self.writers() + 1).max(1)
    }
}

/// Where the daemon takes connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
    /// The socket that systemd hands over (`LISTEN_FDS`).
    Systemd,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailVerification {
    pub required: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// In code points; never under 8.
    pub min_length: usize,
    /// One password a line, on top of the built-in list; `None` for the built-in list alone.
    pub blocklist_file: Option<PathBuf>,
    pub hash_cost: HashCost,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// `public_url` unless set.
    pub issuer: String,
    pub audience: String,
    /// For the next signing key.
    pub algorithm: Algorithm,
    pub access_ttl: Duration,
    /// The session's whole life.
    pub refresh_ttl: Duration,
    /// How long a session lives without being refreshed.
    pub refresh_idle: Duration,
    /// As `refresh_ttl` and `refresh_idle`, where a second factor is on; the lesser counts
    /// (NIST SP 800-63B-4 §2.2.3).
    pub two_factor_ttl: Duration,
    pub two_factor_idle: Duration,
    /// A retry this soon gets the same successor, not a revoked family.
    pub refresh_grace: Duration,
    /// How many sessions of one user live at once.
    pub max_sessions: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lockout {
    pub pair_failures: u32,
    pub pair_lock: Duration,
    pub pair_lock_max: Duration,
    pub account_failures: u32,
    pub account_lock: Duration,
    pub known_network: Duration,
}

/// `events` in `window`, with a burst of `events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub events: u32,
    pub window: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub enabled: bool,
    pub login: Rate,
    pub register: Rate,
    pub mail: Rate,
    pub token: Rate,
    pub default: Rate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Networks whose `X-Forwarded-For` counts.
    pub trusted: Vec<IpNet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub transport: MailTransport,
    pub from: String,
    pub max_per_address_per_hour: u32,
    /// A folder that overrides the built-in texts.
    pub templates: Option<PathBuf>,
    pub smtp_host: String,
    pub smtp_port: u16,
    pub smtp_tls: SmtpTls,
    /// `None`: no login.
    pub smtp_user: Option<String>,
    pub smtp_password_file: Option<PathBuf>,
}

/// Where links in mail lead; `{token}` is replaced. `None`: pages under `public_url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    pub verify_email: Option<String>,
    pub reset_password: Option<String>,
    pub change_email: Option<String>,
    pub magic_link: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// False: only what the links in mail lead to.
    pub enabled: bool,
    /// What the service is called.
    pub name: String,
    pub logo_file: Option<PathBuf>,
    /// `None`: the stylesheet's own.
    pub accent: Option<Color>,
    /// A folder that overrides the built-in templates.
    pub templates: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirects {
    /// Exact URLs that a browser may go on to after signing in.
    pub allowed: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MagicLink {
    /// Whether people may sign in by a mail alone.
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkeys {
    pub enabled: bool,
    /// The relying party's id (WebAuthn Level 3 §4): a domain. `public_url`'s host unless set.
    pub rp_id: String,
    /// `pages.name` unless set.
    pub rp_name: String,
    /// Exact origins, besides that of `public_url` (§5.11).
    pub related_origins: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookies {
    pub same_site: SameSite,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// Exact origins: scheme, host and port.
    pub origins: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoFactor {
    pub required: TwoFactorRequired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// The name in the phone's app.
    pub issuer: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub max_connections: usize,
    /// `None`: a quarter of all.
    pub max_connections_per_network: Option<usize>,
    /// `None`: as many as cores.
    pub hash_threads: Option<usize>,
    pub hash_queue: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// `None`: off.
    pub listen: Option<SocketAddr>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub level: LogLevel,
    pub format: LogFormat,
}
