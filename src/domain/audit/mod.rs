//! What the audit log records: `event` says what can happen, `line` how it is kept.

mod event;
mod line;

pub use event::{Event, EventClass, LoginFailure};
pub use line::{ChainError, Line, Mark, Subject};
