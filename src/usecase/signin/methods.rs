//! By what somebody can do their second step.

use crate::config::Config;
use crate::domain::passkey::Passkey;
use crate::domain::user::User;
use crate::error::Fault;
use crate::store::tables::passkeys;
use crate::store::tx::Query;

/// What a second step takes. A recovery code stands for either.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Methods {
    /// A code from the app.
    pub totp: bool,
    /// A passkey of this domain.
    pub passkey: bool,
}

/// Which passkeys can be used: those of the domain that is configured, while they are on.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct UsablePasskeys {
    /// `None`: passkeys are off.
    rp_id: Option<String>,
}

impl UsablePasskeys {
    pub(in crate::usecase) fn of(config: &Config) -> Self {
        let passkeys = &config.passkeys;
        Self { rp_id: passkeys.enabled.then(|| passkeys.rp_id.clone()) }
    }

    /// Whether this one can be used.
    pub(in crate::usecase) fn takes(&self, passkey: &Passkey) -> bool {
        self.rp_id.as_ref() == Some(&passkey.rp_id)
    }

    /// Counts those of somebody.
    pub(in crate::usecase) fn count(&self, query: &impl Query, user: &User) -> Result<usize, Fault> {
        if self.rp_id.is_none() || user.passkeys == 0 {
            return Ok(0);
        }
        let all = passkeys::list_of(query, user.id)?;
        Ok(all.iter().filter(|one| self.takes(&one.passkey)).count())
    }
}

impl Methods {
    pub(in crate::usecase) fn of(
        query: &impl Query,
        user: &User,
        passkeys: &UsablePasskeys,
    ) -> Result<Self, Fault> {
        Ok(Self { totp: user.totp_at.is_some(), passkey: passkeys.count(query, user)? > 0 })
    }
}
