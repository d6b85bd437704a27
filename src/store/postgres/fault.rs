//! What PostgreSQL's errors mean: to an operator, and to a transaction that might be begun once more.

use crate::error::Fault;
use tokio_postgres::error::SqlState;

/// What an error means for the transaction that it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::store) enum Met {
    /// Nothing went wrong.
    Nothing,
    /// Another transaction was in the way: the same may go well now.
    Conflict,
    /// A key that is taken, or that nothing has: two looked for the same row before they made it, or took
    /// away what it refers to. The same may go well now, too.
    Rule,
    /// The connection is gone. Before a commit was sent, the same may go well on another one.
    Lost,
    /// No answer came in time: the connection is good for nothing more, and another one most likely neither.
    Silent,
    /// It would go wrong again.
    Failure,
}

/// Why the connection counts as gone where the server said nothing in time.
pub(super) const SILENT: &str =
    "the database server did not answer in time; look whether it runs, and how busy it is";

/// Says what the driver's error means to an operator.
pub(super) fn fault(error: &tokio_postgres::Error) -> Fault {
    let Some(refusal) = error.as_db_error() else {
        return match met(error) {
            Met::Lost => Fault::StorageUnavailable(format!(
                "the connection to the database server is lost: {}",
                whole(error)
            )),
            Met::Nothing | Met::Conflict | Met::Rule | Met::Silent | Met::Failure => {
                Fault::Internal(format!("the database gave what the code doesn't expect: {}", whole(error)))
            }
        };
    };
    let said = refusal.message();
    match met(error) {
        Met::Conflict => {
            return Fault::StorageUnavailable(
                "the database is busy: others change the same at the same time; try again in a moment".into(),
            );
        }
        Met::Lost => {
            return Fault::StorageUnavailable(format!("the database server ended the connection: {said}"));
        }
        Met::Nothing | Met::Rule | Met::Silent | Met::Failure => {}
    }
    match refusal.code().code() {
        "3D000" => {
            Fault::Config(format!("database: {said}; make it with `createdb`, or set another `database`"))
        }
        "25006" => Fault::StorageUnavailable(
            "the database server takes no changes: it is a standby, or is being moved".into(),
        ),
        "53100" => Fault::StorageUnavailable(
            "the database server's disk is full; make room, nothing needs a restart".into(),
        ),
        code if code.starts_with("28") || code == "42501" => {
            Fault::Permission(format!("the database server refuses it: {said}"))
        }
        // Too many connections, no memory, a lock that was not to be had, a statement that took too long.
        code if ["53", "55", "57"].iter().any(|class| code.starts_with(class)) => {
            Fault::StorageUnavailable(format!("the database server can't do it now: {said}"))
        }
        code if code.starts_with("XX") => Fault::Storage(format!(
            "the database is damaged, or its server has a fault: {said}; look into the server's log"
        )),
        code => Fault::Internal(format!("the database refused: {said} ({code})")),
    }
}

/// Says what an error means for the transaction.
pub(super) fn met(error: &tokio_postgres::Error) -> Met {
    let Some(code) = error.code() else {
        // The driver's own: but for those of a value, all are of the connection.
        let is_of_connection = error.is_closed() || io(error).is_some();
        return if is_of_connection { Met::Lost } else { Met::Failure };
    };
    if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) {
        return Met::Conflict;
    }
    if [SqlState::UNIQUE_VIOLATION, SqlState::FOREIGN_KEY_VIOLATION].contains(code) {
        return Met::Rule;
    }
    // 08: the connection's own; 57P: the server stops, or somebody has ended the session; 25P03: it was
    // silent for too long. 0A000 and 26000: a statement that was prepared is not known, or not so, any
    // more.
    let is_lost = ["08", "57P"].iter().any(|class| code.code().starts_with(class))
        || ["25P03", "0A000", "26000"].contains(&code.code());
    if is_lost { Met::Lost } else { Met::Failure }
}

fn io(error: &tokio_postgres::Error) -> Option<&std::io::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

/// The error with what caused it.
pub(super) fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
