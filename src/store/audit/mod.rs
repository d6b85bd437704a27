//! The audit log in its table: the chain over its lines, the sealed head, writing, sealing, checking and
//! pruning.

mod append;
pub mod chain;
pub mod check;
pub(in crate::store) mod entry;
pub mod head;
mod ids;
pub mod inbox;
pub mod log;
pub mod prune;
mod write;
