//! `[oauth.NAME]`: providers of identities, out of the file and the environment.

use crate::config::{Env, first_difference, setting, uncommented};
use crate::config_values::value_of;
use authd::config::keys::{Key, PROVIDER_KEYS, variable};
use authd::config::{Config, Kind, LinkByEmail, Origin, Provider, ProviderKind, text};
use proptest::prelude::*;

/// What each kind takes at the least.
const KINDS: [(&str, &str); 7] = [
    ("oidc", "issuer = 'https://id.acme.example'"),
    ("google", ""),
    ("microsoft", "tenant = 'organizations'"),
    ("github", ""),
    ("gitlab", ""),
    ("discord", ""),
    ("apple", "team_id = 'T'\nkey_id = 'K'\nclient_secret_file = 'apple.p8'"),
];

/// The table of a provider `acme` of this kind, with more lines in it.
fn acme(kind: &str, more: &str) -> Env {
    let (_, least) = KINDS.into_iter().find(|(name, _)| *name == kind).unwrap();
    Env::new().toml(format!("[oauth.acme]\nkind = '{kind}'\nclient_id = 'authd'\n{more}\n{least}\n"))
}

fn only(config: Config) -> Provider {
    let [provider] = <[Provider; 1]>::try_from(config.oauth).unwrap();
    provider
}

#[test]
fn a_provider_is_read_from_its_table() {
    let env = Env::new().toml(
        "[oauth.acme]\nkind = 'oidc'\nclient_id = 'authd'\nclient_secret_file = 'acme.secret'\n\
         issuer = 'https://id.acme.example/realms/Acme/'\nscopes = ['groups', 'https://acme.example/all']\n\
         sign_up = false\nallowed_domains = ['Acme.example', 'bücher.example']\nlink_by_email = 'verified'\n\
         role_claim = 'groups'\nroles = { acme-admins = 'admin', 'cn=staff,dc=acme' = 'editor' }\n\
         trust_amr = true\nallow_private = true\n",
    );
    let provider = only(env.config());
    assert_eq!((provider.name.as_str(), provider.kind), ("acme", ProviderKind::Oidc));
    assert_eq!(provider.client_id, "authd");
    assert_eq!(provider.client_secret_file, Some(env.path("acme.secret")));
    assert_eq!(provider.issuer, "https://id.acme.example/realms/Acme/", "to the letter");
    assert_eq!(provider.display_name, "acme");
    assert_eq!(provider.scopes, ["groups", "https://acme.example/all"]);
    assert_eq!(provider.allowed_domains, ["acme.example", "xn--bcher-kva.example"], "as addresses have them");
    assert_eq!(provider.link_by_email, LinkByEmail::Verified);
    assert_eq!(provider.role_claim.as_deref(), Some("groups"));
    let roles: Vec<_> = provider.roles.iter().map(|(value, role)| (value.as_str(), role.as_str())).collect();
    assert_eq!(roles, [("acme-admins", "admin"), ("cn=staff,dc=acme", "editor")]);
    assert!(!provider.sign_up && provider.trust_amr && provider.allow_private);
    assert_eq!(
        provider.redirect_uri("https://auth.example.com"),
        "https://auth.example.com/api/auth/oauth/acme/callback"
    );
}

#[test]
fn what_is_left_out_falls_back_to_what_is_safe() {
    for (kind, title, issuer) in [
        ("oidc", "acme", "https://id.acme.example"),
        ("google", "Google", ""),
        ("microsoft", "Microsoft", ""),
        ("github", "GitHub", ""),
        ("gitlab", "GitLab", "https://gitlab.com"),
        ("discord", "Discord", ""),
        ("apple", "Apple", ""),
    ] {
        let provider = only(acme(kind, "").config());
        assert_eq!((provider.display_name.as_str(), provider.issuer.as_str()), (title, issuer), "{kind}");
        assert_eq!(provider.link_by_email, LinkByEmail::Never);
        assert!(provider.sign_up && !provider.trust_amr && !provider.allow_private, "{kind}");
        assert!(provider.roles.is_empty() && provider.role_claim.is_none() && provider.scopes.is_empty());
        assert_eq!(only(acme(kind, "display_name = 'Ours'").config()).display_name, "Ours");
    }
    let own = only(acme("gitlab", "issuer = 'https://git.acme.example'").config());
    assert_eq!(own.issuer, "https://git.acme.example");
    assert_eq!(Env::new().config().oauth, []);
}

#[test]
fn each_source_of_a_provider_is_named() {
    let env = acme("google", "").file("creds/oauth.acme.client_secret_file", "s");
    let folder = env.path("creds").display().to_string();
    // What belongs to a provider that is gone makes none.
    let env = env.file("creds/oauth.gone.client_secret_file", "s").env("CREDENTIALS_DIRECTORY", &folder);
    let env =
        env.env("AUTHD_OAUTH__ACME__SIGN_UP", "false").env("AUTHD_OAUTH__ACME__ROLES", "a=b=staff, c=admin");
    let loaded = env.env("AUTHD_OAUTH__ACME__ROLE_CLAIM", "hd").load();
    let shown = |key: &str| {
        let setting = setting(&loaded, key);
        format!("{} {}", setting.value, setting.origin)
    };
    assert_eq!(shown("oauth.acme.kind"), "google file authd.toml:2");
    assert_eq!(shown("oauth.acme.sign_up"), "false environment AUTHD_OAUTH__ACME__SIGN_UP");
    assert_eq!(shown("oauth.acme.roles"), "a=b=staff,c=admin environment AUTHD_OAUTH__ACME__ROLES");
    assert_eq!(shown("oauth.acme.display_name"), "Google default");
    let secret = setting(&loaded, "oauth.acme.client_secret_file");
    assert_eq!(secret.origin, Origin::Credential("oauth.acme.client_secret_file".into()));
    assert_eq!(only(loaded.config.clone()).client_secret_file, Some(env_path(&folder)));
    let names: Vec<_> = loaded.settings.iter().map(|setting| setting.key.as_str()).collect();
    let of_acme: Vec<_> = names.iter().filter_map(|name| name.strip_prefix("oauth.acme.")).collect();
    assert_eq!(of_acme, PROVIDER_KEYS.map(|key| key.name), "all of them, in their order");
    assert!(names.iter().all(|name| !name.contains("gone")));
}

fn env_path(folder: &str) -> std::path::PathBuf {
    std::path::Path::new(folder).join("oauth.acme.client_secret_file")
}

#[test]
fn a_provider_may_be_told_by_variables_alone_and_have_any_name_in_the_file() {
    let env = Env::new()
        .env("AUTHD_OAUTH__MY_HUB__KIND", "github")
        .env("AUTHD_OAUTH__MY_HUB__CLIENT_ID", "a")
        .env("AUTHD_OAUTH__MY_HUB__ALLOWED_DOMAINS", "a.example, b.example")
        .toml("[oauth.\"acme.eu\"]\nkind = 'google'\nclient_id = 'b'\n[oauth.acme-us]\nkind = 'gitlab'\nclient_id = 'c'");
    let oauth = env.config().oauth;
    let names: Vec<_> = oauth.iter().map(|provider| provider.name.as_str()).collect();
    assert_eq!(names, ["acme-us", "acme.eu", "my_hub"]);
    assert_eq!(oauth[2].allowed_domains, ["a.example", "b.example"]);
    assert_eq!(setting(&env.load(), "oauth.\"acme.eu\".client_id").value.to_string(), "b");
}

#[test]
fn two_names_for_one_server_would_go_round_each_others_rules() {
    let directory = "tenant = '6babcaad-604b-40ac-9d79-b89a4ab5c65c'";
    let other = "tenant = '7babcaad-604b-40ac-9d79-b89a4ab5c65c'";
    let (acme, own) = ("issuer = 'https://id.acme.example'", "issuer = 'https://git.acme.example'");
    for (kind, one, two, are_one) in [
        ("google", "", "", true),
        ("oidc", acme, acme, true),
        ("oidc", acme, "issuer = 'https://id.acme.example/other'", false),
        ("gitlab", "", own, false),
        ("microsoft", directory, "tenant = 'common'", true),
        ("microsoft", directory, directory, true),
        ("microsoft", directory, other, false),
    ] {
        let table =
            |name: &str, more: &str| format!("[oauth.{name}]\nkind = '{kind}'\nclient_id = 'a'\n{more}\n");
        let env = Env::new().toml(table("one", one) + &table("two", two));
        if !are_one {
            assert_eq!(env.config().oauth.len(), 2, "{kind} {one} {two}");
            continue;
        }
        let problems = env.problems().join("\n");
        assert!(
            problems.contains("oauth.two.kind: must be another server than that of oauth.one.kind"),
            "{problems}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_provider_is_told_by_its_place_and_key() {
    for (text, problem) in [
        (
            "[oauth.Acme]\nkind = 'oidc'",
            "1: oauth.Acme: unknown key; those of a provider are oauth.NAME.KEY, and a",
        ),
        ("[oauth]\nacme = 5", "2: oauth.acme: must be a table, is 5"),
        ("oauth = true", "1: oauth: must be a table, is true"),
        ("\n[oauth.acme]", "2: oauth.acme.kind: must be set: what it is"),
        ("\n[oauth.acme]\nkind = 'google'", "2: oauth.acme.client_id: must be set: the id"),
        (
            "[oauth.acme]\nkind = 'facebook'\nclient_id = 'a'",
            "2: oauth.acme.kind: must be one of oidc, google,",
        ),
        (
            "[oauth.acme]\nkind = 'google'\ncliend_id = 'a'",
            "3: oauth.acme.cliend_id: unknown key; did you mean oauth.acme.client_id?",
        ),
        ("[oauth.acme]\nname = 'a'", "2: oauth.acme.name: unknown key"),
        ("[oauth.acme]\nkind = ['oidc']", "2: oauth.acme.kind: must be one of oidc"),
    ] {
        let problems = Env::new().toml(text).problems();
        let problem = format!("authd.toml:{problem}");
        assert!(problems.iter().any(|found| found.starts_with(&problem)), "{text}\n{problems:#?}");
    }
    // A bad value is told once, and nothing that follows from it.
    assert_eq!(Env::new().toml("[oauth.acme]\nkind = 'facebook'\nclient_id = 'a'").problems().len(), 1);
    let problems = Env::new().env("AUTHD_OAUTH__ACME__CLIENT_SECRET", "hunter2").problems().join("\n");
    assert!(problems.contains("name that in AUTHD_OAUTH__ACME__CLIENT_SECRET_FILE"), "{problems}");
    assert!(!problems.contains("hunter2"), "{problems}");
    let problems = Env::new().env("AUTHD_OAUTH__KIND", "oidc").problems();
    assert!(problems[0].contains("those of a provider are AUTHD_OAUTH__NAME__KEY"), "{problems:#?}");
    let problems = Env::new().env("AUTHD_OAUTH__ACME__KIND", "github").problems();
    assert!(
        problems[0].starts_with("environment AUTHD_OAUTH__ACME__KIND: oauth.acme.client_id: must be set")
    );
}

#[test]
fn what_two_keys_of_a_provider_must_agree_on_is_checked() {
    for (kind, line, problem) in [
        ("google", "issuer = 'https://a.example'", "issuer: must be left out: google has one of its own"),
        ("github", "issuer = 'https://a.example'", "issuer: must be left out: github has one of its own"),
        ("gitlab", "issuer = 'http://git.acme.example'", "issuer: must be https anywhere but on loopback"),
        ("gitlab", "issuer = 'https://git.acme.example/?a=b'", "issuer: must have neither `?` nor `#`"),
        ("oidc", "tenant = 'common'", "tenant: must be left out: oidc knows no tenants"),
        ("google", "team_id = 'T'", "team_id: must be left out: it is for the kind apple"),
        ("google", "key_id = 'K'", "key_id: must be left out: it is for the kind apple"),
        ("oidc", "role_claim = 'groups'", "role_claim: needs oauth.acme.roles too"),
        ("oidc", "roles = { a = 'admin' }", "roles: needs oauth.acme.role_claim too"),
        ("oidc", "roles = { a = 'Admin' }", "roles: has \"Admin\", but a role's name has lower-case"),
        ("oidc", "roles = { '' = 'admin' }", "roles: must have values of the claim before the roles"),
        ("oidc", "roles = { a = 5 }", "roles: must be a table of roles such as"),
        ("oidc", "roles = 'a=admin'", "roles: must be a table of roles such as"),
        (
            "github",
            "role_claim = 'a'\nroles = { a = 'b' }",
            "role_claim: must be left out: github gives no ID token",
        ),
        ("discord", "trust_amr = true", "trust_amr: must be left out: discord gives no ID token"),
        (
            "oidc",
            "link_by_email = 'verified'",
            "link_by_email: would never link; name in oauth.acme.allowed_domains",
        ),
        ("apple", "link_by_email = 'verified'", "link_by_email: would never link"),
        (
            "oidc",
            "allowed_domains = ['@acme.example']",
            "allowed_domains: must be domains such as example.com",
        ),
        ("oidc", "allowed_domains = ['192.0.2.1']", "allowed_domains: must be domains such as example.com"),
        (
            "oidc",
            "allowed_domains = ['*.acme.example']",
            "allowed_domains: must be domains such as example.com",
        ),
        ("oidc", "scopes = ['openid email']", "scopes: must be scopes without spaces"),
        ("oidc", "scopes = 'groups'", "scopes: must be a list of scopes such as"),
        (
            "oidc",
            "client_secret_file = 'https://a.example/'",
            "client_secret_file: must be the path of a file",
        ),
    ] {
        let problems = acme(kind, line).problems();
        let problem = format!("authd.toml:4: oauth.acme.{problem}");
        assert!(problems[0].starts_with(&problem), "{kind}: {line}\n{problem}\n{problems:#?}");
    }
    let without = |kind: &str, line: &str| {
        let table = format!("[oauth.acme]\nkind = '{kind}'\nclient_id = 'a'\n{line}");
        Env::new().toml(table).problems().join("\n")
    };
    for (kind, line, problem) in [
        ("oidc", "", "issuer: must be set for the kind oidc"),
        (
            "microsoft",
            "",
            "tenant: must be the id of a directory (a UUID) or one of organizations, consumers, common",
        ),
        ("apple", "team_id = 'T'\nkey_id = 'K'", "client_secret_file: must be set for the kind apple"),
        ("apple", "team_id = 'T'\nclient_secret_file = 'a'", "key_id: must be set for the kind apple"),
        ("apple", "key_id = 'K'\nclient_secret_file = 'a'", "team_id: must be set for the kind apple"),
    ] {
        // Where nothing is set, the table's own place is told.
        let found = without(kind, line);
        assert!(found.starts_with(&format!("authd.toml:1: oauth.acme.{problem}")), "{kind} {line}\n{found}");
    }
    for tenant in ["contoso.onmicrosoft.com", "6babcaad604b40ac9d79b89a4ab5c65c", "Organisations"] {
        assert!(
            without("microsoft", &format!("tenant = '{tenant}'")).contains("tenant: must be"),
            "{tenant}"
        );
    }
}

#[test]
fn what_a_kind_allows_is_taken() {
    for (kind, line) in [
        ("google", "link_by_email = 'verified'"),
        ("microsoft", "link_by_email = 'verified'"),
        ("github", "link_by_email = 'verified'"),
        ("oidc", "link_by_email = 'verified'\nallowed_domains = ['acme.example']"),
        ("discord", "link_by_email = 'verified'\nallowed_domains = ['acme.example']"),
        ("google", "role_claim = 'hd'\nroles = { 'acme.example' = 'staff' }"),
        ("oidc", "role_claim = 'groups'\n[oauth.acme.roles]\n\"acme admins\" = 'admin'\n[oauth.acme]"),
    ] {
        if line.ends_with("[oauth.acme]") {
            // A table of its own is the same as one in braces.
            let (lines, _) = line.rsplit_once('\n').unwrap();
            let least = "[oauth.acme]\nkind = 'oidc'\nclient_id = 'a'\nissuer = 'http://localhost:1'";
            let provider = only(Env::new().toml(format!("{least}\n{lines}")).config());
            assert_eq!(provider.roles.len(), 1);
        } else {
            only(acme(kind, line).config());
        }
    }
    let table = |tenant: &str| {
        Env::new().toml(format!("[oauth.m]\nkind = 'microsoft'\nclient_id = 'a'\ntenant = '{tenant}'"))
    };
    for tenant in ["organizations", "consumers", "common", "6babcaad-604b-40ac-9d79-b89a4ab5c65c"] {
        assert_eq!(only(table(tenant).config()).tenant, tenant);
        assert_eq!(only(table(&tenant.to_uppercase()).config()).tenant, tenant, "its one spelling");
    }
}

/// The kind that takes the key with its example, and what the key needs beside it.
fn base_of(key: &Key) -> (&'static str, &'static str) {
    match key.name {
        "tenant" => ("microsoft", ""),
        "team_id" | "key_id" => ("apple", ""),
        "role_claim" | "roles" => ("oidc", "role_claim = 'a'\nroles = { a = 'b' }"),
        _ => ("oidc", ""),
    }
}

#[test]
fn every_key_of_a_provider_reaches_its_field() {
    for key in &PROVIDER_KEYS {
        let (kind, more) = base_of(key);
        let env = acme(kind, more);
        let base = env.config();
        let name = format!("oauth.acme.{}", key.name);
        let example = match key.name {
            "kind" => "gitlab",
            "issuer" => "https://other.example",
            "client_id" => "other",
            "tenant" => "common",
            "link_by_email" => continue,
            _ => key.example,
        };
        let path = first_difference(&env.env(&variable(&name), example).config(), &base);
        assert!(path.iter().any(|field| field == key.name), "{name}: {path:?}");
    }
    for kind in ProviderKind::NAMES {
        assert_eq!(only(acme(kind, "").config()).kind.name(), *kind);
    }
    let links =
        |word: &str| only(acme("google", &format!("link_by_email = '{word}'")).config()).link_by_email;
    assert_eq!(
        LinkByEmail::NAMES.iter().map(|word| links(word).name()).collect::<Vec<_>>(),
        LinkByEmail::NAMES
    );
}

#[test]
fn the_example_of_config_init_is_a_provider() {
    let provider = only(Env::new().toml(uncommented(&text::init())).config());
    assert_eq!((provider.name.as_str(), provider.kind), ("acme", ProviderKind::Oidc));
}

const PAGE: &str = include_str!("../../docs/sign-in-with.md");

#[test]
fn every_table_on_the_page_is_right_and_every_kind_has_one() {
    let tables: Vec<_> =
        PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let providers: Vec<_> = tables.iter().map(|table| only(Env::new().toml(table).config())).collect();
    for kind in ProviderKind::NAMES {
        assert!(providers.iter().any(|provider| provider.kind.name() == *kind), "{kind}");
    }
    let acme = providers.iter().find(|provider| provider.name.as_str() == "acme").unwrap();
    for uri in
        [acme.redirect_uri("https://auth.example.com"), "PUBLIC_URL/api/auth/oauth/NAME/callback".into()]
    {
        assert!(PAGE.contains(&uri), "{uri}");
    }
    for key in
        ["sign_up", "allowed_domains", "link_by_email", "role_claim", "roles", "trust_amr", "allow_private"]
    {
        assert!(PAGE.contains(&format!("`{key}")), "{key}");
    }
}

/// Good values for what any `oidc` takes, as the environment writes them.
fn values() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let free = [
        "client_id",
        "client_secret_file",
        "display_name",
        "scopes",
        "sign_up",
        "allowed_domains",
        "trust_amr",
    ];
    let keys: Vec<&'static Key> = PROVIDER_KEYS.iter().filter(|key| free.contains(&key.name)).collect();
    let one = |key: &'static Key| {
        proptest::option::weighted(0.5, value_of(key.kind).prop_map(move |value| (key.name, value)))
    };
    let roles = value_of(Kind::Roles).prop_map(|roles| match roles.as_str() {
        "" => vec![],
        _ => vec![("role_claim", "groups".to_owned()), ("roles", roles)],
    });
    let some = keys.into_iter().map(one).collect::<Vec<_>>();
    (some, roles).prop_map(|(some, roles)| some.into_iter().flatten().chain(roles).collect())
}

/// What may stand for a value in a file.
const ANYTHING: &str = r#"[\[\]{}'"=,.a0\-: é]{0,9}|"[^"]*"|'[a-z]+'"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_config_show_prints_of_a_provider_gives_the_same(chosen in values()) {
        let mut env = acme("oidc", "");
        for (key, value) in chosen {
            env = env.env(&variable(&format!("oauth.acme.{key}")), &value);
        }
        let loaded = env.load();
        let rows = loaded.settings.iter();
        let file: String = rows.clone().map(|row| format!("{} = {}\n", row.key, row.value.toml())).collect();
        env.sources.env = rows.map(|row| (variable(&row.key), row.value.to_string())).collect();
        prop_assert_eq!(&env.config(), &loaded.config);
        env.sources.env.clear();
        prop_assert_eq!(env.toml(file).config(), loaded.config);
    }

    #[test]
    fn random_tables_never_panic(
        name in r#"[a-z."'\-_A]{0,6}"#,
        lines in proptest::collection::vec((0..PROVIDER_KEYS.len(), ANYTHING), 0..6),
        variables in proptest::collection::vec((0..PROVIDER_KEYS.len(), "\\PC*"), 0..3),
    ) {
        let lines = lines.into_iter().map(|(i, value)| format!("{} = {value}\n", PROVIDER_KEYS[i].name));
        let mut env = Env::new().toml(format!("[oauth.{name}]\n{}", lines.collect::<String>()));
        for (i, value) in variables {
            env = env.env(&variable(&format!("oauth.acme.{}", PROVIDER_KEYS[i].name)), &value);
        }
        let _ = authd::config::load(&env.sources);
    }
}
