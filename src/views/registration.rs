//! Registrations that wait.

use super::page::PageItem;
use super::text::{Id, Time};
use crate::domain;
use crate::domain::id::RegistrationId;
use schemars::JsonSchema;
use serde::Serialize;

/// A registration that waits for its link: nobody has an account by it yet.
#[derive(Serialize, JsonSchema, Debug)]
pub struct PendingRegistration<'a> {
    /// UUIDv7.
    id: Id<RegistrationId>,
    /// The address, its domain in IDNA's ASCII form. It may have an account already.
    #[schemars(email)]
    email: &'a str,
    /// May be empty.
    name: &'a str,
    /// Whether its link wants the password, too, as others were made with another one.
    password_required: bool,
    /// Null: not known.
    ip: Option<&'a str>,
    /// As the client called itself. Null: it didn't.
    user_agent: Option<&'a str>,
    /// UTC.
    created_at: Time,
    /// When it ends, unless it is confirmed.
    expires_at: Time,
}

/// Shows a registration that waits.
#[must_use]
pub fn pending_registration(waiting: &domain::registration::Registration) -> PendingRegistration<'_> {
    PendingRegistration {
        id: Id(waiting.id),
        email: waiting.email.as_str(),
        name: waiting.name.as_str(),
        password_required: waiting.password_required,
        ip: waiting.ip.as_deref(),
        user_agent: waiting.user_agent.as_deref(),
        created_at: Time(waiting.created_at),
        expires_at: Time(waiting.expires_at),
    }
}

impl PageItem for PendingRegistration<'_> {
    const PAGE: &'static str = "PendingRegistrationPage";
    const ORDER: &'static str = "Oldest first.";
}
