//! Signing keys and API keys.

pub mod api_key_uses;
pub mod api_keys;
pub mod current_key;
pub mod signing_keys;
