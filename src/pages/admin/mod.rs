//! The pages of those who look after accounts: what the admin API does, for people. A page can do nothing
//! that the API can't; who may do what is asked by the use-cases, and by each row for its page.

mod actions;
mod activity;
mod api_keys;
mod apps;
mod audit;
mod frame;
mod home;
mod inputs;
mod mails;
mod passkeys;
mod permissions;
mod registrations;
mod roles;
mod sessions;
mod signing_keys;
mod user;
mod user_roles;
mod users;

use super::route::PageRoute;

/// The rows, by subject.
pub const SUBJECTS: &[&[PageRoute]] = &[
    home::ROUTES,
    users::ROUTES,
    user::ROUTES,
    passkeys::ROUTES,
    user_roles::ROUTES,
    actions::ROUTES,
    registrations::ROUTES,
    sessions::ROUTES,
    roles::ROUTES,
    api_keys::ROUTES,
    apps::ROUTES,
    audit::ROUTES,
    mails::ROUTES,
    signing_keys::ROUTES,
];
