//! The kinds of providers: a file each, with what it is asked for and which facts of its are to be got right.

pub mod apple;
pub mod discord;
pub mod github;
pub mod gitlab;
pub mod google;
pub mod kind;
pub mod microsoft;
pub mod oidc;

use crate::config::ProviderKind;
use kind::Kind;

/// What is particular about a kind.
#[must_use]
pub const fn of(kind: ProviderKind) -> &'static Kind {
    match kind {
        ProviderKind::Oidc => &oidc::KIND,
        ProviderKind::Google => &google::KIND,
        ProviderKind::Microsoft => &microsoft::KIND,
        ProviderKind::Github => &github::KIND,
        ProviderKind::Gitlab => &gitlab::KIND,
        ProviderKind::Discord => &discord::KIND,
        ProviderKind::Apple => &apple::KIND,
    }
}

#[cfg(test)]
pub mod tests;
