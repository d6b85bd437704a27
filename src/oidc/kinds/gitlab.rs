//! GitLab, by OpenID Connect with `email_verified`; its REST API has nothing to say here.

use super::kind::Kind;

/// See the module.
pub const KIND: Kind = Kind { home: "https://gitlab.com", ..Kind::STANDARD };
