//! Accounts and what their owners and those who look after them do with them: registration, addresses,
//! passwords, the second factor, roles.

pub mod admin;
pub mod admin_two_factor;
pub mod edit;
pub mod email;
pub mod link;
pub mod me;
pub mod password;
pub mod qr;
pub mod reference;
pub mod register;
pub mod registrations;
pub mod required_change;
pub mod roles;
pub mod several;
pub mod two_factor;
