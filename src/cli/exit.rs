//! Why a command did not do what was asked, and the exit code that says so; the words stand in `words`.

mod words;

use crate::error::{Error, Fault, Refusal, whole_secs};
use crate::views;
use crate::web::status;
use std::time::Duration;

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
    /// Something differs from what was asked for, as `--exit-code` wants to know. All has been said.
    Differs,
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
            Self::Usage(_) | Self::Ambiguous(_) | Self::Differs => 2,
            Self::Check(_) => 5,
            Self::Closed => 0,
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
            Self::Closed | Self::Differs => None,
        }
    }

    /// What happened and what to do next: in lower case, on one line, without a full stop, with `; ` before
    /// the advice. Several lines where several things are wrong, one each. May hold text that a user typed.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Error(Error::Refused(refusal)) => words::of_refusal(refusal),
            Self::Error(Error::Failed(fault)) => words::of_fault(fault),
            Self::Misspelt { refusal, meant } => format!("{refusal}; did you mean {meant}?"),
            Self::Usage(text) | Self::Check(text) | Self::Ambiguous(text) => text.clone(),
            Self::Declined => "nothing was changed".into(),
            Self::Closed | Self::Differs => String::new(),
        }
    }

    /// The problem object (RFC 9457 §3) that `-o json` shows on stderr: that of the HTTP contract, but for
    /// the advice, which is a shell's. `None`: there is nothing to say.
    #[must_use]
    pub fn problem(&self) -> Option<views::CommandProblem<'_>> {
        let (title, status) = match self {
            Self::Error(Error::Refused(refusal)) | Self::Misspelt { refusal, .. } => {
                (status::title_of_refusal(refusal), status::of_refusal(refusal))
            }
            Self::Error(Error::Failed(fault)) => (fault_title(fault), status::of_fault(fault)),
            // HTTP has none of these; the numbers say whose fault it is.
            Self::Usage(_) => ("Wrong usage", 400),
            Self::Ambiguous(_) => ("Ambiguous", 400),
            Self::Declined => ("Declined", 400),
            Self::Check(_) => ("Check failed", 500),
            Self::Closed | Self::Differs => return None,
        };
        let mut problem = views::command_problem(self.word()?, title, status, self.detail());
        if let Self::Error(Error::Refused(Refusal::Invalid(errors))) = self {
            problem.errors = errors.iter().map(views::field_error).collect();
        }
        problem.retry_after_s =
            self.retry_after().map(|span| u32::try_from(whole_secs(span)).unwrap_or(u32::MAX));
        Some(problem)
    }

    /// How long to wait before the same can be tried again. `None`: waiting alone doesn't help.
    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Error(
                Error::Refused(Refusal::TooManyAttempts { retry_after })
                | Error::Failed(Fault::Overloaded { retry_after }),
            ) => Some(*retry_after),
            _ => None,
        }
    }
}

const fn refusal_code(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::NotFound { .. } => 3,
        Refusal::AlreadyExists { .. }
        | Refusal::EmailTaken
        | Refusal::AlreadyEnabled
        | Refusal::Conflict { .. }
        | Refusal::BuiltInRole { .. }
        | Refusal::IdentityInUse
        | Refusal::LastWayIn
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
        | Refusal::AppNotAllowed { .. }
        | Refusal::EmailNotVerified
        | Refusal::AccountDisabled
        | Refusal::RegistrationClosed
        | Refusal::Invalid(_)
        | Refusal::BadCursor
        | Refusal::PasswordRequired
        | Refusal::ProviderFailed
        | Refusal::ProviderRefused
        | Refusal::StateMismatch
        | Refusal::LinkRequired
        | Refusal::EmailRequired
        | Refusal::DomainNotAllowed
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
        Fault::Stopped(_) => 130,
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
        Fault::Stopped(_) => "stopped",
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
        Fault::Stopped(_) => "Stopped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
            (Fault::Stopped(String::new()).into(), 130, Some("stopped")),
            (Failure::Usage(String::new()), 2, Some("usage")),
            (Failure::Check(String::new()), 5, Some("check_failed")),
            (Failure::Closed, 0, None),
        ] {
            let failure: Failure = failure;
            assert_eq!((failure.exit_code(), failure.word()), (exit, word), "{failure:?}");
        }
    }

    #[test]
    fn the_problem_object_is_that_of_the_http_contract() {
        let failure = Failure::from(Refusal::invalid("email", "invalid", "an address is needed"));
        let expected = json!({
            "type": "urn:authd:problem:validation_failed", "title": "Validation failed", "status": 422,
            "detail": "email: an address is needed", "code": "validation_failed",
            "errors": [{"field": "email", "code": "invalid", "message": "an address is needed"}],
        });
        assert_eq!(json!(failure.problem()), expected);
        let expected = json!({
            "type": "urn:authd:problem:usage", "title": "Wrong usage", "status": 400, "detail": "no",
            "code": "usage",
        });
        assert_eq!(json!(Failure::Usage("no".into()).problem()), expected);
        assert!(Failure::Closed.problem().is_none());
    }
}
