//! Settings that are allowed and make authd weaker than it is by default: one list, which `config check`,
//! `doctor` and the daemon's start show.

use super::keys::provider_key;
use super::model::{Config, Listen};
use super::value::span_text;
use std::time::Duration;

/// A service that verifies tokens by itself honours one for so long after it was revoked.
const LONG_ACCESS: Duration = Duration::from_secs(60 * 60);

/// A setting that weakens, and what it comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WeakSetting {
    pub key: String,
    /// What follows from it, and what to do; for people.
    pub says: String,
}

/// Lists what is weak, in the order of the table of keys.
#[must_use]
pub fn weak_settings(config: &Config) -> Vec<WeakSetting> {
    let listens_to_others = match &config.listen {
        Listen::Tcp(address) => !address.ip().is_loopback(),
        Listen::Unix(_) | Listen::Systemd => false,
    };
    let cost = config.password.hash_cost;
    let mut found = vec![
        listens_to_others.then(|| {
            weak(
                "listen",
                "passwords and tokens pass in clear, as authd leaves TLS to a proxy; listen on loopback or a Unix \
                 socket, or see that nobody but the proxy reaches this address",
            )
        }),
        (!config.email_verification.required).then(|| {
            weak(
                "email_verification.required",
                "accounts are used under addresses that nobody has shown to be theirs; leave it on where \
                 strangers can register",
            )
        }),
        cost.is_below_floor().then(|| {
            weak(
                "password.argon2_memory_kib",
                format!(
                    "{} KiB filled {} times is less than a stolen database should cost to guess at; the default \
                     is the least, and `authctl hash calibrate` finds what this machine can do",
                    cost.memory_kib, cost.iterations
                ),
            )
        }),
        (config.tokens.access_ttl > LONG_ACCESS).then(|| {
            weak(
                "tokens.access_ttl",
                format!(
                    "services that verify tokens by themselves honour one for up to {} after it was revoked; an \
                     hour is the most that it should be",
                    span_text(config.tokens.access_ttl)
                ),
            )
        }),
        (!config.rate_limit.enabled).then(|| {
            weak(
                "rate_limit.enabled",
                "one network may guess, register and ask for mails as fast as it can; turn it on where others than \
                 tests reach this",
            )
        }),
    ];
    found.extend(config.oauth.iter().map(|provider| {
        provider.allow_private.then(|| {
            weak(
                provider_key(&provider.name, "allow_private"),
                "what this provider says of itself can have authd ask what stands at private addresses, on this \
                 machine too; leave it off unless the provider stands there",
            )
        })
    }));
    found.into_iter().flatten().collect()
}

fn weak(key: impl Into<String>, says: impl Into<String>) -> WeakSetting {
    WeakSetting { key: key.into(), says: says.into() }
}
