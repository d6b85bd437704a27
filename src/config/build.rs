//! From settings that are each good to the [`Config`], and what two settings must agree on.
//!
//! A `Config` is written out as one literal, so that a field without its setting doesn't compile; that
//! a key reaches its field is held by a test over the table.

use super::choice::{
    LogFormat, LogLevel, MailTransport, PostgresTls, Registration, SameSite, SmtpTls, TwoFactorRequired,
};
use super::database::{Database, ServerUrl};
use super::model::{
    Config, Cookies, Cors, EmailVerification, Links, Listen, Lockout, Log, MagicLink, Mail, Metrics, Pages,
    Passkeys, Password, Postgres, Proxy, RateLimit, Redirects, Server, Tokens, Totp, TwoFactor,
};
use super::providers;
use super::settings::{
    KIND, Origin, Settings, choice, count, database, flag, optional_path, optional_text, parsed, path, rate,
    span, text,
};
use crate::domain::algorithm::Algorithm;
use crate::domain::color::Color;
use crate::domain::identity::ProviderName;
use crate::domain::passkey::is_rp_id;
use crate::domain::password::HashCost;
use crate::domain::url::{Url, is_loopback};
use std::path::{Path, PathBuf};

/// Builds what the settings say. They must have every key of the table, those of each provider that is
/// `named` too, and have passed [`check`] and [`providers::check`].
pub fn config(of: &Settings, named: &[ProviderName], cwd: &Path) -> Config {
    let database = database(of, "database");
    Config {
        listen: listen(of),
        public_url: text(of, "public_url"),
        database_is_default: database.path() == Some(&cwd.join("authd.db")),
        postgres: postgres(of, &database),
        database,
        key_file: path(of, "key_file"),
        key_file_is_credential: matches!(of.get("key_file"), Some((_, Origin::Credential(_)))),
        registration: choice(of, "registration", Registration::parse),
        email_verification: EmailVerification { required: flag(of, "email_verification.required") },
        password: password(of),
        tokens: tokens(of),
        lockout: lockout(of),
        rate_limit: rate_limit(of),
        proxy: Proxy { trusted: parsed(of, "proxy.trusted") },
        mail: mail(of),
        links: Links {
            verify_email: optional_text(of, "links.verify_email"),
            reset_password: optional_text(of, "links.reset_password"),
            change_email: optional_text(of, "links.change_email"),
            magic_link: optional_text(of, "links.magic_link"),
        },
        pages: Pages {
            enabled: flag(of, "pages.enabled"),
            name: text(of, "pages.name"),
            logo_file: optional_path(of, "pages.logo_file"),
            accent: optional_text(of, "pages.accent").map(|text| Color::parse(&text).expect(KIND)),
            templates: optional_path(of, "pages.templates"),
        },
        redirects: Redirects { allowed: parsed(of, "redirects.allowed") },
        magic_link: MagicLink { enabled: flag(of, "magic_link.enabled") },
        passkeys: passkeys(of),
        oauth: named.iter().map(|name| providers::provider(of, name)).collect(),
        cookies: Cookies { same_site: choice(of, "cookies.same_site", SameSite::parse) },
        cors: Cors { origins: parsed(of, "cors.origins") },
        two_factor: TwoFactor { required: choice(of, "two_factor.required", TwoFactorRequired::parse) },
        totp: Totp { issuer: text(of, "totp.issuer") },
        server: Server {
            max_connections: count(of, "server.max_connections"),
            max_connections_per_network: Some(count(of, "server.max_connections_per_network"))
                .filter(|connections| *connections > 0),
            hash_threads: Some(count(of, "server.hash_threads")).filter(|threads| *threads > 0),
            hash_queue: count(of, "server.hash_queue"),
        },
        metrics: Metrics {
            listen: optional_text(of, "metrics.listen").map(|text| text.parse().expect(KIND)),
        },
        log: log(of),
    }
}

/// How the server is spoken to. What its URL says goes before the keys.
fn postgres(of: &Settings, database: &Database) -> Postgres {
    let said = |name: &str| match database {
        Database::Server(url) => url.parameter(name),
        Database::File(_) => None,
    };
    Postgres {
        password_file: optional_path(of, "postgres.password_file"),
        tls: match said("sslmode").as_deref() {
            Some("disable") => PostgresTls::Disable,
            // Whatever is less than to verify all is no protection.
            Some(_) => PostgresTls::VerifyFull,
            None => choice(of, "postgres.tls", PostgresTls::parse),
        },
        ca_file: said("sslrootcert").map(PathBuf::from).or_else(|| optional_path(of, "postgres.ca_file")),
        connections: count(of, "postgres.connections"),
        prepared: flag(of, "postgres.prepared"),
    }
}

/// What a database on a server wants of other settings.
fn demand_of_server(of: &Settings, url: &ServerUrl, demand: &mut impl FnMut(bool, &str, &str)) {
    demand(
        !path(of, "key_file").as_os_str().is_empty(),
        "key_file",
        "must be set, since the database is on a server: each daemon needs a copy of the same file",
    );
    let tls = postgres(of, &Database::Server(url.clone())).tls;
    let (key, why) = if url.parameter("sslmode").is_some() {
        ("database", "must not have sslmode=disable in it, since its server is not on this machine")
    } else {
        ("postgres.tls", "must be verify-full, since the database's server is not on this machine")
    };
    demand(tls == PostgresTls::VerifyFull || url.is_local(), key, why);
    let from_flag = matches!(of.get("database"), Some((_, Origin::Flag(_))));
    demand(
        !(from_flag && url.has_password()),
        "database",
        "must not have a password in it on a command line, where others see it; set postgres.password_file",
    );
}

/// Checks what two settings must agree on; gives the key that most likely must change, and why.
pub fn check(of: &Settings) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut demand = |holds: bool, key: &str, why: &str| {
        if !holds {
            found.push((key.to_owned(), why.to_owned()));
        }
    };
    let lanes: u32 = count(of, "password.argon2_parallelism");
    demand(
        count::<u32>(of, "password.argon2_memory_kib") >= 8 * lanes,
        "password.argon2_memory_kib",
        "must be 8 times password.argon2_parallelism or more",
    );
    demand(
        span(of, "lockout.pair_lock_max") >= span(of, "lockout.pair_lock"),
        "lockout.pair_lock_max",
        "must be as long as lockout.pair_lock or longer",
    );
    demand(
        span(of, "tokens.refresh_grace") <= span(of, "tokens.access_ttl"),
        "tokens.refresh_grace",
        "must not be longer than tokens.access_ttl",
    );
    demand(
        count::<u32>(of, "server.max_connections_per_network") <= count(of, "server.max_connections"),
        "server.max_connections_per_network",
        "must not be more than server.max_connections",
    );
    demand(
        database(of, "database").path() != Some(&path(of, "key_file")),
        "key_file",
        "must be another file than the database",
    );
    if let Database::Server(url) = database(of, "database") {
        demand_of_server(of, &url, &mut demand);
    }
    demand(
        text(of, "metrics.listen") != text(of, "listen") || text(of, "listen").ends_with(":0"),
        "metrics.listen",
        "must be another address than listen",
    );
    demand(
        choice(of, "mail.smtp_tls", SmtpTls::parse) != SmtpTls::None
            || is_loopback(&text(of, "mail.smtp_host")),
        "mail.smtp_tls",
        "must be starttls or tls, since mail.smtp_host is not on loopback",
    );
    let (own, rp_id) = (text(of, "public_url"), rp_id(of));
    let related: Vec<String> = parsed(of, "passkeys.related_origins");
    let is_under = |host: String| host == rp_id || host.ends_with(&format!(".{rp_id}"));
    demand(
        is_under(host_of(&own)) || related.contains(&own),
        "passkeys.rp_id",
        "must be the host of public_url or a domain above it; else public_url must stand in passkeys.related_origins, \
         and the domain itself say so at /.well-known/webauthn",
    );
    demand(
        optional_text(of, "passkeys.rp_id").is_none_or(|set| is_rp_id(&set)),
        "passkeys.rp_id",
        "must be a domain in lower case, such as example.com",
    );
    let user = optional_text(of, "mail.smtp_user").is_some();
    let secret = optional_path(of, "mail.smtp_password_file").is_some();
    demand(secret || !user, "mail.smtp_user", "needs mail.smtp_password_file too");
    demand(user || !secret, "mail.smtp_password_file", "needs mail.smtp_user too");
    found
}

fn listen(of: &Settings) -> Listen {
    let text = text(of, "listen");
    match text.strip_prefix("unix:") {
        Some(path) => Listen::Unix(path.into()),
        None if text == "systemd" => Listen::Systemd,
        None => Listen::Tcp(text.parse().expect(KIND)),
    }
}

fn passkeys(of: &Settings) -> Passkeys {
    Passkeys {
        enabled: flag(of, "passkeys.enabled"),
        rp_id: rp_id(of),
        rp_name: optional_text(of, "passkeys.rp_name").unwrap_or_else(|| text(of, "pages.name")),
        related_origins: parsed(of, "passkeys.related_origins"),
    }
}

fn rp_id(of: &Settings) -> String {
    optional_text(of, "passkeys.rp_id").unwrap_or_else(|| host_of(&text(of, "public_url")))
}

fn host_of(url: &str) -> String {
    Url::parse(url).map(|url| url.host().to_owned()).expect(KIND)
}

fn password(of: &Settings) -> Password {
    Password {
        min_length: count(of, "password.min_length"),
        blocklist_file: optional_path(of, "password.blocklist_file"),
        hash_cost: HashCost {
            memory_kib: count(of, "password.argon2_memory_kib"),
            iterations: count(of, "password.argon2_iterations"),
            parallelism: count(of, "password.argon2_parallelism"),
        },
    }
}

fn tokens(of: &Settings) -> Tokens {
    Tokens {
        issuer: text(of, "tokens.issuer"),
        audience: text(of, "tokens.audience"),
        algorithm: choice(of, "tokens.algorithm", Algorithm::parse),
        access_ttl: span(of, "tokens.access_ttl"),
        refresh_ttl: span(of, "tokens.refresh_ttl"),
        refresh_idle: span(of, "tokens.refresh_idle"),
        two_factor_ttl: span(of, "tokens.two_factor_ttl"),
        two_factor_idle: span(of, "tokens.two_factor_idle"),
        refresh_grace: span(of, "tokens.refresh_grace"),
        max_sessions: count(of, "tokens.max_sessions"),
    }
}

fn lockout(of: &Settings) -> Lockout {
    Lockout {
        pair_failures: count(of, "lockout.pair_failures"),
        pair_lock: span(of, "lockout.pair_lock"),
        pair_lock_max: span(of, "lockout.pair_lock_max"),
        account_failures: count(of, "lockout.account_failures"),
        account_lock: span(of, "lockout.account_lock"),
        known_network: span(of, "lockout.known_network"),
    }
}

fn rate_limit(of: &Settings) -> RateLimit {
    RateLimit {
        enabled: flag(of, "rate_limit.enabled"),
        login: rate(of, "rate_limit.login"),
        register: rate(of, "rate_limit.register"),
        mail: rate(of, "rate_limit.mail"),
        token: rate(of, "rate_limit.token"),
        default: rate(of, "rate_limit.default"),
    }
}

fn mail(of: &Settings) -> Mail {
    Mail {
        transport: choice(of, "mail.transport", MailTransport::parse),
        from: text(of, "mail.from"),
        max_per_address_per_hour: count(of, "mail.max_per_address_per_hour"),
        templates: optional_path(of, "mail.templates"),
        smtp_host: text(of, "mail.smtp_host"),
        smtp_port: count(of, "mail.smtp_port"),
        smtp_tls: choice(of, "mail.smtp_tls", SmtpTls::parse),
        smtp_user: optional_text(of, "mail.smtp_user"),
        smtp_password_file: optional_path(of, "mail.smtp_password_file"),
    }
}

fn log(of: &Settings) -> Log {
    Log {
        level: choice(of, "log.level", LogLevel::parse),
        format: choice(of, "log.format", LogFormat::parse),
    }
}
