//! Adding a passkey to one's own account.

use super::password::void_old_proofs;
use super::two_factor::{NewCodes, first_factor, new_codes};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::id::PasskeyId;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::passkey::{KeyStorage, PASSKEYS_MAX, Passkey};
use crate::domain::secret::Secret;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::tables::passkeys::StoredPasskey;
use crate::store::tables::{passkeys, second_factor, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use crate::usecase::mail::compose::QueuedMail;
use crate::usecase::reauthenticate::{Fresh, require_fresh_of_any};
use crate::usecase::signin::passkey::ceremony::{
    self, Begun, Ceremony, Purpose, origins, relying_party, require_enabled,
};
use crate::usecase::signin::proof::{FirstFactor, SecondFactor};
use crate::usecase::signin::session_cookie::{self, CookieParts, SessionCookie};
use crate::usecase::signin::session_start::{Life, life, prove_anew};
use crate::webauthn::{
    self, CreationOptions, Descriptor, NewCredential, OptionsUser, RegistrationResponse, UserVerification,
    creation_options,
};
use serde_json::Value;

/// The length of a user handle, in bytes: as long as it may be, and random, so that it says nothing
/// (§14.6.1).
const HANDLE_LEN: usize = 64;

/// Begins to add a passkey. Whoever has not shown that the address is theirs gets none: the owner of the
/// address would be locked out of it.
///
/// # Errors
/// `fresh_login_required`; `email_not_verified`; `conflict` where there are [`PASSKEYS_MAX`] already;
/// `not_found` while passkeys are off; the store's.
pub fn start(app: &App, caller: &Caller) -> Result<Begun<CreationOptions>, Error> {
    require_enabled(app)?;
    let me = require_fresh_of_any(app, caller)?.me.account.id;
    let (user, all) = app.store.read(|query| Ok((users::find(query, me)?, passkeys::list_of(query, me)?)))?;
    let user = user.ok_or(Refusal::InvalidToken)?;
    check_may_add(&user)?;
    let of_this_domain = |one: &&StoredPasskey| one.passkey.rp_id == app.config.passkeys.rp_id;
    // One an account, so that authenticators know its passkeys for the same account's (§14.6.1).
    let known = all.iter().find(of_this_domain).map(|one| one.user_handle.clone());
    let handle = known.unwrap_or_else(|| draw::<HANDLE_LEN>(app.entropy()).to_vec());
    let purpose = Purpose::Register { user: me, handle: handle.clone() };
    let exclude: Vec<Descriptor<'_>> = all
        .iter()
        .filter(of_this_domain)
        .map(|one| Descriptor { id: &one.credential_id, transports: &one.passkey.transports })
        .collect();
    let name = if user.name.as_str().is_empty() { user.email.as_str() } else { user.name.as_str() };
    let shown = OptionsUser { handle: &handle, name: user.email.as_str(), display_name: name };
    let origins = origins(&app.config);
    let party = relying_party(&app.config, &origins);
    Ok(ceremony::begin(app, purpose, |challenge| {
        creation_options(&party, &app.config.passkeys.rp_name, &shown, challenge, &exclude)
    }))
}

fn check_may_add(user: &User) -> Result<(), Refusal> {
    if user.email_verified_at.is_none() {
        return Err(Refusal::EmailNotVerified);
    }
    if user.passkeys >= PASSKEYS_MAX {
        let reason =
            format!("there are {PASSKEYS_MAX} passkeys already; remove one that is not used any more");
        return Err(Refusal::Conflict { reason });
    }
    Ok(())
}

/// What adding a passkey came to.
#[derive(Clone, Debug)]
pub struct Added {
    pub passkey: Passkey,
    /// Where it is the account's first second factor, shown this once. `None`: there was one before.
    pub recovery_codes: Option<Vec<Secret<String>>>,
    /// In the place of the cookie that the person has shown, which counts no more. `None`: it counts still,
    /// or they showed none.
    pub cookie: Option<SessionCookie>,
}

/// Adds a passkey. Where it is the first second factor, other sessions end, and this one counts as proved
/// with both factors; its access tokens from before the last refresh count no more.
///
/// # Errors
/// `fresh_login_required`; `email_not_verified`; `invalid_token` for a ceremony that is dead or another's;
/// `validation_failed` with `invalid_credential` and the field that is wrong; `already_exists` for a passkey
/// that is known; `conflict` where there are too many; `not_found` while passkeys are off; the store's.
pub fn finish(
    app: &App,
    caller: &Caller,
    ceremony: &str,
    credential: &Value,
    name: &Name,
) -> Result<Added, Error> {
    require_enabled(app)?;
    let fresh = require_fresh_of_any(app, caller)?;
    let opened = Ceremony::open(&app.passkey_sealer, ceremony).ok_or(Refusal::InvalidLink)?;
    let handle = match &opened.purpose {
        Purpose::Register { user, handle } if *user == fresh.me.account.id => handle.clone(),
        Purpose::Register { .. } | Purpose::SignIn | Purpose::SecondStep { .. } => {
            return Err(Refusal::InvalidLink.into());
        }
    };
    let new = judge(app, &opened, credential)
        .map_err(|fault| Refusal::invalid(fault.field(), "invalid_credential", fault.sentence()));
    let NewCodes { shown: codes, hashes } = new_codes(app);
    let adding = Adding {
        fresh,
        ceremony: opened,
        id: PasskeyId::new(app.now(), app.id_entropy()),
        rp_id: app.config.passkeys.rp_id.clone(),
        name: name.clone(),
        handle,
        new,
        hashes,
        notice: compose::notice(app, caller, MailKind::PasskeyAdded),
        life: life(&app.config, FirstFactor::Password.and(SecondFactor::Code)),
    };
    let (passkey, is_first, next) = app.store.write(caller, move |tx| adding.run(tx))?;
    Ok(Added {
        passkey,
        recovery_codes: is_first.then_some(codes),
        cookie: next.map(|next| next.cookie(app)),
    })
}

fn judge(app: &App, ceremony: &Ceremony, credential: &Value) -> Result<NewCredential, webauthn::Fault> {
    let response = RegistrationResponse::parse(credential)?;
    let origins = origins(&app.config);
    let party = relying_party(&app.config, &origins);
    webauthn::register(&party, &ceremony.challenge, UserVerification::Required, &response)
}

/// What is drawn, judged and composed before the transaction.
struct Adding {
    fresh: Fresh,
    ceremony: Ceremony,
    id: PasskeyId,
    rp_id: String,
    name: Name,
    handle: Vec<u8>,
    new: Result<NewCredential, Refusal>,
    hashes: Vec<[u8; 32]>,
    notice: QueuedMail,
    life: Life,
}

type Done = (Passkey, bool, Option<CookieParts>);

impl Adding {
    /// The passkey, whether it is the first second factor, and the next cookie.
    fn run(&self, tx: &mut Tx<'_>) -> Result<Decision<Done>, Fault> {
        let me = &self.fresh.me;
        if let Some(refusal) = self.fresh.lapsed(tx, tx.now())? {
            return Ok(Decision::Refuse(refusal));
        }
        // It is spent whatever is wrong with the rest.
        if !self.ceremony.spend(tx)? {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        }
        let Some(user) = users::find(tx, me.account.id)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        let new = match (&self.new, check_may_add(&user)) {
            (Ok(new), Ok(())) => new,
            (Err(refusal), _) => return Ok(Decision::Refuse(refusal.clone())),
            (_, Err(refusal)) => return Ok(Decision::Refuse(refusal)),
        };
        if passkeys::find_by_credential(tx, &new.id)?.is_some() {
            return Ok(Decision::Refuse(Refusal::AlreadyExists {
                what: "passkey",
                name: "of this device".into(),
            }));
        }
        let stored = self.stored(tx, &user, new);
        passkeys::insert(tx, &stored)?;
        tx.audit(&Event::passkey_added(&stored.passkey), (user.id, me.session))?;
        self.notice.queue(tx, user.id, &user.email)?;
        let is_first = !user.has_two_factor();
        let next = if is_first { self.turn_on(tx, &user, new.backed_up)? } else { None };
        Ok(Decision::Grant((stored.passkey, is_first, next)))
    }

    fn stored(&self, tx: &Tx<'_>, user: &User, new: &NewCredential) -> StoredPasskey {
        StoredPasskey {
            passkey: Passkey {
                id: self.id,
                user: user.id,
                rp_id: self.rp_id.clone(),
                name: self.name.clone(),
                backed_up: new.backed_up,
                transports: new.transports.clone(),
                created_at: tx.now(),
                last_used_at: None,
            },
            credential_id: new.id.clone(),
            public_key: new.public_key.clone(),
            user_handle: self.handle.clone(),
            sign_count: new.sign_count,
            backup_eligible: new.backup_eligible,
        }
    }

    /// From here on logins ask for a second factor.
    fn turn_on(&self, tx: &mut Tx<'_>, user: &User, backed_up: bool) -> Result<Option<CookieParts>, Fault> {
        let me = &self.fresh.me;
        second_factor::replace_recovery_codes(tx, user.id, &self.hashes)?;
        void_old_proofs(tx, user.id, Some(me.session))?;
        let shown = SecondFactor::Passkey(KeyStorage::of(backed_up));
        let proof = first_factor(tx, me.session)?.and(shown);
        prove_anew(tx, me.session, proof, self.life)?;
        session_cookie::rotate(tx, me)
    }
}
