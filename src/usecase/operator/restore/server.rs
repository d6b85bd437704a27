//! Restoring into a database on a server: the backup is made ready in a file of its own, and then copied in
//! the place of what is there, in one transaction.

use super::{Prepared, Restored, Source, StillValid, copy_sound, prepare};
use crate::config::{Config, ServerUrl};
use crate::crypto::root_key::Purpose;
use crate::domain::caller::Caller;
use crate::error::{Error, Fault};
use crate::ports::progress::Progress;
use crate::store::copy::copy;
use crate::store::postgres::address::Address;
use crate::store::sqlite::fault::check_stop;
use crate::store::sqlite::file::DatabaseFile;
use crate::store::{Connected, Store, look_on_server};
use crate::usecase::app::temp_file::TempFile;
use crate::usecase::app::{Ports, files, root_key, server_address};
use crate::usecase::operator::alone;
use std::time::Duration;

/// How long the server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn restore(
    config: &Config,
    url: &ServerUrl,
    ports: &Ports,
    caller: &Caller,
    source: &Source,
    progress: &Progress,
) -> Result<Restored, Error> {
    files::prepare_folder(config)?;
    files::check(config)?;
    let address = server_address::address(config, url)?;
    alone::check_server(&address)?;
    let root = root_key::existing(config)?;
    let beside = files::beside(&config.key_file, ".restore");
    let made = TempFile::beside(&beside, &config.key_file)?;
    let line = copy_sound(source, &made, &root, progress)?;
    let still_valid = still_valid(&address)?;
    let Prepared { steps, ended, withheld, new_signing_key } =
        prepare(config, ports, caller, source, &made, line, &root, still_valid, progress)?;
    check_stop(progress)?;
    let from = DatabaseFile::open(made.path(), progress)?;
    let chain_key = root.derive(Purpose::AuditChain);
    Store::replace_on_server(&address, ports.clock.now(), caller, &chain_key, |tx| {
        copy(&from, tx, progress)
    })?;
    let database = config.database.clone();
    Ok(Restored { database, trust: source.trust, kept: None, line, steps, ended, withheld, new_signing_key })
}

/// `None`: there is no database, or none of this schema.
fn still_valid(address: &Address) -> Result<Option<StillValid>, Fault> {
    if !Connected::to(address)?.has_schema()? {
        return Ok(None);
    }
    match look_on_server(address, PATIENCE, |query| StillValid::read(query)) {
        Err(Fault::Storage(_)) => Ok(None),
        other => other.map(Some),
    }
}
