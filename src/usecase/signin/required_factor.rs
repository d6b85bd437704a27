//! Who must have a second factor, and what the tokens of those say who have none yet.

use crate::config::{Config, TwoFactorRequired};
use crate::domain::access::{Standing, administers};
use crate::domain::user::User;

/// How an account stands at this moment, by the configuration and what it holds.
pub(in crate::usecase) fn standing(config: &Config, user: &User) -> Standing {
    if user.has_two_factor() {
        return Standing::Full;
    }
    let must = match config.two_factor.required {
        TwoFactorRequired::Off => false,
        TwoFactorRequired::Admins => administers(user),
        TwoFactorRequired::All => true,
    };
    if must { Standing::SecondFactorDue } else { Standing::Full }
}

/// Ends the audience of tokens that are good for setting up a second factor alone.
const SETUP_ALONE: &str = "#two-factor-setup";

/// The audience of an access token: while a second factor is due another one, so that no program that
/// verifies tokens by itself takes it.
pub(in crate::usecase) fn audience(config: &Config, standing: Standing) -> String {
    let audience = &config.tokens.audience;
    match standing {
        Standing::Full => audience.clone(),
        Standing::SecondFactorDue => format!("{audience}{SETUP_ALONE}"),
    }
}

/// Which of the two audiences a token must have that has this one. The one for the setup alone is as good
/// here: what its account may do now is read at every use.
pub(in crate::usecase) fn expected_audience<'a>(config: &'a Config, shown: &'a str) -> &'a str {
    let ordinary = config.tokens.audience.as_str();
    if shown.strip_suffix(SETUP_ALONE) == Some(ordinary) { shown } else { ordinary }
}
