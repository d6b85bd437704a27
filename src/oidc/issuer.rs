//! Whose documents and tokens are a provider's: one issuer to the letter, or, with Microsoft, one for each
//! directory that may sign in.

use uuid::Uuid;

/// Stands for a directory's id in Microsoft's metadata.
const PLACEHOLDER: &str = "{tenantid}";

/// The directory of Microsoft's personal accounts.
pub const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Whose ID tokens are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExpectedIssuer {
    Exactly(String),
    /// Any directory's, in the place of `{tenantid}`.
    AnyTenant(String),
    /// The same but for personal accounts.
    AnyOrganization(String),
}

impl ExpectedIssuer {
    /// As the metadata spells it, to the letter.
    #[must_use]
    pub fn as_metadata(&self) -> &str {
        match self {
            Self::Exactly(issuer) | Self::AnyTenant(issuer) | Self::AnyOrganization(issuer) => issuer,
        }
    }

    /// Whether `issuer` may have made a token that names `tenant` in its `tid`.
    #[must_use]
    pub fn admits(&self, issuer: &str, tenant: Option<&str>) -> bool {
        match self {
            Self::Exactly(expected) => issuer == expected,
            Self::AnyTenant(template) => {
                tenant.is_some_and(|tenant| is_tenant(tenant) && issuer == of(template, tenant))
            }
            Self::AnyOrganization(template) => tenant.is_some_and(|tenant| {
                is_tenant(tenant) && tenant != PERSONAL_ACCOUNTS && issuer == of(template, tenant)
            }),
        }
    }

    /// Whether `issuer` may stand in the callback (RFC 9207 §2.4), before there is a token that says more.
    #[must_use]
    pub fn admits_callback(&self, issuer: &str) -> bool {
        let template = self.as_metadata();
        let tenant = template.split_once(PLACEHOLDER).and_then(|(before, after)| {
            issuer.strip_prefix(before).and_then(|issuer| issuer.strip_suffix(after))
        });
        issuer == template || self.admits(issuer, tenant)
    }
}

/// An issuer with its directory in the placeholder's stead: signing keys of Microsoft's carry one, too.
#[must_use]
pub fn of(template: &str, tenant: &str) -> String {
    template.replace(PLACEHOLDER, tenant)
}

/// In the one spelling that Microsoft has: nothing else may get into an issuer by `tid`.
fn is_tenant(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "https://login.example/{tenantid}/v2.0";
    const TENANT: &str = "0f9d1b7e-4c2a-4a57-8f3e-2b6c1d0e9a85";

    #[test]
    fn a_directory_is_what_tid_says_and_nothing_else() {
        let any = ExpectedIssuer::AnyTenant(TEMPLATE.into());
        let issuer = of(TEMPLATE, TENANT);
        assert!(any.admits(&issuer, Some(TENANT)) && any.admits_callback(&issuer));
        assert!(!any.admits(&issuer, None));
        assert!(!any.admits(&issuer, Some(PERSONAL_ACCOUNTS)));
        assert!(!any.admits(TEMPLATE, Some("{tenantid}")));
        for tenant in ["common", "", "x/../y", &TENANT.to_uppercase(), &TENANT.replace('-', "")] {
            assert!(!any.admits(&of(TEMPLATE, tenant), Some(tenant)), "{tenant}");
        }
        for issuer in
            ["https://login.example/evil/v2.0", "https://evil.example/v2.0", "", "https://login.example/"]
        {
            assert!(!any.admits_callback(issuer), "{issuer}");
        }
    }

    #[test]
    fn organizations_leave_personal_accounts_out() {
        let personal = of(TEMPLATE, PERSONAL_ACCOUNTS);
        assert!(ExpectedIssuer::AnyTenant(TEMPLATE.into()).admits(&personal, Some(PERSONAL_ACCOUNTS)));
        let organizations = ExpectedIssuer::AnyOrganization(TEMPLATE.into());
        assert!(!organizations.admits(&personal, Some(PERSONAL_ACCOUNTS)));
        assert!(organizations.admits(&of(TEMPLATE, TENANT), Some(TENANT)));
    }

    #[test]
    fn an_exact_issuer_is_equal_to_the_letter() {
        let exact = ExpectedIssuer::Exactly("https://id.example".into());
        assert!(exact.admits("https://id.example", None));
        for other in
            ["https://id.example/", "https://ID.example", "http://id.example", "https://id.example.evil"]
        {
            assert!(!exact.admits(other, None) && !exact.admits_callback(other), "{other}");
        }
    }
}
