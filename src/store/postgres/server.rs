//! A database on a server that is open for reading and writing.

use super::address::Address;
use super::pool::Pool;
use super::schema;
use super::session::Session;
use super::writer::Writers;
use crate::error::Fault;
use crate::ports::Clock;
use crate::store::driver::Driver;
use crate::store::tx::Reader;
use crate::store::version::check_current;
use std::sync::Arc;

#[derive(Debug)]
pub(in crate::store) struct OpenServer {
    pub writers: Writers,
    pool: Pool,
}

impl OpenServer {
    /// Opens a database that has authd's schema.
    pub(in crate::store) fn new(address: &Address, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let session = Session::connect(address)?;
        schema::check_settings(&session)?;
        check_current(schema::version_of(&session)?)?;
        schema::check_objects(&session)?;
        let address = Arc::new(address.clone());
        Ok(Self {
            pool: Pool::new(&address, address.readers),
            writers: Writers::new(&address, clock, address.writers)?,
        })
    }

    pub(in crate::store) fn read<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let session = self.pool.session()?;
        work(&Reader::new(Driver::Postgres(&session)))
    }
}
