//! Writing the audit log, in the same transaction as the change that a line tells of. With one writer a line
//! gets its number and its hash at once; where several write, it is left in the inbox, to be sealed.

use super::append::{append_one, sealed_head};
use super::entry::Entry;
use super::inbox::{Then, leave};
use crate::domain::audit::{Event, EventClass, Subject};
use crate::error::Fault;
use crate::store::driver::Driver;
use crate::store::tx::Tx;
use crate::store::tx::source::Source;

impl Tx<'_> {
    /// Writes a line of the audit log.
    pub fn audit(&mut self, event: &Event, subject: impl Into<Subject>) -> Result<(), Fault> {
        let entry = Entry::new(self.now(), self.caller(), event, &subject.into());
        match self.driver() {
            Driver::Sqlite(_) => {
                let last = sealed_head(self.driver(), self.chain())?;
                append_one(self.driver(), self.chain(), &last, &entry)?;
            }
            Driver::Postgres(_) => self.gather(entry),
        }
        self.note(event.class(), event.times());
        Ok(())
    }

    /// Ends the work of the transaction: nothing but its commit may follow, and that may have been sent with
    /// the last lines of the log. Gives what happened in here, and how often.
    pub(in crate::store) fn close(mut self) -> Result<Vec<(EventClass, u64)>, Fault> {
        let entries = self.take_gathered(0);
        if let Driver::Postgres(session) = self.driver() {
            leave(session, self.chain(), &entries, Then::Commits)?;
        }
        Ok(self.into_happened())
    }

    /// Writes what was gathered after the first `kept` lines, and forgets it: for work that is about to be
    /// undone, so that it costs the same as if it counted.
    pub(in crate::store) fn leave_behind(&mut self, kept: usize) -> Result<(), Fault> {
        let entries = self.take_gathered(kept);
        match self.driver() {
            Driver::Postgres(session) => leave(session, self.chain(), &entries, Then::GoesOn),
            Driver::Sqlite(_) => Ok(()),
        }
    }
}
