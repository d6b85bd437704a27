//! The words of a mail.

use crate::config::Config;
use crate::domain::caller::Caller;
use crate::domain::mail::MailKind;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// What a mail can tell of. All of it may come from a stranger.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The one-time link; `None` for a notice.
    pub url: Option<Secret<String>>,
    /// How long the link works, in words.
    pub ttl: Option<&'static str>,
    /// `None`: nothing happened yet.
    pub at: Option<Timestamp>,
    /// Where it came from; `None`: not known.
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// The new address, in a notice to the old one.
    pub new_email: Option<String>,
}

impl Facts {
    /// What a notice says of the request that caused it.
    #[must_use]
    pub fn of(caller: &Caller, now: Timestamp) -> Self {
        Self {
            at: Some(now),
            ip: caller.ip.map(|ip| ip.to_string()),
            user_agent: caller.user_agent.clone(),
            ..Self::default()
        }
    }
}

/// A mail, ready to be sealed.
#[derive(Clone, Debug)]
pub struct Words {
    /// One line.
    pub subject: String,
    pub text: Secret<String>,
    pub html: Secret<String>,
}

/// Writes a mail of this kind.
#[must_use]
pub fn write(config: &Config, kind: MailKind, facts: &Facts) -> Words {
    let url = facts.url.as_ref().map(|url| url.expose().as_str()).unwrap_or_default();
    let text = format!("{} at {}\n\n  {url}\n", kind.name(), config.public_url);
    Words { subject: kind.name().replace('_', " "), text: Secret::new(text), html: Secret::new(String::new()) }
}
