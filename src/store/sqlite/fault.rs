//! What the driver's errors mean to an operator.

use crate::error::Fault;
use crate::ports::progress::Progress;
use rusqlite::ErrorCode;

/// What to do about a damaged database, as it ends the message.
pub const ADVICE: &str = "; restore it from a backup";

/// What to do about a file that is not authd's, as it ends the message.
pub const ADVICE_OF_ANOTHER: &str = "; check the key `database`";

/// Says what a driver's error means.
#[allow(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn fault(error: rusqlite::Error) -> Fault {
    let Some(code) = error.sqlite_error_code() else {
        return Fault::Internal(format!("the database gave what the code doesn't expect: {error}"));
    };
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Fault::StorageUnavailable(
            "the database is busy: another process holds its write lock; try again in a moment".into(),
        ),
        ErrorCode::DiskFull => {
            Fault::StorageUnavailable("the disk is full; make room, nothing needs a restart".into())
        }
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory => {
            Fault::StorageUnavailable(format!("the database can't be used: {error}"))
        }
        ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            Fault::Permission(format!("no permission for the database: {error}"))
        }
        ErrorCode::DatabaseCorrupt => Fault::Storage(format!("the database is damaged: {error}{ADVICE}")),
        ErrorCode::NotADatabase => {
            Fault::Storage(format!("the database is damaged, or is none of SQLite's{ADVICE}"))
        }
        ErrorCode::OperationInterrupted => interrupted(),
        _ => Fault::Internal(format!("the database refused: {error}")),
    }
}

/// What it means that somebody asked for the end.
pub(super) fn interrupted() -> Fault {
    Fault::Stopped("nothing was changed".into())
}

/// Checks whether somebody wants it to stop.
///
/// # Errors
/// [`Fault::Stopped`], when so.
pub fn check_stop(progress: &Progress) -> Result<(), Fault> {
    if progress.is_stopped() { Err(interrupted()) } else { Ok(()) }
}
