//! Whether anybody else serves the database: what replaces all of it wants to be alone.

use crate::config::{Config, Database};
use crate::error::{Error, Fault};
use crate::store::postgres::address::Address;
use crate::store::tables::daemons;
use crate::store::{Connected, look_on_server};
use crate::usecase::app::database_lock::is_served;
use crate::usecase::app::server_address;
use std::time::Duration;

/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Refuses while a daemon serves the configured database.
///
/// # Errors
/// [`Fault::StorageUnavailable`], which says what to stop.
pub(super) fn check(config: &Config) -> Result<(), Error> {
    match &config.database {
        Database::File(path) if is_served(path)? => Err(Fault::StorageUnavailable(format!(
            "a daemon serves {}; stop it and try again",
            path.display()
        ))
        .into()),
        Database::File(_) => Ok(()),
        Database::Server(url) => Ok(check_server(&server_address::address(config, url)?)?),
    }
}

/// Refuses while a daemon serves a database on a server.
///
/// # Errors
/// [`Fault::StorageUnavailable`], which names the daemons' machines.
pub(super) fn check_server(address: &Address) -> Result<(), Fault> {
    if !Connected::to(address)?.has_schema()? {
        return Ok(());
    }
    let living = look_on_server(address, PATIENCE, |query| daemons::list(query))?;
    let hosts: Vec<String> = living.into_iter().map(|daemon| daemon.host).collect();
    let what = match &hosts[..] {
        [] => return Ok(()),
        [host] => {
            format!("a daemon of {host} serves {address}; stop it, or wait for half a minute if it died")
        }
        _ => format!(
            "{} daemons of {} serve {address}; stop them, or wait for half a minute where one died",
            hosts.len(),
            hosts.join(", ")
        ),
    };
    Err(Fault::StorageUnavailable(format!("{what}, and try again")))
}
