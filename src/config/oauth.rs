//! Providers of identities: `[oauth.NAME]`, a table each.

use super::choice::{LinkByEmail, ProviderKind};
use crate::domain::identity::ProviderName;
use crate::domain::role::RoleName;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A server whose accounts may sign in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// As it stands in URLs.
    pub name: ProviderName,
    pub kind: ProviderKind,
    pub client_id: String,
    /// A file with the client's secret in its first line; for Apple the private key (PKCS #8, PEM) that its
    /// secrets are made with. `None`: a public client, which proves itself by PKCE alone.
    pub client_secret_file: Option<PathBuf>,
    /// Without a slash at its end unless the provider writes one. Empty for kinds that have one of their own.
    pub issuer: String,
    /// Microsoft's: a directory's id, `organizations` or `common`. Empty for other kinds.
    pub tenant: String,
    /// Apple's team and the id of its key. Empty for other kinds.
    pub team_id: String,
    pub key_id: String,
    /// What people call it; the kind's own name, or `name`, unless set.
    pub display_name: String,
    /// Asked for on top of what the kind needs.
    pub scopes: Vec<String>,
    /// Whether somebody without an account here gets one.
    pub sign_up: bool,
    /// Whose addresses may sign in, lower case, exact; empty: all.
    pub allowed_domains: Vec<String>,
    pub link_by_email: LinkByEmail,
    /// The claim of the ID token that grants roles. `None`: none does.
    pub role_claim: Option<String>,
    /// The role for each value of that claim.
    pub roles: BTreeMap<String, RoleName>,
    /// Whether access tokens tell how the provider says that the person proved who they are.
    pub trust_amr: bool,
    /// Whether it may stand at a private address, or on this machine.
    pub allow_private: bool,
}

impl Provider {
    /// Where the provider sends the browser back to, as it must be told beforehand: the URI that it compares
    /// to the letter (RFC 9700 §2.1).
    #[must_use]
    pub fn redirect_uri(&self, public_url: &str) -> String {
        format!("{public_url}{}", self.callback_path())
    }

    /// The path of that.
    #[must_use]
    pub fn callback_path(&self) -> String {
        format!("/api/auth/oauth/{}/callback", self.name)
    }

    /// Where a sign-in with the provider begins.
    #[must_use]
    pub fn start_path(&self) -> String {
        format!("/api/auth/oauth/{}/start", self.name)
    }
}
