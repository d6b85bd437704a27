//! Passwords: the policy, asking for a new one, and setting it with a link.

use crate::crypto::opaque;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::{SessionId, UserId};
use crate::domain::link::LinkKind;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::password::Password;
use crate::domain::password_policy::{self, Policy};
use crate::domain::session::Session;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::tables::links;
use crate::store::tables::links::Spent;
use crate::store::tables::sessions::SaltedSession;
use crate::store::tables::{oauth_codes, sessions, tickets, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::mail::{compose, link_requests};
use crate::usecase::require_user;
use crate::usecase::signin::factor::{Factor, FactorCheck, FactorVerdict};
use crate::usecase::signin::lockout::Attempt;
use crate::usecase::signin::password as signin_password;
use crate::usecase::signin::started::Started;

/// Whose password is judged.
#[derive(Clone, Copy, Debug)]
pub(in crate::usecase) struct Owner<'a> {
    pub email: &'a Email,
    pub name: &'a Name,
}

/// Holds a new password against the policy.
pub(in crate::usecase) fn check_policy(
    app: &App,
    password: &Password,
    owner: Owner<'_>,
) -> Result<(), Error> {
    let policy = Policy { min_length: app.config.password.min_length, blocklist: app.blocklist()? };
    let owner = password_policy::Owner {
        email: owner.email,
        name: owner.name.as_str(),
        service: &app.config.totp.issuer,
    };
    let checked = policy.check(password, owner);
    checked.map_err(|weakness| Refusal::WeakPassword { reason: weakness.reason() }.into())
}

/// Holds a new password for somebody of this address and name against the policy, and does nothing else.
///
/// # Errors
/// `weak_password`; [`Fault::Config`] for a list of common passwords that can't be read.
pub fn check(app: &App, password: &Password, email: &Email, name: &Name) -> Result<(), Error> {
    check_policy(app, password, Owner { email, name })
}

/// Says what the policy demands of a new password, for whoever is about to think of one.
#[must_use]
pub fn rule(app: &App) -> String {
    password_policy::rule(app.config.password.min_length)
}

/// Has a link to set a new password sent, if there is such an account. The caller learns nothing either
/// way: see `mail::link_requests`.
///
/// # Errors
/// The store's.
pub fn request_reset(app: &App, caller: &Caller, email: &Email) -> Result<(), Error> {
    link_requests::note(app, caller, LinkKind::ResetPassword, email)
}

/// Spends a reset link or an invitation: the new password holds, every session of the user ends, and
/// the address counts as verified, if the link came by it. The locks of this network end, as after a login:
/// whoever forgot a password has often tried too many before.
///
/// # Errors
/// `invalid_token` when the link is wrong, spent, replaced or too old; `weak_password`, which leaves
/// the link good.
pub fn reset(app: &App, caller: &Caller, token: &str, password: &Password) -> Result<(), Error> {
    let hash = opaque::parse(LinkKind::ResetPassword.prefix(), token).ok_or(Refusal::InvalidLink)?;
    let now = app.now();
    let owner = app.store.read(|query| {
        match links::find_owner(query, LinkKind::ResetPassword.same_effect(), &hash, now)? {
            Some(id) => users::find(query, id),
            None => Ok(None),
        }
    })?;
    let owner = owner.filter(|owner| owner.disabled_at.is_none()).ok_or(Refusal::InvalidLink)?;
    check_policy(app, password, Owner { email: &owner.email, name: &owner.name })?;
    let new_hash = app.gate.hash(password, draw(app.entropy()))?;
    let notice = compose::notice(app, caller, MailKind::PasswordChanged);
    let attempt = Attempt::new(app, caller, owner.email.key());
    app.store.write(caller, move |tx| {
        let Some(Spent { user: id, mailed, .. }) =
            links::spend(tx, LinkKind::ResetPassword.same_effect(), &hash)?
        else {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        };
        users::save_password(tx, id, &new_hash.0)?;
        if mailed && users::save_verified(tx, id)? {
            tx.audit(&Event::EmailVerified, id)?;
        }
        void_old_proofs(tx, id, None)?;
        attempt.clear(tx)?;
        tx.audit(&Event::PasswordReset, id)?;
        notice.queue(tx, id, &owner.email)?;
        Ok(Decision::Grant(()))
    })
}

/// What a person shows to change their password.
#[derive(Clone, Debug)]
pub struct Change {
    pub current: Password,
    pub new: Password,
    /// Where a second factor is on, it is asked for too. `None`: not shown.
    pub factor: Option<Factor>,
}

/// Changes one's own password. This session goes on with new tokens, or a new cookie; all others end.
///
/// # Errors
/// `invalid_credentials`, counted by the lockout; `too_many_attempts`; `invalid_code` where a second
/// factor is on and not shown right; `weak_password`; `overloaded`; the store's.
pub fn change(app: &App, caller: &Caller, change: &Change) -> Result<Started, Error> {
    let me = require_user(caller)?.clone();
    let user = app.store.read(|query| users::find(query, me.account.id))?.ok_or(Refusal::InvalidToken)?;
    check_policy(app, &change.new, Owner { email: &user.email, name: &user.name })?;
    let proven = signin_password::check(app, caller, &user, &change.current)?;
    let new_hash = app.gate.hash(&change.new, draw(app.entropy()))?;
    let notice = compose::notice(app, caller, MailKind::PasswordChanged);
    let (check, factor) = (FactorCheck::new(app, caller), change.factor.clone());
    let (signer, idle) = (current_key::current(app)?, app.lifetime().idle);
    let (user, session, salt) = app.store.write(caller, move |tx| {
        let Some(user) = users::find(tx, me.account.id)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        if users::find_password_hash(tx, me.account.id)?.as_ref() != Some(&proven) {
            return Ok(Decision::Refuse(Refusal::WrongPassword));
        }
        // A session that has ended meanwhile changes nothing any more, and spends nothing; nor does a cookie
        // that was replaced.
        let now = tx.now();
        let counts = |session: &Session| session.is_alive(now, idle) && me.carrier.counts(session.generation);
        let Some(session) = sessions::find(tx, me.session)?.filter(counts) else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        if user.has_two_factor() {
            let shown = factor.as_ref().map(|factor| check.spend(tx, &user, factor)).transpose()?;
            if !matches!(shown, Some(FactorVerdict::Right(_))) {
                return Ok(Decision::Refuse(Refusal::InvalidCode));
            }
        }
        // What was out there of it is replaced, too: access tokens and a cookie count no more, and the
        // refresh token is a used one now.
        sessions::renew(tx, me.session, session.generation)?;
        let Some(SaltedSession { session, salt }) = sessions::find_salted(tx, me.session)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        users::save_password(tx, me.account.id, &new_hash.0)?;
        void_old_proofs(tx, me.account.id, Some(me.session))?;
        tx.audit(&Event::PasswordChanged, (me.account.id, me.session))?;
        notice.queue(tx, me.account.id, &user.email)?;
        Ok(Decision::Grant((user, session, salt)))
    })?;
    Ok(Started { user, session, salt, signer })
}

/// Ends whatever the old password, or somebody who knew it, has begun: sessions (but `except`), logins
/// that wait for their second step, links.
pub(in crate::usecase) fn void_old_proofs(
    tx: &mut Tx<'_>,
    user: UserId,
    except: Option<SessionId>,
) -> Result<(), Fault> {
    sessions::end_of_user(tx, user, except)?;
    tickets::delete_of_user(tx, user)?;
    oauth_codes::delete_of_user(tx, user)?;
    links::delete_of_user(tx, user)
}
