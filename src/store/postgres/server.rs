//! A database on a server that is open for reading and writing.

use super::address::Address;
use super::fault::Met;
use super::pool::Pool;
use super::schema;
use super::session::Session;
use super::writer::Writers;
use crate::error::Fault;
use crate::ports::Clock;
use crate::store::audit::chain::Chain;
use crate::store::audit::inbox::{self, Sealing};
use crate::store::driver::Driver;
use crate::store::tx::Reader;
use crate::store::version::check_current;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[derive(Debug)]
pub(in crate::store) struct OpenServer {
    pub writers: Writers,
    pool: Pool,
    address: Arc<Address>,
    clock: Arc<dyn Clock>,
    /// What seals the audit log, one at a time. `None`: it was not needed yet, or broke.
    sealer: Mutex<Option<Session>>,
}

/// A connection by which a database on a server is looked at before it is opened.
#[derive(Debug)]
pub struct Connected {
    session: Session,
    address: Address,
}

impl Connected {
    /// Connects.
    ///
    /// # Errors
    /// [`Fault::StorageUnavailable`] where there is no server; [`Fault::Config`] for a database that it
    /// doesn't have; [`Fault::Permission`] when it lets nobody in.
    pub fn to(address: &Address) -> Result<Self, Fault> {
        Ok(Self { session: Session::connect(address)?, address: address.clone() })
    }

    /// Whether authd's schema is in the database.
    ///
    /// # Errors
    /// [`Fault::StorageUnavailable`] when the server doesn't answer.
    pub fn has_schema(&self) -> Result<bool, Fault> {
        schema::is_there(&self.session)
    }
}

/// Whether to wait for more lines of the audit log before those that are there are sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gather {
    Nothing,
    /// For a moment, in which many may come that are sealed together.
    Awhile,
}

/// How long that is.
const AWHILE: Duration = Duration::from_millis(20);

/// How a transaction begins that seals. The row of the log's head, which it locks, is what keeps two from
/// doing it at once, so it needs to be no stricter.
const BEGIN_SEALING: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '5s'; \
    SET LOCAL idle_in_transaction_session_timeout = '10s'";

impl OpenServer {
    /// Opens a database that has authd's schema.
    pub(in crate::store) fn new(connected: Connected, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let Connected { session, address } = connected;
        schema::check_settings(&session)?;
        check_current(schema::version_of(&session)?)?;
        let address = Arc::new(address);
        Ok(Self {
            pool: Pool::new(&address, address.readers, session),
            writers: Writers::new(&address, Arc::clone(&clock), address.writers)?,
            address,
            clock,
            sealer: Mutex::default(),
        })
    }

    pub(in crate::store) fn read_whole<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let session = Session::connect(&self.address)?;
        session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", Duration::ZERO);
        let outcome = work(&Reader::new(Driver::Postgres(&session)));
        session.roll_back();
        outcome
    }

    /// Reads all, and marks the database as moved once `work` is done. Nobody changes it meanwhile.
    pub(in crate::store) fn move_away<T, E: From<Fault>>(
        &self,
        chain: &Chain,
        work: impl FnOnce(&Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.seal_log(chain, Gather::Nothing)?;
        let session = Session::connect(&self.address)?;
        session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL lock_timeout = '5s'", Duration::ZERO);
        let moving = || {
            schema::lock_all(&session)?;
            let reader = Reader::new(Driver::Postgres(&session));
            if inbox::count(&reader)?.0 > 0 {
                let text = "lines of the audit log wait to be sealed; stop every daemon, and try again";
                return Err(E::from(Fault::StorageUnavailable(text.into())));
            }
            let done = work(&reader)?;
            schema::mark_moved(&session)?;
            Ok(done)
        };
        session.end(moving())
    }

    /// Seals all lines of the audit log that wait.
    pub(in crate::store) fn seal_log(&self, chain: &Chain, gather: Gather) -> Result<Sealing, Fault> {
        if gather == Gather::Nothing && self.read(|reader| inbox::is_empty(reader))? {
            return Ok(Sealing::default());
        }
        let mut sealer = self.sealer.lock().unwrap_or_else(PoisonError::into_inner);
        let session = match sealer.take().filter(Session::is_open) {
            Some(session) => session,
            None => Session::connect(&self.address)?,
        };
        if gather == Gather::Awhile {
            session.pause(AWHILE);
        }
        let mut all = Sealing::default();
        loop {
            let round = self.seal_round(&session, chain)?;
            all.lines += round.lines;
            all.strange += round.strange;
            if !round.has_more {
                *sealer = Some(session);
                return Ok(all);
            }
        }
    }

    fn seal_round(&self, session: &Session, chain: &Chain) -> Result<Sealing, Fault> {
        session.begin(BEGIN_SEALING, self.clock.elapsed());
        let sealed = session.end(inbox::seal(session, chain, self.clock.now()));
        // One seals at a time: a number that is taken was put there by somebody else.
        sealed.map_err(|fault| if session.met() == Met::Rule { out_of_order() } else { fault })
    }

    pub(in crate::store) fn read<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let session = self.pool.session()?;
        work(&Reader::new(Driver::Postgres(&session)))
    }
}

fn out_of_order() -> Fault {
    Fault::Storage(
        "the audit log doesn't end where it should; run `authctl audit verify`, and restore the last backup"
            .into(),
    )
}
