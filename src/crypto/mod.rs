//! Password hashes, tokens and secrets at rest. No cryptography of its own: it uses well-kept crates with
//! the parameters, formats and checks that authd promises.

pub mod content_mac;
pub mod csrf;
pub mod gate;
pub mod jwt;
pub mod mailed_code;
pub mod opaque;
pub mod password;
pub mod password_tag;
pub mod refresh;
pub mod root_key;
pub mod seal;
pub mod session_cookie;
pub mod signing_key;
pub mod stand_in;
pub mod totp;
