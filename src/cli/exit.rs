//! Why a command did not do what was asked, and the exit code and words that say so.

use crate::error::{Error, Fault, Refusal};
use crate::views;
use crate::web::status;
use serde_json::{Value, json};

/// Why a command stops.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// A use-case said no, or could not.
    Error(Error),
    /// As [`Refusal::NotFound`], where a name that is there is near to the one that isn't.
    Misspelt { refusal: Refusal, meant: String },
    /// A beginning of an id that several have; the text shows them.
    Ambiguous(String),
    /// The command line asks for something that can't be; nothing was tried.
    Usage(String),
    /// A check found what it looks for. Its report stands on stdout already.
    Check(String),
    /// The person at the prompt said no; nothing was changed.
    Declined,
    /// The reader of stdout has gone, as `head` does: nothing is left to say, and nothing is wrong.
    Closed,
    /// The failures have been reported already; this is the code of the first.
    Reported(u8),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Error(Error::Refused(refusal))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Error(Error::Failed(fault))
    }
}

impl Failure {
    /// The process's exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Error(Error::Refused(refusal)) | Self::Misspelt { refusal, .. } => refusal_code(refusal),
            Self::Error(Error::Failed(fault)) => fault_code(fault),
            Self::Declined => 1,
            // Nothing was looked for: the command line doesn't say which one.
            Self::Usage(_) | Self::Ambiguous(_) => 2,
            Self::Check(_) => 5,
            Self::Closed => 0,
            Self::Reported(code) => *code,
        }
    }

    /// The word that the message begins with: the problem `code` of the HTTP contract, or where that
    /// says only `internal`, the word that tells an operator where to look. `None`: nothing is said.
    #[must_use]
    pub const fn word(&self) -> Option<&'static str> {
        match self {
            Self::Error(Error::Refused(refusal)) | Self::Misspelt { refusal, .. } => Some(refusal.code()),
            Self::Error(Error::Failed(fault)) => Some(fault_word(fault)),
            Self::Ambiguous(_) => Some("ambiguous"),
            Self::Usage(_) => Some("usage"),
            Self::Check(_) => Some("check_failed"),
            Self::Declined => Some("declined"),
            Self::Closed | Self::Reported(_) => None,
        }
    }

    /// What happened and what to do next. May hold text that a user typed.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Error(Error::Refused(refusal)) => in_a_shell(refusal),
            Self::Error(error) => error.to_string(),
            Self::Misspelt { refusal, meant } => format!("{refusal}; did you mean {meant}?"),
            Self::Usage(text) | Self::Check(text) | Self::Ambiguous(text) => text.clone(),
            Self::Declined => "nothing was changed".into(),
            Self::Closed | Self::Reported(_) => String::new(),
        }
    }

    /// What a problem object says, which is the same here and over HTTP.
    fn told_to_clients(&self) -> String {
        match self {
            Self::Error(Error::Refused(refusal)) => status::detail_of_refusal(refusal),
            _ => self.detail(),
        }
    }

    /// The problem object (RFC 9457 §3) that `-o json` shows on stderr. `None` where plain text is the
    /// better answer: usage errors, as the argument parser's own, and check failures, whose report is JSON.
    #[must_use]
    pub fn problem(&self) -> Option<Value> {
        let (title, status) = match self {
            Self::Error(Error::Refused(refusal)) | Self::Misspelt { refusal, .. } => {
                (status::title_of_refusal(refusal), status::of_refusal(refusal))
            }
            Self::Error(Error::Failed(fault)) => (fault_title(fault), status::of_fault(fault)),
            Self::Usage(_)
            | Self::Ambiguous(_)
            | Self::Check(_)
            | Self::Declined
            | Self::Closed
            | Self::Reported(_) => {
                return None;
            }
        };
        let code = self.word()?;
        let mut problem = json!({
            "type": format!("urn:authd:problem:{code}"), "title": title, "status": status,
            "detail": self.told_to_clients(), "code": code,
        });
        if let Self::Error(Error::Refused(Refusal::Invalid(errors))) = self {
            let errors: Vec<Value> = errors.iter().map(|error| json!(views::field_error(error))).collect();
            problem["errors"] = errors.into();
        }
        Some(problem)
    }
}

/// What a refusal says to an operator: where its own words stop short of what to do next, or speak to the
/// person who has the account, the command that helps.
fn in_a_shell(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotFound { what, .. } => match next_step(what) {
            Some(step) => format!("{refusal}; {step}"),
            None => refusal.to_string(),
        },
        Refusal::EmailTaken => {
            "another account has this e-mail address; use another one, or change that account with `authctl user edit`"
                .into()
        }
        _ => refusal.to_string(),
    }
}

/// What to do when there is no such thing. `None`: the words say it already.
fn next_step(what: &str) -> Option<&'static str> {
    Some(match what {
        "user" => "`authctl user list` shows who is there",
        "role" => "`authctl role list` shows those there are",
        "access token" => {
            "`authctl token inspect` says what a token is, and --token-stdin revokes it by its text"
        }
        "session" => "`authctl token list` shows those that are alive",
        "API key" => "`authctl apikey list` shows those there are",
        "signing key" => "`authctl key list` shows those there are",
        "registration" => "`authctl registration list` shows those that wait",
        "mail" => "`authctl mail list` shows those there are",
        "active second factor of" => "`authctl totp enroll` sets one up",
        "event" => "docs/audit-events.md lists them, such as LoginFailed",
        "file" => "check the name and the folder",
        _ => return None,
    })
}

const fn refusal_code(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::NotFound { .. } => 3,
        Refusal::AlreadyExists { .. }
        | Refusal::EmailTaken
        | Refusal::AlreadyEnabled
        | Refusal::Conflict { .. }
        | Refusal::BuiltInRole { .. }
        | Refusal::LastAdmin => 4,
        Refusal::InvalidToken
        | Refusal::InvalidLink
        | Refusal::InvalidTicket
        | Refusal::Unauthenticated
        | Refusal::InvalidCredentials
        | Refusal::WrongPassword
        | Refusal::InvalidCode
        | Refusal::FreshLoginRequired
        | Refusal::TwoFactorSetupRequired
        | Refusal::TooManyAttempts { .. }
        | Refusal::Forbidden { .. }
        | Refusal::RoleRequired { .. }
        | Refusal::EmailNotVerified
        | Refusal::AccountDisabled
        | Refusal::RegistrationClosed
        | Refusal::Invalid(_)
        | Refusal::BadCursor
        | Refusal::PasswordRequired
        | Refusal::WeakPassword { .. } => 1,
    }
}

const fn fault_code(fault: &Fault) -> u8 {
    match fault {
        Fault::CheckFailed(_) => 5,
        Fault::Overloaded { .. } | Fault::StorageUnavailable(_) => 69,
        Fault::Storage(_) | Fault::Internal(_) => 70,
        Fault::Permission(_) => 77,
        Fault::Config(_) => 78,
    }
}

const fn fault_word(fault: &Fault) -> &'static str {
    match fault {
        Fault::Overloaded { .. } | Fault::StorageUnavailable(_) | Fault::Storage(_) | Fault::Internal(_) => {
            fault.code()
        }
        Fault::CheckFailed(_) => "check_failed",
        Fault::Permission(_) => "permission",
        Fault::Config(_) => "config",
    }
}

/// Says more than over HTTP: whoever reads it has the machine.
const fn fault_title(fault: &Fault) -> &'static str {
    match fault {
        Fault::Overloaded { .. } => "Overloaded",
        Fault::StorageUnavailable(_) => "Storage unavailable",
        Fault::Storage(_) | Fault::Internal(_) => "Internal error",
        Fault::CheckFailed(_) => "Check failed",
        Fault::Permission(_) => "No permission",
        Fault::Config(_) => "Wrong configuration",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        for (failure, exit, word) in [
            (Refusal::not_found("user", "ann@example.com").into(), 3, Some("not_found")),
            (Refusal::EmailTaken.into(), 4, Some("email_taken")),
            (
                Refusal::AlreadyExists { what: "role", name: "editor".into() }.into(),
                4,
                Some("already_exists"),
            ),
            (Refusal::Conflict { reason: "busy".into() }.into(), 4, Some("conflict")),
            (Refusal::LastAdmin.into(), 4, Some("last_admin")),
            (Refusal::BuiltInRole { role: "admin".into() }.into(), 4, Some("built_in_role")),
            (Refusal::WeakPassword { reason: "short".into() }.into(), 1, Some("weak_password")),
            (Fault::Overloaded { retry_after: Duration::from_secs(1) }.into(), 69, Some("overloaded")),
            (Fault::StorageUnavailable(String::new()).into(), 69, Some("storage_unavailable")),
            (Fault::Storage(String::new()).into(), 70, Some("internal")),
            (Fault::Internal(String::new()).into(), 70, Some("internal")),
            (Fault::CheckFailed(String::new()).into(), 5, Some("check_failed")),
            (Fault::Permission(String::new()).into(), 77, Some("permission")),
            (Fault::Config(String::new()).into(), 78, Some("config")),
            (Failure::Usage(String::new()), 2, Some("usage")),
            (Failure::Check(String::new()), 5, Some("check_failed")),
            (Failure::Closed, 0, None),
        ] {
            let failure: Failure = failure;
            assert_eq!((failure.exit_code(), failure.word()), (exit, word), "{failure:?}");
        }
    }

    #[test]
    fn what_is_not_there_says_where_to_look() {
        let detail = |what| Failure::from(Refusal::not_found(what, "x")).detail();
        assert_eq!(detail("user"), "there is no user x; `authctl user list` shows who is there");
        assert_eq!(detail("database"), "there is no database x", "whoever refuses with this says more");
    }

    #[test]
    fn the_problem_object_is_that_of_the_http_contract() {
        let failure = Failure::from(Refusal::invalid("email", "invalid", "an address is needed"));
        let expected = json!({
            "type": "urn:authd:problem:validation_failed", "title": "Validation failed", "status": 422,
            "detail": "email: an address is needed", "code": "validation_failed",
            "errors": [{"field": "email", "code": "invalid", "message": "an address is needed"}],
        });
        assert_eq!(failure.problem(), Some(expected));
        assert_eq!(Failure::Usage("no".into()).problem(), None);
    }
}
