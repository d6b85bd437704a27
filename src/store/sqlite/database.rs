//! A database file that is open for reading and writing.

use super::damage::Damage;
use super::health::{self, Identity};
use super::pool::Pool;
use super::writer::Writer;
use super::{connection, schema, snapshot, version};
use crate::error::Fault;
use crate::ports::Clock;
use crate::store::driver::Driver;
use crate::store::tx::Reader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug)]
pub(in crate::store) struct OpenFile {
    pub path: PathBuf,
    pool: Pool,
    /// Let go after those that read, which can't fold the write-ahead log back.
    pub writer: Writer,
    damage: Arc<Damage>,
    identity: Identity,
}

impl OpenFile {
    /// Opens an existing file, up to `readers` read connections.
    pub(in crate::store) fn new(path: &Path, clock: Arc<dyn Clock>, readers: u32) -> Result<Self, Fault> {
        let damage = Arc::default();
        let write = connection::open_writable(path)?.noting_in(&damage);
        version::check_version(&write)?;
        schema::check_objects(&write)?;
        Ok(Self {
            path: path.to_owned(),
            pool: Pool::new(path, readers, &damage)?,
            writer: Writer::new(write, clock)?,
            damage,
            identity: Identity::of(path),
        })
    }

    pub(in crate::store) fn check(&self) -> Result<(), Fault> {
        self.damage.check()?;
        self.identity.check()?;
        health::read_through(&self.path)
    }

    pub(in crate::store) fn read<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let connection = self.pool.connection()?;
        work(&Reader::new(Driver::Sqlite(&connection)))
    }

    pub(in crate::store) fn read_whole<T, E: From<Fault>>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.pool.connection()?;
        connection.run("BEGIN")?;
        let outcome = work(&Reader::new(Driver::Sqlite(&connection)));
        connection.run("COMMIT")?;
        outcome
    }

    pub(in crate::store) fn read_snapshot<T>(
        &self,
        work: impl Fn(&Reader<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        snapshot::read(&self.path, &self.damage, &work).unwrap_or_else(|| self.read(work))
    }
}
