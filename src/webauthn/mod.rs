//! WebAuthn Level 3 as a relying party speaks it: what a browser is asked to make or to use, and what must
//! hold of what comes back (§7.1, §7.2). Asks nobody, stores nothing and knows no time: challenges are drawn,
//! kept and spent by the use-cases.
//!
//! Signatures are the library's business, so is CBOR; every check is made here, by hand, and each is a
//! [`Fault`] of its own.

pub mod algorithm;
pub mod authentication;
pub mod fault;
pub mod options;
pub mod registration;
pub mod relying_party;
pub mod response;

mod attestation;
mod authenticator_data;
mod cbor;
mod client_data;
mod public_key;

pub use algorithm::Algorithm;
pub use authentication::{Assertion, Stored, UserHandle, authenticate};
pub use fault::{Fault, Member};
pub use options::{
    CreationOptions, Descriptor, OptionsUser, RequestOptions, creation_options, request_options,
};
pub use registration::{NewCredential, register};
pub use relying_party::{RelyingParty, UserVerification};
pub use response::{AuthenticationResponse, CREDENTIAL_ID_MAX, RegistrationResponse};

/// Whether a COSE_Key is one that could have been registered here.
#[must_use]
pub fn takes_key(cose: &[u8]) -> bool {
    public_key::PublicKey::parse(cose).is_ok()
}
