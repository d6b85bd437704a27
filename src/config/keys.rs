//! The one table of every key. Reading the file and the environment, `config init`, `config show` and
//! authd.toml(5) all follow from it.

use super::choice::{
    LinkByEmail, LogFormat, LogLevel, MailTransport, PostgresTls, ProviderKind, Registration, SameSite,
    SmtpTls, TwoFactorRequired,
};
use super::value::Kind;
use crate::domain::algorithm::Algorithm;
use crate::domain::identity::{InvalidProviderName, ProviderName};
use crate::domain::password::HashCost;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As in the file, with a dot after its table: `password.min_length`. Without the table for the keys of
    /// providers, each of which has its own.
    pub name: &'static str,
    pub kind: Kind,
    /// As the environment takes it. Empty for a key that has none: its `doc` says what holds then. A
    /// provider's key that can't be empty must be set.
    pub default: &'static str,
    /// Another good value, as the environment takes it.
    pub example: &'static str,
    /// Follows the name in the manual; begins in lower case, ends without a full stop.
    pub doc: &'static str,
}

/// A table of the file, with what its keys are about. The first has no name: its keys stand at the top.
pub const TABLES: [(&str, &str); 21] = [
    ("", "Where the daemon listens, what it is called, and where its files are"),
    ("postgres", "How a database on a server is spoken to"),
    ("email_verification", "Proof that an address is its owner's"),
    ("password", "What a password must be and how it is hashed"),
    ("tokens", "What is handed out at a login"),
    ("lockout", "What failed logins come to"),
    ("rate_limit", "How much one network may ask: N/D is N requests in the time D, all at once if it likes"),
    ("proxy", "Who may say on whose behalf a request comes"),
    ("mail", "How mail leaves"),
    ("links", "Where the links in mail lead; {token} is replaced"),
    ("pages", "The pages that people sign in on"),
    ("redirects", "Where a browser may go on to after signing in on them"),
    ("magic_link", "Signing in by a mail alone"),
    ("passkeys", "Signing in with a passkey (WebAuthn), and passkeys as the second factor"),
    ("cookies", "Tokens in cookies"),
    ("cors", "Pages of other origins"),
    ("two_factor", "Who must have a second factor"),
    ("totp", "The second factor"),
    ("server", "How much is taken on at once"),
    ("metrics", "Figures for Prometheus"),
    ("log", "What is written to stderr"),
];

/// Every key, in the order of the file: the keys of a table stand together.
#[rustfmt::skip]
pub const KEYS: [Key; 74] = [
    key("listen", Kind::Listen, "127.0.0.1:8080", "unix:/run/authd/authd.sock",
        "where connections are taken: an address and port, unix:PATH, or systemd for the socket that systemd hands over"),
    key("public_url", Kind::PublicUrl, "http://127.0.0.1:8080", "https://auth.example.com",
        "what links in mail, the issuer and cookies are built from: scheme, host and port; https anywhere but on loopback"),
    key("database", Kind::Database, "authd.db", "postgres://authd@db.example.com/authd",
        "the database file, which is created where there is none, or the URL of a PostgreSQL server's"),
    key("key_file", Kind::SecretFile, "", "/var/lib/authd/authd.key",
        "the root key, which seals the secrets in the database; authd.key beside the database file unless set"),
    key("registration", Kind::Choice(Registration::NAMES), "open", "closed",
        "whether people may register themselves; where it is closed, authctl user add --invite lets them in"),
    key("postgres.password_file", Kind::SecretFile, "", "/etc/authd/postgres.secret",
        "a file whose first line is the password for the server; else it stands in the URL, or there is none"),
    key("postgres.tls", Kind::Choice(PostgresTls::NAMES), "verify-full", "disable",
        "verify-full wants a certificate for the server's name; disable is for a server on this machine alone"),
    key("postgres.ca_file", Kind::OptionalPath, "", "/etc/authd/postgres-ca.pem",
        "the authorities that the certificate may come from (PEM); those that the machine trusts unless set"),
    key("postgres.connections", Kind::Count(3, 1000), "16", "8",
        "how many connections one process has at most; half of them write, eight at most"),
    key("postgres.prepared", Kind::Bool, "true", "false",
        "whether statements are prepared once under a name; false for pgbouncer before 1.21, at a quarter of the speed"),
    key("email_verification.required", Kind::Bool, "true", "false",
        "whether an address must be verified before its account can log in"),
    key("password.min_length", Kind::Count(8, 1024), "15", "12",
        "how many characters (code points) a new password has at least"),
    key("password.blocklist_file", Kind::OptionalPath, "", "/etc/authd/blocklist.txt",
        "a file of passwords that are refused, one a line, on top of the built-in list"),
    key("password.argon2_memory_kib", Kind::Count(8, HashCost::MAX.memory_kib as u64), "19456", "47104",
        "the memory that one hash fills, in KiB"),
    key("password.argon2_iterations", Kind::Count(1, HashCost::MAX.iterations as u64), "2", "3",
        "how often it is filled"),
    key("password.argon2_parallelism", Kind::Count(1, HashCost::MAX.parallelism as u64), "1", "2",
        "in how many lanes; each needs 8 KiB of the memory"),
    key("tokens.issuer", Kind::OptionalText, "", "https://auth.example.com",
        "the iss of the access tokens; public_url unless set"),
    key("tokens.audience", Kind::Text, "authd", "example",
        "the aud of the access tokens"),
    key("tokens.algorithm", Kind::Choice(&Algorithm::NAMES), "EdDSA", "ES256",
        "the algorithm of the next signing key"),
    key("tokens.access_ttl", Kind::Span(1), "15m", "5m",
        "how long an access token lives"),
    key("tokens.refresh_ttl", Kind::Span(1), "30d", "90d",
        "how long a session lives in all"),
    key("tokens.refresh_idle", Kind::Span(1), "7d", "1d",
        "how long a session lives without being refreshed"),
    key("tokens.two_factor_ttl", Kind::Span(1), "24h", "12h",
        "how long a session lives in all where a second factor is on, if that is less"),
    key("tokens.two_factor_idle", Kind::Span(1), "1h", "15m",
        "how long such a session lives without being refreshed, if that is less"),
    key("tokens.refresh_grace", Kind::Span(0), "0s", "10s",
        "how soon a retry with a refresh token that is spent gets the same successor instead of ending the session"),
    key("tokens.max_sessions", Kind::Count(1, 10_000), "100", "20",
        "how many sessions of one user live at once; one more ends the one that was unused for longest"),
    key("lockout.pair_failures", Kind::Count(1, 1_000_000), "5", "10",
        "how many failures of one account from one network lock that account for that network"),
    key("lockout.pair_lock", Kind::Span(1), "1m", "5m",
        "for how long; every further lock lasts twice as long"),
    key("lockout.pair_lock_max", Kind::Span(1), "1h", "12h",
        "and never longer than this"),
    key("lockout.account_failures", Kind::Count(1, 1_000_000), "100", "50",
        "how many failures of one account from anywhere, without a success, lock it for every network that it does not know"),
    key("lockout.account_lock", Kind::Span(1), "1h", "6h",
        "for how long"),
    key("lockout.known_network", Kind::Span(0), "30d", "90d",
        "a network with a login this recent is spared the lock of the account"),
    key("rate_limit.enabled", Kind::Bool, "true", "false",
        "whether the limits hold"),
    key("rate_limit.login", Kind::Rate, "30/1m", "10/1m",
        "every route that checks a credential, together"),
    key("rate_limit.register", Kind::Rate, "20/1h", "5/1h",
        "registrations"),
    key("rate_limit.mail", Kind::Rate, "20/1h", "5/1h",
        "every route that sends mail, together"),
    key("rate_limit.token", Kind::Rate, "300/1m", "600/1m",
        "refresh, introspect and revoke, together"),
    key("rate_limit.default", Kind::Rate, "1200/1m", "6000/1m",
        "everything else, together"),
    key("proxy.trusted", Kind::Networks, "", "127.0.0.1,10.0.0.0/8",
        "networks of the proxies whose X-Forwarded-For counts"),
    key("mail.transport", Kind::Choice(MailTransport::NAMES), "outbox", "smtp",
        "outbox keeps mail in the database, for authctl mail to read; smtp sends it"),
    key("mail.from", Kind::Mailbox, "authd <authd@localhost>", "Example <auth@example.com>",
        "who the mail is from"),
    key("mail.max_per_address_per_hour", Kind::Count(1, 1_000_000), "3", "10",
        "how many mails an address gets in an hour; notices of a change to the account are not counted"),
    key("mail.templates", Kind::OptionalPath, "", "/etc/authd/templates",
        "a folder with templates that take the place of built-in ones: files such as reset_password.txt and reset_password.html"),
    key("mail.smtp_host", Kind::Host, "localhost", "smtp.example.com",
        "the server that takes the mail"),
    key("mail.smtp_port", Kind::Count(1, 65535), "587", "465",
        "its port"),
    key("mail.smtp_tls", Kind::Choice(SmtpTls::NAMES), "starttls", "tls",
        "tls from the first byte, starttls before anything is said, or none, to a server on loopback alone"),
    key("mail.smtp_user", Kind::OptionalText, "", "authd",
        "the name to log in with there; no login unless set"),
    key("mail.smtp_password_file", Kind::SecretFile, "", "/etc/authd/smtp.secret",
        "a file that holds the password for it, and nothing else"),
    key("links.verify_email", Kind::Link, "", "https://example.com/verify#{token}",
        "a page of yours that confirms an address; authd's own unless set"),
    key("links.reset_password", Kind::Link, "", "https://example.com/reset#{token}",
        "a page of yours that takes a new password; authd's own unless set"),
    key("links.change_email", Kind::Link, "", "https://example.com/change#{token}",
        "a page of yours that confirms a new address; authd's own unless set"),
    key("links.magic_link", Kind::Link, "", "https://example.com/in#{token}",
        "a page of yours that signs in whoever asked for the mail in the same browser; authd's own unless set"),
    key("pages.enabled", Kind::Bool, "true", "false",
        "whether people may register, sign in and look after their accounts on authd's pages; those that links in mail lead to are there all the same"),
    key("pages.name", Kind::Text, "authd", "Example",
        "what the service is called there"),
    key("pages.logo_file", Kind::OptionalPath, "", "/etc/authd/logo.svg",
        "a picture that stands above the name: SVG, PNG or WebP, at most 100 KiB"),
    key("pages.accent", Kind::Color, "", "#0f766e",
        "the colour of buttons and links as #rrggbb, dark enough to be read on white; dark pages make it lighter by themselves"),
    key("pages.templates", Kind::OptionalPath, "", "/etc/authd/pages",
        "a folder with templates that take the place of built-in ones: files such as layout.html and sign_in.html"),
    key("redirects.allowed", Kind::Urls, "", "https://example.com/signed-in",
        "exact URLs, besides the addresses of applications"),
    key("magic_link.enabled", Kind::Bool, "false", "true",
        "whether people may sign in with what is mailed to them, without a password; accounts with a second factor are still asked for it"),
    key("passkeys.enabled", Kind::Bool, "true", "false",
        "whether people may add passkeys and sign in with them; a passkey that somebody has still counts as their second factor"),
    key("passkeys.rp_id", Kind::OptionalText, "", "example.com",
        "the domain that passkeys belong to for good: the host of public_url unless set, or a domain above it"),
    key("passkeys.rp_name", Kind::OptionalText, "", "Example",
        "what the service is called where a passkey is made; pages.name unless set"),
    key("passkeys.related_origins", Kind::Origins, "", "https://example.org",
        "origins besides public_url whose pages may use these passkeys, of whatever domain"),
    key("cookies.same_site", Kind::Choice(SameSite::NAMES), "strict", "lax",
        "the SameSite of the cookies"),
    key("cors.origins", Kind::Origins, "", "https://example.com",
        "exact origins whose pages may call authd, with credentials"),
    key("two_factor.required", Kind::Choice(TwoFactorRequired::NAMES), "off", "admins",
        "who must have a second factor, and until it is set up can do nothing else: admins are those with the role admin or any permission of authd's own"),
    key("totp.issuer", Kind::Text, "authd", "Example",
        "the name in the phone's app"),
    key("server.max_connections", Kind::Count(1, 1_000_000), "4096", "10000",
        "how many connections are open at once; for one more, the one that has been idle for longest makes room"),
    key("server.max_connections_per_network", Kind::Count(0, 1_000_000), "0", "256",
        "how many of them one network may have, an IPv4 address or an IPv6 /64; 0 for a quarter; those of proxy.trusted and of Unix sockets don't count"),
    key("server.hash_threads", Kind::Count(0, 1024), "0", "2",
        "how many threads hash passwords; 0 for as many as cores"),
    key("server.hash_queue", Kind::Count(1, 100_000), "64", "256",
        "how many logins wait for them before the next is told to come back later"),
    key("metrics.listen", Kind::OptionalAddress, "", "127.0.0.1:9090",
        "the address that GET /metrics is served on, to whoever can reach it; off unless set"),
    key("log.level", Kind::Choice(LogLevel::NAMES), "info", "debug",
        "the least that is worth a line"),
    key("log.format", Kind::Choice(LogFormat::NAMES), "text", "json",
        "text for people, json for machines"),
];

/// What the tables of providers are called, and what their keys are about.
pub const PROVIDERS: (&str, &str) =
    ("oauth.NAME", "A server whose accounts may sign in here, a table each; NAME stands in its URLs");

/// The keys of each `[oauth.NAME]`, in the order of the file.
#[rustfmt::skip]
pub const PROVIDER_KEYS: [Key; 16] = [
    key("kind", Kind::Choice(ProviderKind::NAMES), "", "oidc",
        "what it is; oidc for whatever speaks OpenID Connect, such as Keycloak, Okta, Authentik and Zitadel"),
    key("client_id", Kind::Text, "", "authd",
        "the id that it knows this authd by"),
    key("client_secret_file", Kind::SecretFile, "", "/etc/authd/acme.secret",
        "a file with the secret of that client in its first line, for apple the private key; unset, it is a public client"),
    key("issuer", Kind::Issuer, "", "https://id.acme.example",
        "the URL before /.well-known/openid-configuration, to the letter: for oidc, and for a gitlab that is not gitlab.com"),
    key("tenant", Kind::OptionalText, "", "organizations",
        "for microsoft: the id of a directory, or organizations, consumers or common"),
    key("team_id", Kind::OptionalText, "", "A1B2C3D4E5",
        "for apple: the id of the team"),
    key("key_id", Kind::OptionalText, "", "F6G7H8I9J0",
        "for apple: the id of the private key"),
    key("display_name", Kind::OptionalText, "", "Acme",
        "what people call it; unless set, the name of the kind, and for oidc that of the table"),
    key("scopes", Kind::Scopes, "", "groups",
        "what is asked for on top of what the kind needs"),
    key("sign_up", Kind::Bool, "true", "false",
        "whether somebody without an account gets one by signing in, where registration is open"),
    key("allowed_domains", Kind::Domains, "", "acme.example",
        "the exact domains whose addresses may sign in, asked each time; all unless set"),
    key("link_by_email", Kind::Choice(LinkByEmail::NAMES), "never", "verified",
        "whether somebody signs in to the account that has their address, where both sides have verified it and the provider is the one to say so"),
    key("role_claim", Kind::OptionalText, "", "groups",
        "the claim that grants roles"),
    key("roles", Kind::Roles, "", "acme-admins=admin",
        "the role for each value of that claim, granted and taken again at each sign-in"),
    key("trust_amr", Kind::Bool, "false", "true",
        "whether the amr of access tokens tells what the provider says of how somebody proved who they are; no second factor is left out for it"),
    key("allow_private", Kind::Bool, "false", "true",
        "whether it may stand at a private address, or on this machine"),
];

const fn key(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    example: &'static str,
    doc: &'static str,
) -> Key {
    Key { name, kind, default, example, doc }
}

impl Key {
    /// The table that the key stands in, empty for the top of the file, and its name in there.
    #[must_use]
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.name.rsplit_once('.').unwrap_or(("", self.name))
    }
}

/// The environment variable of a key: `AUTHD_PASSWORD__MIN_LENGTH`.
#[must_use]
pub fn variable(name: &str) -> String {
    format!("AUTHD_{}", name.to_ascii_uppercase().replace('.', "__"))
}

/// Finds the key of a full name such as `password.min_length` or `oauth.acme.kind`. `None`: there is none.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    let of_provider = || {
        let (_, member) = of_provider(name)?;
        PROVIDER_KEYS.iter().find(|key| key.name == member)
    };
    KEYS.iter().find(|key| key.name == name).or_else(of_provider)
}

/// Whether the file may have a table of this name.
#[must_use]
pub fn is_table(name: &str) -> bool {
    name == "oauth" || TABLES.iter().any(|(table, _)| *table == name) || provider_of(name).is_some()
}

/// Whose table it is: `acme` for `oauth.acme`. `None`: it is no provider's.
#[must_use]
pub fn provider_of(table: &str) -> Option<ProviderName> {
    let segment = table.strip_prefix("oauth.")?;
    let quoted = segment.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let name = ProviderName::parse(quoted.unwrap_or(segment)).ok()?;
    (provider_table(&name) == table).then_some(name)
}

/// The full name of a provider's key: `oauth.acme.kind`.
#[must_use]
pub fn provider_key(name: &ProviderName, key: &str) -> String {
    format!("{}.{key}", provider_table(name))
}

/// A name with a dot stands in quotes, as it must in the file.
fn provider_table(name: &ProviderName) -> String {
    if name.as_str().contains('.') { format!("oauth.\"{name}\"") } else { format!("oauth.{name}") }
}

/// The provider in a full name, and its key's own, which may be none of the table.
fn of_provider(name: &str) -> Option<(ProviderName, &str)> {
    let (table, member) = name.rsplit_once('.')?;
    Some((provider_of(table)?, member))
}

/// Says what to do about a name that is no key: where the value belongs, or which key is nearest. `spell`
/// writes a key's name as the source does in which the name was found.
#[must_use]
pub fn advice(name: &str, spell: fn(&str) -> String) -> String {
    let file = format!("{name}_file");
    if find(&file).is_some_and(|key| key.kind == Kind::SecretFile) {
        let file = spell(&file);
        return format!(
            "unknown key; a secret is never a value here: write it to a file and name that in {file}"
        );
    }
    if name.starts_with("oauth.") && of_provider(name).is_none() {
        let keys = spell("oauth.NAME.KEY");
        return format!("unknown key; those of a provider are {keys}, and {}", InvalidProviderName::MESSAGE);
    }
    match nearest(name) {
        Some(near) => format!("unknown key; did you mean {}?", spell(&near)),
        None => "unknown key; `authctl config init` writes a file with all of them".into(),
    }
}

/// Finds the key that was most likely meant by `name`: misspelt, or without its table.
fn nearest(name: &str) -> Option<String> {
    if let Some((provider, member)) = of_provider(name) {
        return nearest_of(member, &PROVIDER_KEYS).map(|key| provider_key(&provider, key));
    }
    let by_member = || KEYS.iter().find(|key| key.parts().1 == name).map(|key| key.name);
    nearest_of(name, &KEYS).or_else(by_member).map(str::to_owned)
}

fn nearest_of(name: &str, keys: &[Key]) -> Option<&'static str> {
    let folded = |name: &str| name.replace("__", "_").replace(['.', '-'], "_");
    let wanted = folded(name);
    let (steps, key) = keys.iter().map(|key| (distance(&wanted, &folded(key.name)), key.name)).min()?;
    (steps <= 2.max(wanted.len() / 4)).then_some(key)
}

/// How many characters must be added, dropped or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_table_is_described_once_in_order() {
        let mut tables: Vec<_> = KEYS.iter().map(|key| key.parts().0).collect();
        tables.dedup();
        assert_eq!(tables, TABLES.map(|(name, _)| name));
        for (i, key) in KEYS.iter().enumerate() {
            assert!(KEYS[..i].iter().all(|other| other.name != key.name), "{}", key.name);
            assert!(!key.doc.ends_with('.') && key.doc.len() > 4, "{}", key.name);
        }
        for (i, key) in PROVIDER_KEYS.iter().enumerate() {
            assert!(PROVIDER_KEYS[..i].iter().all(|other| other.name != key.name), "{}", key.name);
            assert!(!key.doc.ends_with('.') && key.doc.len() > 4, "{}", key.name);
        }
    }

    #[test]
    fn a_provider_is_named_as_the_file_writes_it() {
        for (table, name) in [
            ("oauth.acme", Some("acme")),
            ("oauth.acme-eu", Some("acme-eu")),
            ("oauth.\"acme.eu\"", Some("acme.eu")),
            ("oauth.acme.eu", None),
            ("oauth.\"acme\"", None),
            ("oauth.Acme", None),
            ("oauth.", None),
            ("oauth", None),
            ("oauth.\"", None),
        ] {
            assert_eq!(provider_of(table).as_ref().map(ProviderName::as_str), name, "{table}");
        }
    }

    #[test]
    fn the_nearest_key_is_named() {
        let advice = |name: &str| advice(name, str::to_owned);
        for (wrong, right) in [
            ("password.min_lenght", "password.min_length"),
            ("password_min_length", "password.min_length"),
            ("min_length", "password.min_length"),
            ("databse", "database"),
            ("oauth.acme.cliend_id", "oauth.acme.client_id"),
            ("oauth.\"acme.eu\".allowed_domain", "oauth.\"acme.eu\".allowed_domains"),
        ] {
            assert!(advice(wrong).contains(right), "{wrong}: {}", advice(wrong));
        }
        assert!(advice("mail.smtp_password").contains("mail.smtp_password_file"));
        assert!(advice("oauth.acme.client_secret").contains("oauth.acme.client_secret_file"));
        for wrong in ["oauth.Acme", "oauth.a.b.kind", "oauth.kind"] {
            assert!(advice(wrong).contains("those of a provider are oauth.NAME.KEY"), "{wrong}");
        }
        assert!(!advice("zzzzzzzzzzzzzzzz").contains("did you mean"));
    }
}
