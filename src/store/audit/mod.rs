//! The audit log in its table: the chain over its lines, the sealed head, writing, checking and pruning.

pub mod chain;
pub mod check;
pub mod head;
pub mod log;
pub mod prune;
