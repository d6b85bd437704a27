//! The account of whoever is signed in: a page that says how everything stands, and a page for each thing
//! that can be changed. Each form is sent to its own page's path, so that a fresh login which is asked for in
//! between comes back to it.

pub mod activity;
pub mod confirm;
pub mod delete;
pub mod device;
pub mod email;
pub mod identities;
pub mod mistake;
pub mod name;
pub mod overview;
pub mod passkeys;
pub mod password;
pub mod recovery_codes;
pub mod sessions;
pub mod two_factor;

/// Where recovery codes are shown, once.
pub const RECOVERY_CODES: &str = "/auth/account/recovery-codes";

/// Where passkeys are added and removed.
pub const PASSKEYS: &str = "/auth/account/passkeys";

/// What somebody is led to who has got back in.
pub const RECOVERED: &str = "/auth/account/recovered";

/// Where the second factor is turned on and off.
pub const TWO_FACTOR: &str = "/auth/account/two-factor";
