//! Accounts and what their owners and those who look after them do with them: registration, addresses,
//! passwords, the second factor, roles.

pub mod admin;
pub mod admin_two_factor;
pub mod edit;
pub mod email;
pub mod identities;
pub mod link;
pub mod me;
pub mod passkey_registration;
pub mod passkeys;
pub mod password;
pub mod qr;
pub mod recover;
pub mod reference;
pub mod register;
pub mod registrations;
pub mod required_change;
pub mod roles;
pub mod several;
pub mod two_factor;
pub mod ways_in;
