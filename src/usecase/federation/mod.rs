//! Signing in with accounts at other servers: providers of identities, as the configuration names them.
//!
//! `begin` sends a browser there, `arrive` takes it back: what the provider says of it is read by `provider`,
//! judged by `rules`, and done by `admit`. `exchange` hands what came of it to a front end of somebody's own.
//! `examine` looks at a provider for an operator, `identities` is what is linked to an account, `role_claims`
//! what its groups there come to here.

mod admit;
pub mod arrive;
pub mod attempt;
pub mod begin;
pub mod complete;
pub mod examine;
pub mod exchange;
pub mod identities;
pub mod provider;
pub mod providers;
mod role_claims;
pub mod rules;
