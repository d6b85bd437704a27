//! What a front end of somebody's own gets for the code that a sign-in with a provider ended in.

use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::audit::{Event, LoginFailure};
use crate::domain::caller::Caller;
use crate::domain::secret::Secret;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::oauth_codes::{self, OauthCode};
use crate::store::tables::users;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::signin::first_step::{FirstStep, Passed};
use crate::usecase::signin::lockout::Attempt;
use crate::usecase::signin::login::LoggedIn;
use crate::usecase::signin::proof::FirstFactor;
use data_encoding::BASE64URL_NOPAD;
use std::time::Duration;

/// What a code begins with.
pub(super) const CODE_PREFIX: &str = "authd_oc_";

/// How long a code is good.
pub const CODE_TTL: Duration = Duration::from_secs(60);

/// Spends a code and signs in, for whoever has the verifier that it was begun with.
///
/// # Errors
/// `invalid_token` when the code is wrong, spent or too old, or the verifier is another; `account_disabled`;
/// the store's.
pub fn exchange(
    app: &App,
    caller: &Caller,
    code: &str,
    verifier: &Secret<String>,
) -> Result<LoggedIn, Error> {
    let code = opaque::parse(CODE_PREFIX, code).ok_or(Refusal::InvalidLink)?;
    let challenge = BASE64URL_NOPAD.encode(&opaque::sha256(verifier.expose()));
    // Of nobody so far: whose it is, the code says.
    let attempt = Attempt::new(app, caller, String::new());
    let (step, tickets) = FirstStep::new(app, caller, FirstFactor::Federated);
    let passed = app.store.write(caller, move |tx| spend(tx, &code, &challenge, &step, &attempt))?;
    Ok(tickets.logged_in(passed))
}

fn spend(
    tx: &mut Tx<'_>,
    code: &OpaqueHash,
    challenge: &str,
    step: &FirstStep,
    attempt: &Attempt,
) -> Result<Decision<Passed>, Fault> {
    let refused = Ok(Decision::Refuse(Refusal::InvalidLink));
    // It is spent also by a wrong verifier: whoever has the code without it has stolen it.
    let Some(OauthCode { user, code_challenge, provider }) = oauth_codes::spend(tx, code)? else {
        return refused;
    };
    if code_challenge != challenge {
        return refused;
    }
    let Some(user) = users::find(tx, user)? else {
        return refused;
    };
    if user.disabled_at.is_some() {
        tx.audit(&Event::LoginFailed { why: LoginFailure::Disabled, email: None }, user.id)?;
        return Ok(Decision::Refuse(Refusal::AccountDisabled));
    }
    let attempt = attempt.at(user.email.key());
    Ok(Decision::Grant(step.pass(tx, &attempt, user, &provider)?))
}
