//! Mail: composed in the transaction that causes it, queued, and delivered by a worker.

pub mod compose;
pub mod delivery;
pub mod delivery_worker;
pub mod handed_over;
pub mod link_requests;
