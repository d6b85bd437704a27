//! The configuration: every setting as a typed value.
//!
//! Read `keys` first, the table that everything follows from; then `load`, which turns the sources into
//! `settings`, each with its origin, and these into the [`Config`] of `model`. `value` and `url` check one
//! value, `choice` lists those that take one of a few names, `build` checks what two must agree on, `file`
//! reads TOML, `text` writes `config init` and authd.toml(5).
//!
//! Nothing here reaches for a global: a `Config` is made once by the face that was called and handed on.

mod build;
mod choice;
mod file;
pub mod keys;
mod load;
mod model;
mod settings;
pub mod text;
mod url;
mod value;

pub use choice::{
    LogFormat, LogLevel, MailTransport, OauthKind, Registration, SameSite, SmtpTls, TwoFactorRequired,
};
pub use load::{FILES, Loaded, Sources, load};
pub use model::{
    Config, Cookies, Cors, EmailVerification, Links, Listen, Lockout, Log, Mail, Metrics, OauthProvider,
    Password, Proxy, Rate, RateLimit, Redirects, Server, Tokens, Totp,
};
pub use settings::{Origin, Setting};
pub use value::{Kind, Value, parse_span, span_text};
