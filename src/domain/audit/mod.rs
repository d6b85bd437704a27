//! What the audit log records: `event` says what can happen, `line` how it is kept.

mod event;
mod event_class;
mod event_name;
mod line;
mod login_failure;

pub use event::Event;
pub use event_class::EventClass;
pub use event_name::EventTone;
pub use line::{ChainError, Line, Mark, Subject};
pub use login_failure::LoginFailure;
