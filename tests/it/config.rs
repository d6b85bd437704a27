//! The configuration from the outside: sources in, values or problems out.

use crate::config_values::value_of;
use authd::config::keys::{KEYS, Key, PROVIDER_KEYS, TABLES, variable};
use authd::config::{
    Config, Database, Kind, Listen, Loaded, Origin, Setting, Sources, load, text, weak_settings,
};
use authd::error::{Error, Fault, Refusal};
use proptest::prelude::*;
use rustix::fs::Mode;
use rustix::process::umask;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A folder with, perhaps, a file in it.
pub struct Env {
    dir: TempDir,
    pub sources: Sources,
}

impl Env {
    pub fn new() -> Self {
        // A file that others could have written would be passed over.
        umask(Mode::from_raw_mode(0o022));
        let dir = TempDir::new().unwrap();
        // `/etc/authd/authd.toml` of the machine that runs the tests must not count.
        let sources = Sources { cwd: dir.path().to_owned(), ..Sources::default() };
        Self { dir, sources }.file("authd.toml", "")
    }

    pub fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub fn toml(self, text: impl AsRef<[u8]>) -> Self {
        self.file("authd.toml", text)
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, key: &'static str, value: &str) -> Self {
        self.sources.flags.push((key, format!("--{key}"), value.into()));
        self
    }

    pub fn load(&self) -> Loaded {
        load(&self.sources).unwrap_or_else(|fault| panic!("{fault}"))
    }

    pub fn config(&self) -> Config {
        self.load().config
    }

    pub fn problems(&self) -> Vec<String> {
        match load(&self.sources) {
            Err(Error::Failed(Fault::Config(text))) => text.lines().map(str::to_owned).collect(),
            other => panic!("expected a fault of the configuration, got {other:?}"),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

pub fn setting<'a>(loaded: &'a Loaded, key: &str) -> &'a Setting {
    loaded.settings.iter().find(|setting| setting.key == key).unwrap()
}

#[test]
fn without_any_source_the_defaults_of_the_contract_hold() {
    let env = Env::new();
    let config = env.config();
    assert_eq!(config.listen, Listen::Tcp("127.0.0.1:8080".parse().unwrap()));
    assert_eq!(config.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.tokens.issuer, config.public_url);
    assert_eq!(config.database, Database::File(env.path("authd.db")));
    assert!(config.database_is_default);
    assert_eq!(config.key_file, env.path("authd.key"));
    assert_eq!(config.tokens.access_ttl, Duration::from_secs(900));
    assert_eq!(config.server.hash_threads, None);
    assert_eq!(config.metrics.listen, None);
    assert!(env.load().settings.iter().all(|setting| setting.origin == Origin::Default));
}

#[test]
fn the_key_file_stands_beside_the_database_unless_set() {
    let env = Env::new().flag("database", "data/a.db");
    assert_eq!(env.config().key_file, env.path("data/authd.key"));
    assert!(!env.config().database_is_default);
    let env = env.env("AUTHD_KEY_FILE", "/etc/authd/root.key");
    assert_eq!(env.config().key_file, Path::new("/etc/authd/root.key"));
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_and_each_is_named() {
    let env = Env::new()
        .toml("# mine\nlisten = '127.0.0.1:1'\n[totp]\nissuer = 'file'\n[tokens]\naudience = 'file'\n");
    let env =
        env.env("AUTHD_LISTEN", "127.0.0.1:2").env("AUTHD_TOTP__ISSUER", "env").flag("listen", "127.0.0.1:3");
    let loaded = env.load();
    let shown = |key: &str| {
        let setting = setting(&loaded, key);
        format!("{} {}", setting.value, setting.origin)
    };
    assert_eq!(shown("listen"), "127.0.0.1:3 flag --listen");
    assert_eq!(shown("totp.issuer"), "env environment AUTHD_TOTP__ISSUER");
    assert_eq!(shown("tokens.audience"), "file file authd.toml:6");
    assert_eq!(shown("registration"), "open default");
    assert_eq!(loaded.file, Some("authd.toml".into()));
}

#[test]
fn the_named_file_is_read_and_its_paths_count_from_its_folder() {
    let env = Env::new()
        .toml("totp.issuer = 'here'")
        .file("etc/a.toml", "totp.issuer = 'there'\ndatabase = 'a.db'");
    let env = env.file("etc/b.toml", "totp.issuer = 'elsewhere'").env("AUTHD_CONFIG", "etc/a.toml");
    assert_eq!(env.config().totp.issuer, "there");
    assert_eq!(env.config().database, Database::File(env.path("etc/a.db")));
    let mut env = env.env("AUTHD_MAIL__TEMPLATES", "texts");
    assert_eq!(env.config().mail.templates, Some(env.path("texts")));
    env.sources.file = Some("etc/b.toml".into());
    assert_eq!(env.config().totp.issuer, "elsewhere");
    env.sources.file = Some("etc/none.toml".into());
    let missing = Refusal::not_found("configuration file", "etc/none.toml");
    assert_eq!(load(&env.sources).unwrap_err(), missing.into());
}

#[test]
fn every_problem_of_every_source_is_reported_with_its_place() {
    let env = Env::new()
        .toml("databse = 'x'\nlisten = 'here'\n[password]\nmin_length = 6\n[tokens]\naccess_ttl = 15\nrefresh_ttl = \n")
        .env("AUTHD_PASSWORD_MIN_LENGTH", "12")
        .env("AUTHD_SERVER__HASH_QUEUE", "many")
        .flag("public_url", "http://auth.example.com");
    let problems = env.problems();
    let expected = [
        "authd.toml:1: databse: unknown key; did you mean database?",
        "authd.toml:2: listen: must be an address and port",
        "authd.toml:4: password.min_length: must be 8 or more, is 6",
        "authd.toml:6: tokens.access_ttl: must be a span of whole seconds such as \"15m\" or \"30d\", is 15",
        "authd.toml:7: ",
        "environment AUTHD_PASSWORD_MIN_LENGTH: unknown key; did you mean AUTHD_PASSWORD__MIN_LENGTH?",
        "environment AUTHD_SERVER__HASH_QUEUE: server.hash_queue: must be a whole number from 1 to 100000, is \"many\"",
        "flag --public_url: public_url: must be https anywhere but on loopback",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}\n{expected}");
    }
}

#[test]
fn what_two_settings_must_agree_on_is_checked_where_it_was_set() {
    for (text, problem) in [
        (
            "mail.smtp_host = 'mail.example.com'\nmail.smtp_tls = 'none'",
            "authd.toml:2: mail.smtp_tls: must be starttls",
        ),
        ("mail.smtp_user = 'a'", "authd.toml:1: mail.smtp_user: needs mail.smtp_password_file"),
        (
            "server.max_connections_per_network = 5000",
            "authd.toml:1: server.max_connections_per_network: must not be more",
        ),
        ("lockout.pair_lock = '2h'", "default: lockout.pair_lock_max: must be as long"),
        (
            "password.argon2_memory_kib = 8\npassword.argon2_parallelism = 2",
            "authd.toml:1: password.argon2_memory_kib: must be 8 times",
        ),
        ("tokens.refresh_grace = '30m'", "authd.toml:1: tokens.refresh_grace: must not be longer"),
        ("metrics.listen = '127.0.0.1:8080'", "authd.toml:1: metrics.listen: must be another"),
        ("key_file = './authd.db'", "authd.toml:1: key_file: must be another"),
    ] {
        let problems = Env::new().toml(text).problems();
        assert!(problems[0].starts_with(problem), "{text}\n{problems:#?}");
    }
    assert!(
        Env::new()
            .toml("mail.smtp_host = '::1'\nmail.smtp_tls = 'none'")
            .config()
            .mail
            .smtp_host
            .contains("::1")
    );
}

#[test]
fn a_secret_is_never_a_value() {
    let env = Env::new()
        .toml("[mail]\nsmtp_password = 'hunter2'\n[oauth.github]\nclient_secret = 'hunter2'")
        .env("AUTHD_MAIL__SMTP_PASSWORD", "hunter2");
    let problems = env.problems().join("\n");
    let here =
        ["mail.smtp_password_file", "AUTHD_MAIL__SMTP_PASSWORD_FILE", "oauth.github.client_secret_file"];
    for name in here {
        assert!(problems.contains(&format!("write it to a file and name that in {name}")), "{problems}");
    }
    assert!(!problems.contains("hunter2"), "{problems}");
}

#[test]
fn a_systemd_credential_counts_over_the_file_and_under_the_environment() {
    let env = Env::new()
        .file("creds/key_file", "k")
        .file("creds/mail.smtp_password_file", "p")
        .file("creds/other", "o");
    let folder = env.path("creds").display().to_string();
    let env = env.env("CREDENTIALS_DIRECTORY", &folder).env("AUTHD_MAIL__SMTP_USER", "ann");
    let env = env.toml("key_file = 'the operators.key'");
    let loaded = env.load();
    assert_eq!(loaded.config.key_file, env.path("creds/key_file"));
    assert!(loaded.config.key_file_is_credential);
    assert_eq!(loaded.config.mail.smtp_password_file, Some(env.path("creds/mail.smtp_password_file")));
    assert_eq!(setting(&loaded, "key_file").origin.to_string(), "credential key_file");
    let env = env.env("AUTHD_KEY_FILE", "mine.key");
    assert_eq!(env.config().key_file, env.path("mine.key"));
    assert!(!env.config().key_file_is_credential);
}

#[test]
fn a_url_names_a_server_and_its_password_is_not_repeated() {
    const URL: &str = "postgres://ann:hunter2@db.example.com/authd";
    let named = |env: Env| env.env("AUTHD_KEY_FILE", "authd.key");
    for url in [URL.to_owned(), URL.replace("postgres", "PostgreSQL")] {
        let config = named(Env::new().env("AUTHD_DATABASE", &url)).config();
        assert_eq!(config.database.path(), None);
        let shown = format!("{} {:?}", config.database, config.database);
        assert!(shown.contains("ann@db.example.com/authd") && !shown.contains("hunter2"), "{shown}");
    }
    for (env, wrong) in [
        (named(Env::new().flag("database", URL)), "database: must not have a password in it"),
        (Env::new().env("AUTHD_DATABASE", URL), "key_file: must be set"),
        (
            named(Env::new().env("AUTHD_DATABASE", "postgres:///authd?password=hunter2")),
            "database: must name",
        ),
    ] {
        let problems = env.problems().join("\n");
        assert!(problems.contains(wrong) && !problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn a_url_of_no_database_is_not_repeated() {
    for (key, value) in
        [("AUTHD_DATABASE", "sqlite://authd.db"), ("AUTHD_KEY_FILE", "https://a:hunter2@b.example")]
    {
        let problems = Env::new().env(key, value).problems().join("\n");
        assert!(problems.contains("is a URL") && !problems.contains("hunter2"), "{problems}");
    }
    let odd = Env::new().env("AUTHD_DATABASE", "a:b//c.db").config().database;
    assert_eq!(odd.path().unwrap().file_name().unwrap(), "c.db");
}

#[test]
fn variables_of_kubernetes_and_of_others_are_left_alone() {
    let mut env = Env::new().env("PATH", "/bin").env("authd_listen", "nonsense");
    // As kubelet sets them for services called authd, authd-web and authd-mail-port.
    for service in ["", "WEB_", "MAIL_PORT_"] {
        for (variable, value) in [
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVICE_PORT", "8080"),
            ("SERVICE_PORT_HTTP_ALT", "8081"),
            ("PORT", "tcp://10.0.0.1:8080"),
            ("PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("PORT_8080_TCP_PROTO", "tcp"),
            ("PORT_8080_TCP_PORT", "8080"),
            ("PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("PORT_53_UDP", "udp://[fd00::1]:53"),
            ("PORT_53_UDP_PROTO", "udp"),
            ("PORT_53_UDP_ADDR", "fd00::1"),
            ("PORT_9_SCTP", "sctp://10.0.0.1:9"),
        ] {
            env = env.env(&format!("AUTHD_{service}{variable}"), value);
        }
    }
    env.config();
    // What looks like it and has another value was meant for authd.
    for (variable, value) in
        [("AUTHD_PORT", "8080"), ("AUTHD_MAIL__SMPT_PORT", "25"), ("AUTHD_SERVICE_HOST", "x")]
    {
        assert!(Env::new().env(variable, value).problems()[0].contains("unknown key"), "{variable}");
    }
    assert_eq!(Env::new().env("AUTHD_MAIL__SMTP_PORT", "25").config().mail.smtp_port, 25);
}

#[test]
fn what_is_allowed_and_weak_is_listed() {
    let weak = |text: &str| -> Vec<String> {
        weak_settings(&Env::new().toml(text).config()).into_iter().map(|weak| weak.key).collect()
    };
    assert_eq!(weak(""), [""; 0], "the defaults are not");
    for (text, key) in [
        ("listen = '0.0.0.0:8080'", "listen"),
        ("listen = '[2001:db8::1]:8080'", "listen"),
        ("email_verification.required = false", "email_verification.required"),
        ("password.argon2_memory_kib = 19455", "password.argon2_memory_kib"),
        ("password.argon2_iterations = 1", "password.argon2_memory_kib"),
        ("tokens.access_ttl = '3601s'", "tokens.access_ttl"),
        ("rate_limit.enabled = false", "rate_limit.enabled"),
        (
            "oauth.acme = { kind = 'google', client_id = 'a', allow_private = true }",
            "oauth.acme.allow_private",
        ),
    ] {
        assert_eq!(weak(text), [key], "{text}");
    }
    for text in [
        "listen = '[::1]:8080'",
        "listen = 'unix:/run/authd.sock'",
        "password = { argon2_memory_kib = 47104, argon2_iterations = 1 }",
        "password = { argon2_memory_kib = 7168, argon2_iterations = 5, argon2_parallelism = 2 }",
        "tokens.access_ttl = '1h'",
        "oauth.acme = { kind = 'google', client_id = 'a', link_by_email = 'verified' }",
    ] {
        assert_eq!(weak(text), [""; 0], "{text}");
    }
}

/// A file with what some keys need beside them to be good.
const FULL: &str = "
public_url = 'https://login.example.com'
key_file = 'x'
mail.smtp_user = 'x'
mail.smtp_password_file = 'x'
";

/// The names of the fields, inmost first, down to the first one in which two configurations differ.
pub fn first_difference(one: &Config, other: &Config) -> Vec<String> {
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    let same = one.lines().zip(other.lines()).take_while(|(one, other)| one == other).count();
    let mut depth = usize::MAX;
    let mut path = vec![];
    for line in one.lines().take(same + 1).collect::<Vec<_>>().into_iter().rev() {
        let indent = line.len() - line.trim_start().len();
        if indent < depth {
            depth = indent;
            path.push(line.trim().split(':').next().unwrap().to_owned());
        }
    }
    path
}

#[test]
fn passkeys_belong_to_a_domain_that_has_a_name() {
    for good in ["example.com", "auth.example.com", "co.uk.example.com"] {
        let origin = format!("https://{good}");
        let env = Env::new().flag("public_url", &origin).flag("passkeys.rp_id", good);
        assert_eq!(env.config().passkeys.rp_id, good);
    }
    for wrong in ["org", "EXAMPLE.com", "https://x y", "example.com.", ".example.com", "exam ple.com"] {
        let env = Env::new().flag("public_url", "https://auth.example.org").flag("passkeys.rp_id", wrong);
        let env = env.flag("passkeys.related_origins", "https://auth.example.org");
        let problems = env.problems();
        assert!(problems[0].contains("must be a domain in lower case"), "{wrong}: {problems:?}");
    }
}

#[test]
fn every_key_and_every_choice_reaches_its_field() {
    let mut env = Env::new().toml(FULL);
    let base = env.config();
    for key in &KEYS {
        let name = key.name;
        let mut with = |value: &str| {
            env.sources.env = vec![(variable(name), value.into())];
            env.config()
        };
        match key.kind {
            Kind::Choice(choices) => {
                let configs: Vec<_> = choices.iter().map(|choice| with(choice)).collect();
                for (i, config) in configs.iter().enumerate() {
                    assert!(!configs[..i].contains(config), "{name}: {}", choices[i]);
                }
            }
            _ => {
                let path = first_difference(&with(key.example), &base);
                let wanted = key.name.split('.').map(|part| part.trim_start_matches("argon2_"));
                assert!(
                    wanted.clone().all(|part| path.iter().any(|field| field == part)),
                    "{name}: {path:?}"
                );
            }
        }
    }
}

#[test]
fn the_text_of_config_init_changes_nothing_commented_or_not() {
    let plain = Env::new();
    let settings = |env: &Env| -> Vec<_> {
        let folder = env.dir.path().display().to_string();
        env.load()
            .settings
            .iter()
            .map(|setting| (setting.key.clone(), setting.value.to_string().replace(&folder, "")))
            .collect()
    };
    assert_eq!(settings(&Env::new().toml(text::init())), settings(&plain));
    // The example of a provider would make one.
    let text = uncommented(&text::init());
    let defaults = text.split("\n[oauth.acme]").next().unwrap();
    assert_eq!(settings(&Env::new().toml(defaults)), settings(&plain));
    assert_eq!(defaults.matches(" = ").count(), KEYS.len());
}

/// What `config init` prints, as if every line in it counted.
pub fn uncommented(text: &str) -> String {
    text.lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn the_manual_names_every_table_and_key() {
    let manual = text::manual();
    for (table, _) in TABLES.iter().filter(|(table, _)| !table.is_empty()) {
        assert!(manual.contains(&format!(".Ss Table {table}\n")), "{table}");
    }
    for key in &KEYS {
        assert!(manual.contains(&format!(".It Ic {}\n", key.parts().1)), "{}", key.name);
        assert!(manual.contains(&variable(key.name)), "{}", key.name);
    }
    let of_providers = manual.split(".Ss Table oauth.NAME\n").nth(1).unwrap();
    for key in &PROVIDER_KEYS {
        assert!(of_providers.contains(&format!(".It Ic {}\n", key.name)), "{}", key.name);
        assert!(of_providers.contains(&variable(&format!("oauth.NAME.{}", key.name))), "{}", key.name);
    }
}

/// Some keys with a good value each.
fn settings() -> impl Strategy<Value = Vec<(String, String)>> {
    let one =
        |key: &'static Key| value_of(key.kind).prop_map(move |value| (key.name.to_owned(), value)).boxed();
    let some: Vec<_> = KEYS.iter().map(|key| proptest::option::weighted(0.2, one(key))).collect();
    some.prop_map(|some| some.into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_config_show_prints_gives_the_same_configuration(chosen in settings()) {
        let mut env = Env::new();
        env.sources.env = chosen.iter().map(|(name, value)| (variable(name), value.clone())).collect();
        let loaded = load(&env.sources);
        prop_assume!(loaded.is_ok(), "two values don't agree, which is another test's business");
        let loaded = loaded.unwrap();
        let rows = loaded.settings.iter();
        let file: String =
            rows.clone().map(|row| format!("{} = {}\n", row.key, row.value.toml())).collect();
        env.sources.env = rows.map(|row| (variable(&row.key), row.value.to_string())).collect();
        prop_assert_eq!(&env.config(), &loaded.config);
        env.sources.env.clear();
        prop_assert_eq!(env.toml(file).config(), loaded.config);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let env = Env::new().toml(&bytes);
        let _ = load(&env.sources);
    }

    #[test]
    fn random_lines_never_panic(
        lines in proptest::collection::vec(
            (0..KEYS.len(), r#"[\[\]{}'"=,.#a0\-: \\é]{0,12}|"[^"]*"|\[\]"#),
            0..12,
        ),
        variables in proptest::collection::vec((0..KEYS.len(), "\\PC*"), 0..4),
    ) {
        let file: String = lines.iter().map(|(i, value)| format!("{} = {value}\n", KEYS[*i].name)).collect();
        let mut env = Env::new().toml(file);
        env.sources.env = variables.into_iter().map(|(i, value)| (variable(KEYS[i].name), value)).collect();
        let _ = load(&env.sources);
    }
}
