//! Whether a passkey that is shown counts: the ceremony, the signature, the counter.

use super::ceremony::{Ceremony, Purpose, origins};
use crate::crypto::seal::Sealer;
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::id::UserId;
use crate::domain::mail::MailKind;
use crate::domain::passkey::KeyStorage;
use crate::error::Fault;
use crate::store::tables::passkeys::StoredPasskey;
use crate::store::tables::{passkeys, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::mail::compose::MailWriter;
use crate::webauthn::{
    self, AuthenticationResponse, RelyingParty, Stored, UserHandle, UserVerification, authenticate,
};
use serde_json::Value;
use std::sync::Arc;

/// A passkey as a person shows it, unjudged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownPasskey {
    pub ceremony: String,
    /// `AuthenticationResponseJSON`.
    pub credential: Value,
}

/// What a passkey is shown for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum Use {
    /// By itself: the device must have verified who is there, and say whose passkey it is.
    Alone,
    /// By itself, by somebody who is signed in already.
    AloneBy(UserId),
    /// After the first factor of this user.
    SecondStep(UserId),
}

/// What it came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum PasskeyVerdict {
    Right { user: UserId, storage: KeyStorage },
    Wrong,
}

/// Checks passkeys inside a transaction.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct PasskeyCheck {
    sealer: Arc<Sealer>,
    enabled: bool,
    rp_id: String,
    origins: Vec<String>,
    writer: MailWriter,
}

impl PasskeyCheck {
    pub(in crate::usecase) fn new(app: &App) -> Self {
        Self {
            sealer: Arc::clone(&app.passkey_sealer),
            enabled: app.config.passkeys.enabled,
            rp_id: app.config.passkeys.rp_id.clone(),
            origins: origins(&app.config),
            writer: MailWriter::new(app),
        }
    }

    /// Judges a passkey, and notes its use. The ceremony is spent whatever comes of it. A refusal is in the
    /// log.
    pub(in crate::usecase) fn spend(
        &self,
        tx: &mut Tx<'_>,
        shown: &ShownPasskey,
        for_use: Use,
    ) -> Result<PasskeyVerdict, Fault> {
        let known = self.spend_ceremony(tx, shown, for_use)?;
        let found = match known {
            Some((ceremony, response)) => {
                self.find(tx, &response, for_use)?.map(|passkey| (ceremony, response, passkey))
            }
            None => None,
        };
        let Some((ceremony, response, passkey)) = found else {
            let subject = for_use.user().map_or_else(Subject::default, Subject::from);
            tx.audit(&Event::LoginFailed { why: LoginFailure::UnknownPasskey, email: None }, subject)?;
            return Ok(PasskeyVerdict::Wrong);
        };
        let judged = self.judge(&ceremony, &response, &passkey, for_use);
        let checked = match judged {
            Ok(assertion) => {
                let storage = KeyStorage::of(assertion.backed_up);
                let saved = passkeys::save_use(tx, &passkey, assertion.sign_count, assertion.backed_up)?;
                // A counter that has moved on meanwhile is one that doesn't go on from here.
                if saved { Ok(storage) } else { Err(webauthn::Fault::Counter) }
            }
            Err(fault) => Err(fault),
        };
        match checked {
            Ok(storage) => Ok(PasskeyVerdict::Right { user: passkey.passkey.user, storage }),
            Err(fault) => {
                self.note_refusal(tx, &passkey, fault)?;
                Ok(PasskeyVerdict::Wrong)
            }
        }
    }

    fn spend_ceremony(
        &self,
        tx: &mut Tx<'_>,
        shown: &ShownPasskey,
        for_use: Use,
    ) -> Result<Option<(Ceremony, AuthenticationResponse)>, Fault> {
        let ceremony = Ceremony::open(&self.sealer, &shown.ceremony);
        let Some(ceremony) = ceremony.filter(|ceremony| self.enabled && for_use.takes(&ceremony.purpose))
        else {
            return Ok(None);
        };
        if !ceremony.spend(tx)? {
            return Ok(None);
        }
        let response = AuthenticationResponse::parse(&shown.credential).ok();
        Ok(response.map(|response| (ceremony, response)))
    }

    /// The passkey that is said to have signed, if it is one of this domain's and of whoever shows it.
    fn find(
        &self,
        tx: &Tx<'_>,
        response: &AuthenticationResponse,
        for_use: Use,
    ) -> Result<Option<StoredPasskey>, Fault> {
        let found = passkeys::find_by_credential(tx, response.credential_id())?;
        Ok(found.filter(|found| {
            let passkey = &found.passkey;
            passkey.rp_id == self.rp_id && for_use.user().is_none_or(|user| user == passkey.user)
        }))
    }

    fn judge(
        &self,
        ceremony: &Ceremony,
        response: &AuthenticationResponse,
        passkey: &StoredPasskey,
        for_use: Use,
    ) -> Result<webauthn::Assertion, webauthn::Fault> {
        let handle = passkey.user_handle.as_slice();
        let (user_handle, verification) = match for_use {
            Use::Alone => (UserHandle::Discovered(handle), UserVerification::Required),
            Use::AloneBy(_) => (UserHandle::Known(handle), UserVerification::Required),
            Use::SecondStep(_) => (UserHandle::Known(handle), UserVerification::Preferred),
        };
        let stored = Stored {
            id: &passkey.credential_id,
            public_key: &passkey.public_key,
            sign_count: passkey.sign_count,
            backup_eligible: passkey.backup_eligible,
            user_handle,
        };
        let party = RelyingParty { rp_id: &self.rp_id, origins: &self.origins };
        authenticate(&party, &ceremony.challenge, verification, &stored, response)
    }

    /// Writes down which check failed. Its owner is told where there may be a copy of the passkey.
    fn note_refusal(
        &self,
        tx: &mut Tx<'_>,
        passkey: &StoredPasskey,
        fault: webauthn::Fault,
    ) -> Result<(), Fault> {
        let (id, owner) = (passkey.passkey.id.to_string(), passkey.passkey.user);
        tx.audit(&Event::PasskeyRefused { passkey: id, check: fault.code() }, owner)?;
        if fault == webauthn::Fault::Counter
            && let Some(user) = users::find(tx, owner)?
        {
            self.writer.notice(tx, MailKind::PasskeyRefused).queue(tx, user.id, &user.email)?;
        }
        Ok(())
    }
}

impl Use {
    /// Whether a ceremony was begun for this.
    fn takes(self, purpose: &Purpose) -> bool {
        match (self, purpose) {
            (Self::Alone | Self::AloneBy(_), Purpose::SignIn) => true,
            (Self::SecondStep(user), Purpose::SecondStep { user: of }) => user == *of,
            (Self::Alone | Self::AloneBy(_) | Self::SecondStep(_), _) => false,
        }
    }

    /// Whose passkey it must be. `None`: anybody's.
    const fn user(self) -> Option<UserId> {
        match self {
            Self::Alone => None,
            Self::AloneBy(user) | Self::SecondStep(user) => Some(user),
        }
    }
}
