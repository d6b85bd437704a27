//! The pool of read-only connections.

use super::connection::{Connection, open_readable};
use super::damage::Damage;
use super::fault::fault;
use crate::error::Fault;
use r2d2::{ManageConnection, PooledConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub struct Pool(r2d2::Pool<Readers>);

#[derive(Debug)]
pub(in crate::store) struct Readers {
    path: PathBuf,
    damage: Arc<Damage>,
}

impl ManageConnection for Readers {
    type Connection = Connection;
    type Error = Fault;

    fn connect(&self) -> Result<Connection, Fault> {
        open_readable(&self.path).map(|connection| connection.noting_in(&self.damage))
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), Fault> {
        connection.driver.query_row("SELECT 1", [], |_| Ok(())).map_err(fault)
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}

impl Pool {
    pub(in crate::store) fn new(path: &Path, size: u32, damage: &Arc<Damage>) -> Result<Self, Fault> {
        let pool = r2d2::Pool::builder()
            .max_size(size)
            // A connection is opened when the first reader comes, and kept from then on.
            .min_idle(Some(0))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(5))
            .build_unchecked(Readers { path: path.to_owned(), damage: Arc::clone(damage) });
        Ok(Self(pool))
    }

    pub(in crate::store) fn connection(&self) -> Result<PooledConnection<Readers>, Fault> {
        self.0
            .get()
            .map_err(|error| Fault::StorageUnavailable(format!("the database can't be read: {error}")))
    }
}
