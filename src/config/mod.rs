//! The configuration: every setting as a typed value.
//!
//! Read `keys` first, the table that everything follows from; then `load`, which turns the `sources` into
//! `settings`, each with its origin, and these into the [`Config`] of `model`. `value` checks one value
//! with the help of `spelling`, `database` tells files from servers, `choice` lists those that take one of
//! a few names, `build` and, for each `[oauth.NAME]`, `providers` check what two must agree on, `place`
//! finds the file, `file` reads TOML, `weak` lists what is allowed and not wise, `text` writes `config
//! init` and authd.toml(5).
//!
//! Nothing here reaches for a global: a `Config` is made once by the face that was called and handed on.

mod build;
mod choice;
mod database;
mod file;
pub mod keys;
mod load;
mod model;
mod oauth;
mod place;
mod providers;
mod settings;
mod sources;
mod spelling;
pub mod text;
mod value;
mod weak;

pub use choice::{
    LinkByEmail, LogFormat, LogLevel, MailTransport, PostgresTls, ProviderKind, Registration, SameSite,
    SmtpTls, TwoFactorRequired,
};
pub use database::{Database, ServerUrl};
pub use load::{Loaded, load};
pub use model::{
    Config, Cookies, Cors, EmailVerification, Links, Listen, Lockout, Log, MagicLink, Mail, Metrics, Pages,
    Passkeys, Password, Postgres, Proxy, Rate, RateLimit, Redirects, Server, Tokens, Totp,
};
pub use oauth::Provider;
pub use place::HERE;
pub use settings::{Origin, Setting};
pub use sources::Sources;
pub use value::{Kind, Value, parse_span, span_text};
pub use weak::{WeakSetting, weak_settings};
