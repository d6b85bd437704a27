//! The audit log as it is read, checked and pruned.

pub mod names;
pub mod prune;
pub mod read;
pub mod sealing;
pub mod verify;
