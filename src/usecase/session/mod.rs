//! Sessions and their tokens once somebody is signed in: refresh, logout, lists, revocation, verification.

pub mod authenticate;
pub mod browser;
pub mod csrf;
pub mod forward_auth;
pub mod handover;
pub mod inspect;
pub mod introspect;
pub mod list;
pub mod logout;
pub mod mint;
pub mod reauthenticate;
pub mod refresh;
pub mod session_uses;
pub mod tokens;
