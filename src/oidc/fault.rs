//! What can go wrong with a provider, in words for a log line and for `authctl provider test`.

use std::fmt;

/// The longest piece of a provider's own words that is repeated, in characters.
const QUOTED: usize = 120;

/// What was asked of a provider, or said by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Metadata,
    Keys,
    /// The redirect that brings the browser back.
    Callback,
    Token,
    UserInfo,
    /// GitHub's list of addresses.
    Emails,
}

impl Step {
    const fn words(self) -> &'static str {
        match self {
            Self::Metadata => "the metadata document",
            Self::Keys => "the document of its keys",
            Self::Callback => "the way back from it",
            Self::Token => "the token endpoint",
            Self::UserInfo => "the user's document",
            Self::Emails => "the list of addresses",
        }
    }
}

/// Why nobody can be signed in by a provider this time. All but [`ProviderFault::Refused`] are
/// `provider_failed`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProviderFault {
    /// The provider, or the person there, said no (`provider_refused`): the error code of RFC 6749 §4.1.2.1
    /// or §5.2, or the provider's own.
    Refused {
        error: String,
    },
    /// As many requests as may wait for this provider do so already.
    Busy,
    NoAnswer {
        step: Step,
        why: String,
    },
    Status {
        step: Step,
        code: u16,
    },
    /// Not a JSON object (an array, for addresses).
    NotJson {
        step: Step,
    },
    /// A member is missing or not what it should be.
    Member {
        step: Step,
        name: &'static str,
    },
    /// An OAuth error that is the operator's or the provider's business.
    Error {
        step: Step,
        error: String,
    },
    /// The metadata can't be used.
    Metadata {
        why: String,
    },
    /// Another server says that it is the provider (mix-up): `found` is empty where it should say and
    /// doesn't.
    Issuer {
        step: Step,
        expected: String,
        found: String,
    },
    /// The client's secret or key can't be used.
    Secret {
        why: String,
    },
    IdToken(TokenFlaw),
}

/// What is wrong with an ID token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenFlaw {
    Malformed,
    /// The header brings or names a key of its own, or asks for what is not understood.
    Header(&'static str),
    /// The algorithm is not one that the provider's metadata names, or none that is taken at all.
    Algorithm(String),
    /// No key of the provider's has the token's `kid` and suits its algorithm.
    UnknownKey,
    Signature,
    /// A claim is missing, of another type, or not what it must be.
    Claim(&'static str),
}

impl ProviderFault {
    /// Another server's issuer.
    #[must_use]
    pub fn issuer(step: Step, expected: &str, found: &str) -> Self {
        Self::Issuer { step, expected: quoted(expected), found: quoted(found) }
    }
}

impl From<TokenFlaw> for ProviderFault {
    fn from(flaw: TokenFlaw) -> Self {
        Self::IdToken(flaw)
    }
}

/// A stranger's words, bounded and on one line.
#[must_use]
pub fn quoted(text: &str) -> String {
    text.chars().take(QUOTED).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A stable name for each, by which scripts tell them apart.
impl ProviderFault {
    /// The name of this fault: snake_case.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Busy => "busy",
            Self::NoAnswer { .. } => "no_answer",
            Self::Status { .. } => "status",
            Self::NotJson { .. } => "not_json",
            Self::Member { .. } => "member",
            Self::Error { .. } => "error",
            Self::Metadata { .. } => "metadata",
            Self::Issuer { .. } => "issuer",
            Self::Secret { .. } => "secret",
            Self::IdToken(flaw) => match flaw {
                TokenFlaw::Malformed => "id_token_malformed",
                TokenFlaw::Header(_) => "id_token_header",
                TokenFlaw::Algorithm(_) => "id_token_algorithm",
                TokenFlaw::UnknownKey => "id_token_unknown_key",
                TokenFlaw::Signature => "id_token_signature",
                TokenFlaw::Claim(_) => "id_token_claim",
            },
        }
    }
}

impl fmt::Display for ProviderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { error } => write!(f, "it said no: {error}"),
            Self::Busy => f.write_str("too many wait for its answers already"),
            Self::NoAnswer { step, why } => write!(f, "{} can't be had: {why}", step.words()),
            Self::Status { step, code } => write!(f, "{} was answered with status {code}", step.words()),
            Self::NotJson { step } => write!(f, "{} is not the JSON that it should be", step.words()),
            Self::Member { step, name } => {
                write!(f, "in the answer of {} `{name}` is missing or not what it should be", step.words())
            }
            Self::Error { step, error } => write!(f, "{} says {error}", step.words()),
            Self::Metadata { why } => write!(f, "its metadata can't be used: {why}"),
            Self::Issuer { step, expected, found } if found.is_empty() => {
                write!(f, "{} doesn't say whose it is, where it must: {expected}", step.words())
            }
            Self::Issuer { step, expected, found } => {
                write!(f, "{} is {found}'s, not {expected}'s", step.words())
            }
            Self::Secret { why } => write!(f, "the client's secret can't be used: {why}"),
            Self::IdToken(flaw) => write!(f, "its ID token is not good: {flaw}"),
        }
    }
}

impl fmt::Display for TokenFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("it is not a signed JWT in compact form"),
            Self::Header(name) => write!(f, "its header has a `{name}` that is not taken"),
            Self::Algorithm(name) => write!(f, "its algorithm, {name}, is not one to take of this provider"),
            Self::UnknownKey => f.write_str("no key of the provider's has its kid and algorithm"),
            Self::Signature => f.write_str("its signature is wrong"),
            Self::Claim(name) => write!(f, "`{name}` is missing or not what it must be"),
        }
    }
}
