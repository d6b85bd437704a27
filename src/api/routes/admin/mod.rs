//! `/admin`: what `authctl` does, for programs.

pub mod api_keys;
pub mod apps;
pub mod audit;
pub mod identities;
pub mod mails;
pub mod passkeys;
pub mod registrations;
pub mod roles;
pub mod sessions;
pub mod signing_keys;
pub mod users;

use crate::api::route::{AFTER, LIMIT};
use crate::api::wire::{Field, Kind, Presence};

/// The parameters of a list in the order in which its items were made.
const PAGE_AFTER: &[Field] = &[LIMIT, AFTER];

const OF_USER: Field = Field {
    name: "user",
    kind: Kind::User,
    presence: Presence::Optional,
    about: "Only this user's, by id or address.",
};
