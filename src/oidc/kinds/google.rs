//! Google. Its word counts for gmail.com and for the domains that it hosts, which the token names in `hd`:
//! that of the request is a wish. It knows no `prompt=login`.

use super::kind::{Authority, EmailRule, Kind};

/// See the module.
pub const KIND: Kind = Kind {
    home: "https://accounts.google.com",
    fresh: &[("prompt", "select_account")],
    email: EmailRule { authority: Authority::HostedDomain, ..EmailRule::STANDARD },
    ..Kind::STANDARD
};
