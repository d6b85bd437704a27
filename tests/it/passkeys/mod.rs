//! Passkeys: the checks of a relying party, one broken at a time; the standard's own vectors; any input; and
//! what an independent implementation says of the same.

mod authentication_checks;
mod breaks;
mod corpus;
pub mod device;
mod options;
mod properties;
mod registration_checks;
mod scene;
mod vectors;
