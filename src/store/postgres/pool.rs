//! The pool of sessions that read: each statement by itself, of what was committed when it began.

use super::address::Address;
use super::session::Session;
use crate::error::Fault;
use r2d2::{ManageConnection, PooledConnection};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long somebody waits for a connection while others have them all, and how often they look meanwhile
/// whether one was refused.
const PATIENCE: Duration = LOOKS_EVERY.saturating_mul(LOOKS);
const LOOKS_EVERY: Duration = Duration::from_millis(50);
const LOOKS: u32 = 100;

#[derive(Debug)]
pub(in crate::store) struct Pool {
    pool: r2d2::Pool<Sessions>,
    failed: Arc<Failed>,
}

#[derive(Debug)]
pub(in crate::store) struct Sessions {
    address: Arc<Address>,
    /// What was open already, for whoever comes first.
    spare: Mutex<Option<Session>>,
    failed: Arc<Failed>,
}

/// How often no connection could be made, and why the last time.
#[derive(Debug, Default)]
struct Failed(Mutex<(u64, Option<Fault>)>);

impl Failed {
    fn lock(&self) -> MutexGuard<'_, (u64, Option<Fault>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ManageConnection for Sessions {
    type Connection = Session;
    type Error = Fault;

    fn connect(&self) -> Result<Session, Fault> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(session) = spare.filter(Session::is_open) {
            return Ok(session);
        }
        Session::connect(&self.address).inspect_err(|fault| {
            let mut failed = self.failed.lock();
            *failed = (failed.0 + 1, Some(fault.clone()));
        })
    }

    /// Without asking the server: who reads finds out, and a question more would double its time.
    fn is_valid(&self, session: &mut Session) -> Result<(), Fault> {
        if session.is_open() {
            return Ok(());
        }
        Err(Fault::StorageUnavailable("the connection to the database server is lost".into()))
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        !session.is_open()
    }
}

impl Pool {
    /// Keeps up to `size` sessions, of which one is there already.
    pub(super) fn new(address: &Arc<Address>, size: u32, first: Session) -> Self {
        let failed = Arc::default();
        let sessions = Sessions {
            address: Arc::clone(address),
            spare: Mutex::new(Some(first)),
            failed: Arc::clone(&failed),
        };
        let pool = r2d2::Pool::builder()
            .max_size(size)
            // A connection is opened when the first reader comes, and kept from then on.
            .min_idle(Some(0))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(true)
            .connection_timeout(PATIENCE)
            .build_unchecked(sessions);
        Self { pool, failed }
    }

    /// Gives a session. The crate would go on trying where a connection was refused; whoever asks is told at
    /// once, and may ask again.
    pub(super) fn session(&self) -> Result<PooledConnection<Sessions>, Fault> {
        let failed_before = self.failed.lock().0;
        for _ in 0..LOOKS {
            if let Ok(session) = self.pool.get_timeout(LOOKS_EVERY) {
                return Ok(session);
            }
            if let (failed, Some(fault)) = &*self.failed.lock()
                && *failed > failed_before
            {
                return Err(fault.clone());
            }
        }
        Err(Fault::StorageUnavailable("all connections to the database server are busy".into()))
    }
}
