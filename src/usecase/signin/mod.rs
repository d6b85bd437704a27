//! Signing in: the lockout, the password, the second factor, and `session_start`, in which every way in
//! ends.

pub(in crate::usecase) mod browser_session;
pub mod factor;
pub(super) mod first_step;
pub mod hash_costs;
pub mod locked_tries;
pub(super) mod lockout;
pub mod login;
pub mod magic_link;
pub mod methods;
pub mod passkey;
pub(in crate::usecase) mod password;
pub(super) mod proof;
pub(super) mod required_factor;
pub mod second_factor;
pub mod session_cookie;
pub(super) mod session_start;
pub mod started;
