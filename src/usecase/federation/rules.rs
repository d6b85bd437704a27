//! What becomes of somebody who comes back from a provider: one table, of which nothing else decides.
//!
//! The key of an identity is issuer and subject (OpenID Connect Core §5.7). Nobody is looked for by an
//! address that a provider states, but for one exception: where `link_by_email` is `verified`, and the
//! provider both says that it has verified the address and is the one to say so.

use crate::config::LinkByEmail;
use crate::domain::audit::LoginFailure;
use crate::domain::identity::Claimed;
use crate::error::Refusal;

/// Whose the identity is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// Nobody's here.
    New,
    /// The account's that has the address.
    LinkedHere,
    /// Another account's.
    LinkedElsewhere,
}

/// The account here that has the stated address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Local {
    None,
    /// Nobody has shown that the address is theirs.
    Unverified,
    Verified,
}

/// The address that the provider states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stated {
    Nothing,
    Unverified,
    /// It says verified, and can't know: somebody else gives out that domain's addresses.
    Verified,
    /// It says verified, and is the one to say so.
    Authoritative,
}

impl Stated {
    /// What a provider states.
    #[must_use]
    pub fn of(claimed: &Claimed) -> Self {
        match &claimed.email {
            None => Self::Nothing,
            Some(stated) if stated.verified && stated.authoritative => Self::Authoritative,
            Some(stated) if stated.verified => Self::Verified,
            Some(_) => Self::Unverified,
        }
    }
}

/// Whether somebody without an account gets one: by the provider's `sign_up` and `registration`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignUp {
    Open,
    Closed,
}

/// All that a verdict depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    pub known: Known,
    pub local: Local,
    pub stated: Stated,
    pub sign_up: SignUp,
    pub link_by_email: LinkByEmail,
}

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Signs in to the account that the identity is linked to.
    SignIn,
    /// Makes an account with the address, verified, and signs in to it.
    SignUp,
    /// Makes an account once the link in a mail to the address is opened. An address that has one already
    /// gets a mail that says so instead.
    Confirm,
    /// Links the identity to the account that has the address, and signs in to it.
    Link,
    /// The same with an account whose address nobody had verified: all that was set up on it goes first.
    Claim,
    Refuse(Why),
}

/// Why nobody is signed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    LinkRequired,
    EmailRequired,
    RegistrationClosed,
}

impl Verdict {
    /// Whether a second factor that is on is asked for: always, but where there can be none.
    #[must_use]
    pub const fn asks_second_factor(self) -> bool {
        match self {
            Self::SignIn | Self::Link => true,
            Self::SignUp | Self::Confirm | Self::Claim | Self::Refuse(_) => false,
        }
    }
}

impl Why {
    /// As it is told.
    #[must_use]
    pub const fn refusal(self) -> Refusal {
        match self {
            Self::LinkRequired => Refusal::LinkRequired,
            Self::EmailRequired => Refusal::EmailRequired,
            Self::RegistrationClosed => Refusal::RegistrationClosed,
        }
    }

    /// As the audit log names it.
    #[must_use]
    pub const fn failure(self) -> LoginFailure {
        match self {
            Self::LinkRequired => LoginFailure::LinkRequired,
            Self::EmailRequired => LoginFailure::EmailRequired,
            Self::RegistrationClosed => LoginFailure::SignUpClosed,
        }
    }
}

/// Decides. Whether the address's domain is allowed at all is asked before.
#[must_use]
pub const fn judge(facts: Facts) -> Verdict {
    match facts.known {
        Known::LinkedHere | Known::LinkedElsewhere => return Verdict::SignIn,
        Known::New => {}
    }
    match (facts.stated, facts.local, facts.link_by_email) {
        // Whether the address has an account is not told: its owner gets a mail in either case.
        (Stated::Unverified, _, _) | (_, Local::None, _) => match (facts.sign_up, facts.stated) {
            (SignUp::Closed, _) => Verdict::Refuse(Why::RegistrationClosed),
            (SignUp::Open, Stated::Nothing) => Verdict::Refuse(Why::EmailRequired),
            (SignUp::Open, Stated::Unverified) => Verdict::Confirm,
            (SignUp::Open, Stated::Verified | Stated::Authoritative) => Verdict::SignUp,
        },
        (Stated::Authoritative, Local::Verified, LinkByEmail::Verified) => Verdict::Link,
        (Stated::Authoritative, Local::Unverified, LinkByEmail::Verified) => Verdict::Claim,
        (
            Stated::Nothing | Stated::Verified | Stated::Authoritative,
            Local::Verified | Local::Unverified,
            _,
        ) => Verdict::Refuse(Why::LinkRequired),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_alone_opens_no_account() {
        for local in [Local::Unverified, Local::Verified] {
            for stated in [Stated::Nothing, Stated::Unverified, Stated::Verified, Stated::Authoritative] {
                for sign_up in [SignUp::Open, SignUp::Closed] {
                    let facts = Facts {
                        known: Known::New,
                        local,
                        stated,
                        sign_up,
                        link_by_email: LinkByEmail::Never,
                    };
                    assert!(matches!(judge(facts), Verdict::Refuse(_) | Verdict::Confirm), "{facts:?}");
                    let facts = Facts { link_by_email: LinkByEmail::Verified, ..facts };
                    let opens = !matches!(judge(facts), Verdict::Refuse(_) | Verdict::Confirm);
                    assert_eq!(opens, stated == Stated::Authoritative, "{facts:?}");
                }
            }
        }
    }
}
