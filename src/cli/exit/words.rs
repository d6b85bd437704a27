//! The words of refusals and faults in a shell: what happened, and which command helps. HTTP's advice (log in
//! again, send a header) is for programs and people on the other side, and never shown here.

use crate::error::{Fault, Refusal};

/// What a refusal says to an operator: what happened, and the command that helps.
pub(super) fn of_refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::InvalidToken => "the token is not valid (any more); `authctl token inspect` says why".into(),
        Refusal::InvalidLink => "this link is not valid (any more); `authctl user reset-link` makes a new one".into(),
        Refusal::InvalidTicket => "the ticket is not valid (any more); it counts for 5 minutes, once".into(),
        Refusal::Unauthenticated => "this is for somebody who is known; run it as an operator".into(),
        Refusal::InvalidCode => {
            "the code is not valid (any more); wait for the next one, and see that the phone's clock is right".into()
        }
        Refusal::FreshLoginRequired => {
            "this is for whoever has proven a moment ago who they are; run it as an operator".into()
        }
        Refusal::TwoFactorSetupRequired => {
            "this account must have a second factor before it can do anything else; `authctl totp enroll` sets one up"
                .into()
        }
        Refusal::EmailNotVerified => {
            "the e-mail address is not verified yet; `authctl user edit USER --verified` takes it as verified".into()
        }
        Refusal::AccountDisabled => "this account is disabled; `authctl user enable` lets it in again".into(),
        Refusal::RegistrationClosed => {
            "registration is closed here; `authctl user add EMAIL --invite` makes an account".into()
        }
        Refusal::NotFound { what, .. } => match where_to_look(what) {
            Some(step) => format!("{refusal}; {step}"),
            None => refusal.to_string(),
        },
        Refusal::AppNotAllowed { app } => format!(
            "the application {app} is not open to this account; `authctl role assign` or `authctl app edit` opens it"
        ),
        Refusal::EmailTaken => {
            "another account has this e-mail address; use another one, or change that account with `authctl user edit`"
                .into()
        }
        Refusal::AlreadyEnabled => "the second factor is on already; `authctl totp reset` takes it away first".into(),
        Refusal::LastAdmin => {
            "this is the last enabled admin; give another user the role first: `authctl role assign USER admin`".into()
        }
        Refusal::BadCursor => "this cursor was not made by this server; begin anew without --after".into(),
        Refusal::PasswordRequired => {
            "registrations with different passwords wait for this address; name one by its id: \
             `authctl registration list`"
                .into()
        }
        Refusal::IdentityInUse => {
            "this identity signs in to another account; `authctl identity unlink` takes it from there first".into()
        }
        Refusal::LastWayIn => {
            "nothing else would sign in to the account; `authctl user passwd` gives it a password first, --yes unlinks it all the same".into()
        }
        Refusal::ProviderFailed => {
            "the provider did not answer as it must; `authctl provider test` looks for the reason".into()
        }
        Refusal::ProviderRefused => {
            "the provider signed nobody in, or the person said no there; try again, or another way".into()
        }
        Refusal::LinkRequired => {
            "the provider's e-mail address belongs to an account here; `authctl identity link` links it to that".into()
        }
        Refusal::EmailRequired => {
            "the provider stated no e-mail address; make an account and link it: `authctl identity link`".into()
        }
        // These say to anybody what to do next.
        Refusal::StateMismatch
        | Refusal::DomainNotAllowed
        | Refusal::InvalidCredentials
        | Refusal::WrongPassword
        | Refusal::TooManyAttempts { .. }
        | Refusal::Forbidden { .. }
        | Refusal::RoleRequired { .. }
        | Refusal::AlreadyExists { .. }
        | Refusal::Conflict { .. }
        | Refusal::BuiltInRole { .. }
        | Refusal::Invalid(_)
        | Refusal::WeakPassword { .. } => refusal.to_string(),
    }
}

/// What a fault says to an operator; where its text stops short of what to do next, who looks for it.
pub(super) fn of_fault(fault: &Fault) -> String {
    let text = fault.to_string();
    let advised = text.contains("; ");
    match fault {
        Fault::StorageUnavailable(_) | Fault::Storage(_) | Fault::Internal(_) if !advised => {
            format!("{text}; `authctl doctor` looks for what is wrong")
        }
        Fault::StorageUnavailable(_)
        | Fault::Storage(_)
        | Fault::Internal(_)
        | Fault::Overloaded { .. }
        | Fault::CheckFailed(_)
        | Fault::Stopped(_)
        | Fault::Permission(_)
        | Fault::Config(_) => text,
    }
}

/// What to do when there is no such thing. `None`: the words say it already.
fn where_to_look(what: &str) -> Option<&'static str> {
    Some(match what {
        "user" => "`authctl user list` shows who is there",
        "role" => "`authctl role list` shows those there are",
        "access token" => {
            "`authctl token inspect` says what a token is, and --token-stdin revokes it by its text"
        }
        "session" => "`authctl token list` shows those that are alive",
        "application" => "`authctl app list` shows those there are",
        "API key" => "`authctl apikey list` shows those there are",
        "provider" => "`authctl provider list` shows those of the configuration",
        "signing key" => "`authctl key list` shows those there are",
        "registration" => "`authctl registration list` shows those that wait",
        "identity" => "`authctl identity list USER` shows those of a user",
        "passkey" => "`authctl passkey list USER` shows those of a user",
        "mail" => "`authctl mail list` shows those there are",
        "active second factor of" => "`authctl totp enroll` sets one up",
        "event" => "docs/audit-events.md lists them, such as LoginFailed",
        "file" => "check the name and the folder",
        "configuration file" => "check the name, or let `authctl config init` write one",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_says_where_to_look() {
        let detail = |what| of_refusal(&Refusal::not_found(what, "x"));
        assert_eq!(detail("user"), "there is no user x; `authctl user list` shows who is there");
        assert_eq!(detail("database"), "there is no database x", "whoever refuses with this says more");
    }

    #[test]
    fn a_fault_without_advice_is_sent_to_the_doctor() {
        let detail = |text: &str| of_fault(&Fault::Internal(text.into()));
        assert_eq!(detail("it broke"), "it broke; `authctl doctor` looks for what is wrong");
        assert_eq!(detail("it broke; mend it"), "it broke; mend it");
    }
}
