//! What both HTTP faces need of a request and put on an answer: cookies, proof against other sites, origins.

pub mod cookies;
pub mod csrf;
pub mod origin;
