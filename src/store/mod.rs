//! All SQL: one file a table family, and `tx.rs`, the seam to the driver. Reads go to a pool of
//! read-only connections; every change is a job of the one writer.

pub mod audit;
pub mod connection;
pub mod failures;
pub mod keys;
pub mod link_requests;
pub mod links;
pub mod mails;
pub mod meta;
pub mod page;
pub mod pool;
pub mod roles;
pub mod schema;
pub mod second_factor;
pub mod sessions;
pub mod tickets;
pub mod tx;
pub mod users;
mod values;
pub mod writer;

use crate::domain::caller::Caller;
use crate::domain::secret::Secret;
use crate::error::{Decision, Error, Fault};
use crate::ports::Clock;
use pool::Pool;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tx::{Chain, Reader, Tx};
use writer::Writer;

/// One database file, open for reading and writing.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    pool: Pool,
    writer: Writer,
    chain: Arc<Chain>,
}

impl Store {
    /// Opens an existing database, up to `readers` read connections.
    ///
    /// # Errors
    /// [`Fault::Storage`] when the file is damaged, or its schema is not this binary's;
    /// [`Fault::StorageUnavailable`] when it can't be opened or written.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, chain_key: &Secret<[u8; 32]>, readers: u32) -> Result<Self, Fault> {
        let write = connection::open_writable(path)?;
        schema::check_version(&write)?;
        Ok(Self {
            path: path.to_owned(),
            pool: Pool::new(path, readers)?,
            writer: Writer::new(write, clock)?,
            chain: Arc::new(Chain::new(chain_key)),
        })
    }

    /// Makes the schema in a file that is empty or not there, or brings an older one up. Whether it made it.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn create(path: &Path) -> Result<bool, Fault> {
        let connection = connection::create(path)?;
        schema::create(&connection)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads without a write lock, on a connection that can't write.
    ///
    /// # Errors
    /// Those of `work`, and [`Fault::StorageUnavailable`] when no connection is to be had.
    pub fn read<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let connection = self.pool.connection()?;
        work(&Reader::new(&connection))
    }

    /// Runs `work` as one transaction, together with whatever others wait for a commit.
    ///
    /// A refusal commits what was written on the way to it; only a fault rolls back. `work` may run
    /// again, so it has no side effects but on `Tx`: random values are drawn before.
    ///
    /// # Errors
    /// What `work` refused, its fault, or [`Fault::StorageUnavailable`] when nothing could be committed.
    pub fn write<T: Send + 'static>(
        &self,
        caller: &Caller,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<Decision<T>, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        let (caller, chain) = (caller.clone(), Arc::clone(&self.chain));
        let decision = self.writer.run(move |connection, now| work(&mut Tx::new(connection, now, &caller, &chain)))?;
        match decision {
            Decision::Grant(value) => Ok(value),
            Decision::Refuse(refusal) => Err(refusal.into()),
        }
    }
}

/// Reads from a database that is not opened for more: no thread, no lock, no file that was not there before.
///
/// # Errors
/// Those of `work`; what keeps the file from being read; [`Fault::Storage`] for another schema than this
/// binary's.
pub fn look<T>(path: &Path, work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let connection = connection::open_for_a_look(path)?;
    schema::check_version(&connection)?;
    work(&Reader::new(&connection))
}
