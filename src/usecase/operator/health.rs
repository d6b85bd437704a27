//! Whether the daemon can do its work.

use super::fleet;
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault};
use crate::store::schema;
use crate::store::tables::meta;
use crate::usecase::app::App;
use std::sync::atomic::Ordering;

/// Ready when the database takes a write, its schema is still the one that this binary works with (a newer
/// one may have brought it up meanwhile), its files are those that were opened, and no statement has met
/// damage, among them one that reads the schema and each table from the disk. Anybody may ask as often as
/// they like, so there is one probe a second at most, and all who ask within that second share its answer.
///
/// # Errors
/// `storage_unavailable`, and whatever else keeps a write from the disk.
pub fn ready(app: &App) -> Result<(), Error> {
    app.readiness.ask(|| app.elapsed(), || probe(app))
}

fn probe(app: &App) -> Result<(), Error> {
    app.store.check_file()?;
    if app.store.is_shared() {
        fleet::report(app)?;
        return if app.clock_is_off.load(Ordering::Relaxed) { Err(clock_is_off().into()) } else { Ok(()) };
    }
    app.store.write(&Caller::system(), |tx| {
        schema::check(tx)?;
        let now = tx.now();
        meta::save(tx, "probe", &now.as_millis().to_be_bytes())?;
        Ok(Decision::Grant(()))
    })
}

fn clock_is_off() -> Fault {
    Fault::StorageUnavailable(
        "this machine's clock is more than 30 s from the database server's; set both by NTP".into(),
    )
}
