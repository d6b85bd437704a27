//! The rows of the table and their handlers, a file a subject. A handler takes the fields, calls one use-case
//! and writes the answer; it has no rules of its own. No file in here knows the table or the router.

pub mod account;
pub mod admin;
pub mod federation;
pub mod magic_link;
pub mod operations;
pub mod passkeys;
pub mod service;
pub mod session;
pub mod two_factor;
