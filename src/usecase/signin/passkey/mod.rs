//! Passkeys as a way in: what a ceremony is, what must hold of what comes back, and the sign-in itself.
//!
//! `ceremony` is the challenge on its way to a browser and back, `check` judges a signature and notes its
//! use, `login` signs in by nothing else. As the second factor, a passkey is one of `signin::factor`.

pub mod ceremony;
pub mod check;
pub mod login;
