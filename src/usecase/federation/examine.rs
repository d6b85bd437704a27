//! Looking whether a provider would do, before somebody signs in by it.

use super::provider::{Check, inspect};
use super::providers;
use crate::domain::caller::Caller;
use crate::error::Error;
use crate::usecase::app::App;
use crate::usecase::require;

/// Looks at all of a provider that can be looked at without a person who signs in. It asks the provider, past
/// all copies.
///
/// # Errors
/// `forbidden` for anybody but an operator; `not_found`. Whatever else goes wrong is a check that isn't good.
pub fn examine(app: &App, caller: &Caller, name: &str) -> Result<Vec<Check>, Error> {
    require(caller, "database:read")?;
    Ok(inspect(app, providers::find(app, name)?))
}
