//! Microsoft. The issuer carries the directory's id, for which the metadata of `common`, `organizations` and
//! `consumers` have a placeholder or an id of their own. A directory's administrator can write any address
//! into an account (nOAuth): only `xms_edov` says that the domain's owner was checked, and a missing one says
//! no. Graph's userinfo says nothing of that, so nobody asks it.

use super::kind::{Authority, EmailRule, Kind, Server};
use crate::oidc::discovery::address;
use crate::oidc::issuer::{ExpectedIssuer, PERSONAL_ACCOUNTS};

/// See the module.
pub const KIND: Kind = Kind {
    home: "https://login.microsoftonline.com",
    server: Server::Tenant(discovery),
    // Its tokens have an `auth_time` only where the application's registration adds it.
    fresh: &[("prompt", "login")],
    asks_userinfo: false,
    email: EmailRule { flag: "xms_edov", texts: &["1", "true"], authority: Authority::Flag },
    ..Kind::STANDARD
};

/// Where a directory's metadata stand, and whose they must be.
fn discovery(home: &str, tenant: &str) -> (String, ExpectedIssuer) {
    let home = home.trim_end_matches('/');
    let of = |tenant: &str| format!("{home}/{tenant}/v2.0");
    let issuer = match tenant {
        "common" => ExpectedIssuer::AnyTenant(of("{tenantid}")),
        "organizations" => ExpectedIssuer::AnyOrganization(of("{tenantid}")),
        "consumers" => ExpectedIssuer::Exactly(of(PERSONAL_ACCOUNTS)),
        id => ExpectedIssuer::Exactly(of(id)),
    };
    (address(&of(tenant)), issuer)
}
