//! The rows of the table, a file a subject.

pub mod account;
pub mod admin;
pub mod admin_users;
pub mod operations;
pub mod service;
pub mod session;
pub mod two_factor;
