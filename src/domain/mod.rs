//! Values and rules: the lowest room. No I/O, no clock, no serialisation, no import from any other room.

pub mod access;
pub mod algorithm;
pub mod api_key;
pub mod audit;
pub mod blocklist;
pub mod caller;
pub mod cursor;
pub mod device;
pub mod email;
pub mod guesses;
pub mod id;
pub mod link;
pub mod lockout;
pub mod mail;
pub mod name;
pub mod nearest;
pub mod network;
pub mod password;
pub mod password_policy;
pub mod registration;
pub mod role;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod time;
pub mod user;
