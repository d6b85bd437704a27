//! From the settings of an `[oauth.NAME]` to its [`Provider`], and what two of them must agree on.

use super::choice::{LinkByEmail, ProviderKind};
use super::keys::provider_key;
use super::oauth::Provider;
use super::settings::{KIND, Settings, choice, flag, map, optional_path, optional_text, parsed, text};
use super::value::Value;
use crate::domain::identity::ProviderName;
use crate::domain::role::RoleName;
use uuid::Uuid;

/// The issuer of a `gitlab` that is nobody's own.
const GITLAB: &str = "https://gitlab.com";

/// Microsoft's words for more than one directory.
const TENANTS: [&str; 3] = ["organizations", "consumers", "common"];

/// Fills in what follows from other settings unless it is set, and brings a tenant's id into its one
/// spelling.
pub fn derive(of: &mut Settings, name: &ProviderName) {
    let kind = kind(of, name);
    let mut fill = |key: &str, filled: &dyn Fn(&str) -> Option<String>| {
        of.entry(provider_key(name, key)).and_modify(|(value, _)| {
            if let Value::Text(text) = value
                && let Some(filled) = filled(text)
            {
                *text = filled;
            }
        });
    };
    let unless_set = |default: &str| {
        let default = default.to_owned();
        move |text: &str| text.is_empty().then(|| default.clone())
    };
    fill("display_name", &unless_set(kind.title().unwrap_or(name.as_str())));
    fill("tenant", &|text| Some(text.to_ascii_lowercase()));
    if kind == ProviderKind::Gitlab {
        fill("issuer", &unless_set(GITLAB));
    }
}

/// Checks what the settings of a provider must agree on; gives the key that most likely must change, and why.
/// They must be all there.
pub fn check(of: &Settings, name: &ProviderName) -> Vec<(String, String)> {
    let kind = kind(of, name);
    let called = kind.name();
    let key = |key: &str| provider_key(name, key);
    let is_set = |name: &str| optional_text(of, &key(name)).is_some();
    let mut found = Vec::new();
    let mut demand = |holds: bool, name: &str, why: String| {
        if !holds {
            found.push((key(name), why));
        }
    };
    match kind {
        ProviderKind::Oidc => demand(
            is_set("issuer"),
            "issuer",
            "must be set for the kind oidc: the URL before /.well-known/openid-configuration".into(),
        ),
        ProviderKind::Gitlab => {}
        _ => demand(!is_set("issuer"), "issuer", format!("must be left out: {called} has one of its own")),
    }
    if kind == ProviderKind::Microsoft {
        let tenant = text(of, &key("tenant"));
        let is_id = tenant.len() == 36 && Uuid::try_parse(&tenant).is_ok();
        let words = TENANTS.join(", ");
        demand(
            is_id || TENANTS.contains(&tenant.as_str()),
            "tenant",
            format!("must be the id of a directory (a UUID) or one of {words}, is {tenant:?}"),
        );
    } else {
        demand(!is_set("tenant"), "tenant", format!("must be left out: {called} knows no tenants"));
    }
    let has_secret = optional_path(of, &key("client_secret_file")).is_some();
    if kind == ProviderKind::Apple {
        demand(has_secret, "client_secret_file", "must be set for the kind apple: its private key".into());
    }
    for id in ["team_id", "key_id"] {
        match kind {
            ProviderKind::Apple => demand(is_set(id), id, "must be set for the kind apple".into()),
            _ => demand(!is_set(id), id, "must be left out: it is for the kind apple".into()),
        }
    }
    let (has_claim, has_roles) = (is_set("role_claim"), !map(of, &key("roles")).is_empty());
    demand(has_roles || !has_claim, "role_claim", format!("needs {} too", key("roles")));
    demand(has_claim || !has_roles, "roles", format!("needs {} too", key("role_claim")));
    if !kind.has_id_token() {
        let why = format!("must be left out: {called} gives no ID token, which would have claims");
        demand(!has_claim, "role_claim", why.clone());
        demand(!flag(of, &key("trust_amr")), "trust_amr", why);
    }
    let links = choice(of, &key("link_by_email"), LinkByEmail::parse) == LinkByEmail::Verified;
    let has_domains = !parsed::<String>(of, &key("allowed_domains")).is_empty();
    demand(
        !links || kind.knows_its_addresses() || has_domains,
        "link_by_email",
        format!(
            "would never link; name in {} the domains that this provider gives out",
            key("allowed_domains")
        ),
    );
    found
}

/// Whether two providers have accounts in common: each would then go round the rules of the other.
pub fn are_one_server(of: &Settings, one: &ProviderName, other: &ProviderName) -> bool {
    let said = |name: &ProviderName, key: &str| text(of, &provider_key(name, key));
    let is_same = |key| said(one, key) == said(other, key);
    if kind(of, one) != kind(of, other) {
        return false;
    }
    let any_directory = [one, other].iter().any(|name| TENANTS.contains(&said(name, "tenant").as_str()));
    is_same("issuer") && (is_same("tenant") || any_directory)
}

/// Builds what the settings say, which must have passed [`check`].
pub fn provider(of: &Settings, name: &ProviderName) -> Provider {
    let key = |key: &str| provider_key(name, key);
    let role = |(value, role): (String, String)| (value, RoleName::parse(&role).expect(KIND));
    Provider {
        kind: kind(of, name),
        client_id: text(of, &key("client_id")),
        client_secret_file: optional_path(of, &key("client_secret_file")),
        issuer: text(of, &key("issuer")),
        tenant: text(of, &key("tenant")),
        team_id: text(of, &key("team_id")),
        key_id: text(of, &key("key_id")),
        display_name: text(of, &key("display_name")),
        scopes: parsed(of, &key("scopes")),
        sign_up: flag(of, &key("sign_up")),
        allowed_domains: parsed(of, &key("allowed_domains")),
        link_by_email: choice(of, &key("link_by_email"), LinkByEmail::parse),
        role_claim: optional_text(of, &key("role_claim")),
        roles: map(of, &key("roles")).into_iter().map(role).collect(),
        trust_amr: flag(of, &key("trust_amr")),
        allow_private: flag(of, &key("allow_private")),
        name: name.clone(),
    }
}

fn kind(of: &Settings, name: &ProviderName) -> ProviderKind {
    choice(of, &provider_key(name, "kind"), ProviderKind::parse)
}

impl ProviderKind {
    /// What people call it. `None`: the kind is no single provider.
    fn title(self) -> Option<&'static str> {
        match self {
            Self::Oidc => None,
            Self::Google => Some("Google"),
            Self::Microsoft => Some("Microsoft"),
            Self::Github => Some("GitHub"),
            Self::Gitlab => Some("GitLab"),
            Self::Discord => Some("Discord"),
            Self::Apple => Some("Apple"),
        }
    }

    fn has_id_token(self) -> bool {
        !matches!(self, Self::Github | Self::Discord)
    }

    /// Whether it says of some addresses itself that they are its own to give out, or that it has checked
    /// them.
    fn knows_its_addresses(self) -> bool {
        matches!(self, Self::Google | Self::Microsoft | Self::Github)
    }
}
