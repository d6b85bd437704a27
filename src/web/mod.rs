//! What happens to every request of either HTTP face, and what every answer carries, so that no face copies
//! it from another: `api` and `pages` stand above, and neither knows the other.
//!
//! `request` begins and finishes each request; `client`, `token_transport`, `cookies`, `session_cookie`,
//! `csrf` and `origin` read what came with it, `forwarded` what a proxy says of a request that it asks about;
//! `headers` and `status` are what an answer says beside its body, `parameter` is for where it leads;
//! `rejection` is why a request gets none.

pub mod app_cookies;
pub mod basic;
pub mod client;
pub mod content_security_policy;
pub mod cookies;
pub mod csrf;
pub mod forwarded;
pub mod headers;
pub mod navigation;
pub mod origin;
pub mod page_cookies;
pub mod parameter;
pub mod question;
pub mod rejection;
pub mod request;
pub mod session_cookie;
pub mod status;
pub mod token_transport;
