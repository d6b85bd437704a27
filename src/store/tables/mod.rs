//! A file a table family: what is asked of its rows and how they change.

pub mod api_keys;
pub mod app_codes;
pub mod apps;
pub mod failures;
pub mod identities;
pub mod ids;
pub mod keys;
pub mod link_requests;
pub mod links;
pub mod magic_requests;
pub mod mails;
pub mod meta;
pub mod oauth_attempts;
pub mod oauth_codes;
pub mod passkeys;
pub mod prune;
pub mod registrations;
pub mod roles;
pub mod row_counts;
pub mod second_factor;
pub mod sessions;
pub mod tickets;
pub mod transfer;
pub mod unclaimed;
pub mod users;
