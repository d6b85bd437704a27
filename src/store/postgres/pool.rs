//! The pool of sessions that read: each statement by itself, of what was committed when it began.

use super::address::Address;
use super::session::Session;
use crate::error::Fault;
use r2d2::{ManageConnection, PooledConnection};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub(in crate::store) struct Pool(r2d2::Pool<Sessions>);

#[derive(Debug)]
pub(in crate::store) struct Sessions(Arc<Address>);

impl ManageConnection for Sessions {
    type Connection = Session;
    type Error = Fault;

    fn connect(&self) -> Result<Session, Fault> {
        Session::connect(&self.0)
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
    pub(super) fn new(address: &Arc<Address>, size: u32) -> Self {
        let pool = r2d2::Pool::builder()
            .max_size(size)
            // A connection is opened when the first reader comes, and kept from then on.
            .min_idle(Some(0))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(true)
            .connection_timeout(Duration::from_secs(5))
            .build_unchecked(Sessions(Arc::clone(address)));
        Self(pool)
    }

    pub(super) fn session(&self) -> Result<PooledConnection<Sessions>, Fault> {
        self.0
            .get()
            .map_err(|error| Fault::StorageUnavailable(format!("the database can't be read: {error}")))
    }
}
