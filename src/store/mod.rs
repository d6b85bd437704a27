//! All SQL: one file a table family, and `tx.rs`, the seam to the drivers. Reads go to a pool of read-only
//! connections; every change is a job of a writer. The database is a file of SQLite's, or on a server of
//! PostgreSQL's: one text of SQL is right on both.

pub mod audit;
mod column;
pub mod copy;
mod driver;
mod job;
pub mod page;
pub mod postgres;
pub mod row;
pub mod schema;
pub mod sqlite;
pub mod tables;
pub mod tx;
pub mod value;
pub mod version;

use crate::counters::{Counter, Family};
use crate::domain::audit::EventClass;
use crate::domain::caller::Caller;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault};
use crate::ports::Clock;
use crate::ports::progress::Progress;
use audit::chain::Chain;
use audit::inbox::Sealing;
use driver::Driver;
pub use job::WriterCounters;
use job::{Job, Receipt, job};
use postgres::address::Address;
use postgres::schema::Place;
use postgres::server::OpenServer;
pub use postgres::server::{Connected, Gather};
use postgres::session::Session;
use sqlite::database::OpenFile;
use sqlite::{connection, snapshot};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tx::{Reader, Tx};

/// One database, open for reading and writing.
pub struct Store {
    backend: Backend,
    chain: Arc<Chain>,
    events: Arc<Family<EventClass, Counter>>,
    logged: Arc<OnceLock<Bell>>,
}

/// What is told when lines of the audit log were committed.
type Bell = Box<dyn Fn() + Send + Sync>;

#[derive(Debug)]
enum Backend {
    File(OpenFile),
    Server(Box<OpenServer>),
}

impl Store {
    /// Opens an existing database file, up to `readers` read connections.
    ///
    /// # Errors
    /// [`Fault::Storage`] when the file is damaged, or its schema is of another version than this binary's;
    /// [`Fault::CheckFailed`] when somebody has changed it;
    /// [`Fault::StorageUnavailable`] when it can't be opened or written.
    pub fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        chain_key: &Secret<[u8; 32]>,
        readers: u32,
    ) -> Result<Self, Fault> {
        Ok(Self::on(Backend::File(OpenFile::new(path, clock, readers)?), chain_key))
    }

    /// Opens an existing database on a server.
    ///
    /// # Errors
    /// As [`Store::open`]; [`Fault::Config`] for a server that may lose what it has acknowledged.
    pub fn open_on_server(
        connected: Connected,
        clock: Arc<dyn Clock>,
        chain_key: &Secret<[u8; 32]>,
    ) -> Result<Self, Fault> {
        let store = Self::open_on_server_unseen(connected, clock, chain_key)?;
        store.read(|query| schema::check_objects(query))?;
        Ok(store)
    }

    /// Opens a database on a server as it is, though somebody may have changed its schema: for whoever
    /// looks what is wrong with it.
    ///
    /// # Errors
    /// As [`Store::open_on_server`].
    pub fn open_on_server_unseen(
        connected: Connected,
        clock: Arc<dyn Clock>,
        chain_key: &Secret<[u8; 32]>,
    ) -> Result<Self, Fault> {
        Ok(Self::on(Backend::Server(Box::new(OpenServer::new(connected, clock)?)), chain_key))
    }

    fn on(backend: Backend, chain_key: &Secret<[u8; 32]>) -> Self {
        let events = Arc::new(Family::new(Counter::default));
        Self { backend, chain: Arc::new(Chain::new(chain_key)), events, logged: Arc::default() }
    }

    /// Makes a whole database, with what `fill` writes, in an empty file that nobody else knows yet. It is
    /// not on disk when this returns: whoever gives the file its name has it synced before.
    ///
    /// # Errors
    /// Those of `fill`, and as [`Store::open`]; what stands in the file is then worth nothing.
    pub fn make(
        path: &Path,
        now: Timestamp,
        caller: &Caller,
        chain_key: &Secret<[u8; 32]>,
        fill: impl FnOnce(&mut Tx<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        sqlite::schema::make(connection::open_unnamed(path)?, &Chain::new(chain_key), now, caller, fill)
    }

    /// Makes the schema in a file that is there and empty. `false`: something stands in it already.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn create(path: &Path, chain_key: &Secret<[u8; 32]>) -> Result<bool, Fault> {
        let connection = connection::open_writable(path)?;
        sqlite::schema::create(&connection, &Chain::new(chain_key))
    }

    /// Makes the schema in an empty database on a server. `false`: it is there already.
    ///
    /// # Errors
    /// As [`Connected::to`], and [`Store::open_on_server`]; [`Fault::Config`] where something else stands in
    /// the database.
    pub fn create_on_server(
        address: &Address,
        now: Timestamp,
        chain_key: &Secret<[u8; 32]>,
    ) -> Result<bool, Fault> {
        Ok(Self::make_on_server(address, now, &Caller::system(), chain_key, |_| Ok(()))?.is_some())
    }

    /// Makes a whole database, with what `fill` writes, in an empty one on a server, in one transaction.
    /// `None`: authd's schema is there already.
    ///
    /// # Errors
    /// Those of `fill`, and as [`Store::create_on_server`].
    pub fn make_on_server<T>(
        address: &Address,
        now: Timestamp,
        caller: &Caller,
        chain_key: &Secret<[u8; 32]>,
        fill: impl FnOnce(&mut Tx<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let session = Session::connect(address)?;
        postgres::schema::make(&session, &Chain::new(chain_key), now, caller, Place::Empty, fill)
    }

    /// Makes a whole database as [`Store::make_on_server`] does, in the place of authd's that is there.
    ///
    /// # Errors
    /// As [`Store::make_on_server`]; then that one is as it was.
    pub fn replace_on_server<T>(
        address: &Address,
        now: Timestamp,
        caller: &Caller,
        chain_key: &Secret<[u8; 32]>,
        fill: impl FnOnce(&mut Tx<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let session = Session::connect(address)?;
        let filled =
            postgres::schema::make(&session, &Chain::new(chain_key), now, caller, Place::Emptied, fill)?;
        filled.ok_or_else(|| Fault::Internal("a database was not replaced".into()))
    }

    /// Brings an older schema up; gives the steps that were taken.
    ///
    /// # Errors
    /// As [`Store::open`]; [`Fault::Stopped`], after which the steps that were taken stay.
    pub fn migrate(
        path: &Path,
        clock: &dyn Clock,
        caller: &Caller,
        chain_key: &Secret<[u8; 32]>,
        progress: &Progress,
    ) -> Result<Vec<sqlite::schema::MigrationStep>, Fault> {
        let mut connection = connection::open_writable(path)?;
        connection.stop_with(progress)?;
        sqlite::schema::migrate(&connection, clock.now(), caller, &Chain::new(chain_key), progress)
    }

    /// Gives the path by which the file was opened. `None`: the database is on a server.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.backend {
            Backend::File(file) => Some(&file.path),
            Backend::Server(_) => None,
        }
    }

    /// Whether the database is on a server: then several daemons may serve it, and a read may wait for
    /// another machine.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Server(_))
    }

    /// Looks whether the file is still there under its name, and sound as far as a short look at it and all
    /// that was met before tell. Of a database on a server the next write tells.
    ///
    /// # Errors
    /// [`Fault::Storage`] where it is damaged; [`Fault::StorageUnavailable`] where it was deleted or
    /// replaced, or can't be read.
    pub fn check_file(&self) -> Result<(), Fault> {
        match &self.backend {
            Backend::File(file) => file.check(),
            Backend::Server(_) => Ok(()),
        }
    }

    /// Gives what the audit log is checked with.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Gives the counters of what this process has written to the audit log.
    #[must_use]
    pub fn events(&self) -> &Family<EventClass, Counter> {
        &self.events
    }

    /// Gives the counters of what writes.
    #[must_use]
    pub fn writer(&self) -> &WriterCounters {
        match &self.backend {
            Backend::File(file) => file.writer.counters(),
            Backend::Server(server) => server.writers.counters(),
        }
    }

    /// Reads without a write lock, on a connection that can't write.
    ///
    /// # Errors
    /// Those of `work`, and [`Fault::StorageUnavailable`] when no connection is to be had.
    pub fn read<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        match &self.backend {
            Backend::File(file) => file.read(work),
            Backend::Server(server) => server.read(work),
        }
    }

    /// Reads a whole database as it is at one moment, however long that takes. Of the audit log it shows
    /// the lines that were sealed.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_whole<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        match &self.backend {
            Backend::File(file) => file.read_whole(work),
            Backend::Server(server) => server.read_whole(work),
        }
    }

    /// Reads a whole database to its end, while nobody can change it; once `work` is done nobody opens it
    /// any more by its name, where it is on a server. A file keeps its name.
    ///
    /// # Errors
    /// Those of `work`, and as [`Store::read`]: then nothing was changed.
    pub fn move_away<T, E: From<Fault>>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.backend {
            Backend::File(file) => file.read_whole(work),
            Backend::Server(server) => server.move_away(&self.chain, work),
        }
    }

    /// Reads the audit log: as [`Store::read`] does, and all lines that were committed before have their
    /// numbers.
    ///
    /// # Errors
    /// As [`Store::read`]; [`Fault::Storage`] where the log doesn't end as it should, so that nothing can
    /// follow.
    pub fn read_log<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.seal_log(Gather::Nothing)?;
        self.read(work)
    }

    /// Gives lines of the audit log that wait for it their numbers and hashes. Where one writer does that
    /// with each change, none wait. Gives how many, and how many of them were none of authd's.
    ///
    /// # Errors
    /// As [`Store::read_log`].
    pub fn seal_log(&self, gather: Gather) -> Result<Sealing, Fault> {
        match &self.backend {
            Backend::File(_) => Ok(Sealing::default()),
            Backend::Server(server) => server.seal_log(&self.chain, gather),
        }
    }

    /// Has `tell` called, on a writer's thread, after each commit that brought lines of the audit log.
    /// Once: who comes later is not told.
    pub fn when_logged(&self, tell: impl Fn() + Send + Sync + 'static) {
        let _ = self.logged.set(Box::new(tell));
    }

    /// Reads as [`Store::read`] does, for one or two rows that are asked for all the time: a thread that
    /// calls [`Store::before_wait`] reads on a connection of its own, without SQLite's locks where it is busy
    /// and nothing was changed.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_snapshot<T>(&self, work: impl Fn(&Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        match &self.backend {
            Backend::File(file) => file.read_snapshot(work),
            Backend::Server(server) => server.read(work),
        }
    }

    /// Says that this thread is about to wait, and holds nothing of the database meanwhile. From the first
    /// time on it has a connection of its own for [`Store::read_snapshot`].
    #[allow(clippy::unused_self, reason = "what rests is a reader of this store")]
    pub fn before_wait(&self) {
        snapshot::release();
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
        work: impl FnMut(&mut Tx<'_>) -> Result<Decision<T>, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        granted(self.submit(caller, work).wait())
    }

    /// Writes as [`Store::write`] does, for a task: `work` is handed to the writer at once, and no thread
    /// waits for it. It runs to its commit even if nobody awaits what comes of it any more.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_later<T, W>(
        &self,
        caller: &Caller,
        work: W,
    ) -> impl Future<Output = Result<T, Error>> + use<T, W>
    where
        T: Send + 'static,
        W: FnMut(&mut Tx<'_>) -> Result<Decision<T>, Fault> + Send + 'static,
    {
        let receipt = self.submit(caller, work);
        async { granted(receipt.arrival().await) }
    }

    fn submit<T: Send + 'static>(
        &self,
        caller: &Caller,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<Decision<T>, Fault> + Send + 'static,
    ) -> Receipt<Decision<T>> {
        let (caller, chain, events) = (caller.clone(), Arc::clone(&self.chain), Arc::clone(&self.events));
        let work = move |driver: Driver<'_>, now| {
            let mut tx = Tx::new(driver, now, &caller, &chain);
            Ok((work(&mut tx)?, tx.close()?))
        };
        // What was rolled back has not happened, so only what is on disk is counted.
        let logged = Arc::clone(&self.logged);
        let (job, receipt) = job(work, move |happened: Vec<(EventClass, u64)>| {
            let is_logged = !happened.is_empty();
            for (class, times) in happened {
                events.of(class).add(times);
            }
            if let (true, Some(tell)) = (is_logged, logged.get()) {
                tell();
            }
        });
        self.hand_in(job);
        receipt
    }

    fn hand_in(&self, job: Box<dyn Job>) {
        match &self.backend {
            Backend::File(file) => file.writer.submit(job),
            Backend::Server(server) => server.writers.submit(job),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("backend", &self.backend).finish_non_exhaustive()
    }
}

fn granted<T>(outcome: Result<Decision<T>, Fault>) -> Result<T, Error> {
    match outcome? {
        Decision::Grant(value) => Ok(value),
        Decision::Refuse(refusal) => Err(refusal.into()),
    }
}

/// Reads from a database that is not opened for more: no thread, no lock, no file that was not there before.
///
/// # Errors
/// Those of `work`; what keeps the file from being read; [`Fault::Storage`] for another schema than this
/// binary's.
pub fn look<T>(path: &Path, work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let connection = connection::open_for_a_look(path)?;
    sqlite::version::check_version(&connection)?;
    work(&Reader::new(Driver::Sqlite(&connection)))
}

/// As [`look`], at a database on a server; each answer of that is waited for no longer than `patience`.
///
/// # Errors
/// As [`look`]; [`Fault::Config`] for a database that was moved, or is somebody else's.
pub fn look_on_server<T>(
    address: &Address,
    patience: Duration,
    work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let session = Session::connect_within(address, patience)?;
    version::check_current(postgres::schema::version_of(&session)?)?;
    work(&Reader::new(Driver::Postgres(&session)))
}
