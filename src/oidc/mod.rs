//! OpenID Connect Core and Discovery 1.0 and OAuth 2.0 (RFC 6749, 7636, 8414, 9207) as a client speaks them:
//! what a provider is asked, how its documents are read, what must hold of an ID token, and what of all that
//! is said about whom. Asks nobody, stores nothing and knows no time but the one it is given: the use-cases
//! do.
//!
//! Signatures are the library's business; every claim is judged here, by hand.

pub mod algorithm;
pub mod authorization;
pub mod claims;
pub mod client_secret;
pub mod discovery;
pub mod document;
pub mod fault;
pub mod id_token;
pub mod issuer;
pub mod jwks;
pub mod kinds;
pub mod pkce;
pub mod token_request;
pub mod tokens;
pub mod userinfo;

#[cfg(test)]
mod any_input;
