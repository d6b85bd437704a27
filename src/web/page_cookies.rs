//! The cookies of the pages, besides the session's: each for one purpose, and readable by no script.

use crate::domain::secret::Secret;
use std::fmt;

/// A cookie of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageCookie {
    /// Tells the forms of a browser that is signed in nowhere from those of another site's page.
    Form,
    /// What was done, for the next page to say, once.
    Notice,
    /// What a page hands to the next, sealed.
    Handover,
    /// The ticket of a sign-in that is half done.
    Ticket,
    /// A wish to sign in by mail, whose mail has not been opened yet.
    MagicLink,
    /// What a browser that was sent to a provider of identities is known by when it is back.
    Provider,
    /// The language that was chosen.
    Language,
}

impl PageCookie {
    /// Its name. `__Host-`: no other host, and nobody without TLS, can set it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "__Host-authd_form",
            Self::Notice => "__Host-authd_notice",
            Self::Handover => "__Host-authd_handover",
            Self::Ticket => "__Host-authd_ticket",
            Self::MagicLink => "__Host-authd_magic_link",
            Self::Provider => "__Host-authd_oauth",
            Self::Language => "__Host-authd_lang",
        }
    }

    /// How long it lives, in seconds. `None`: as long as the browser is open.
    const fn max_age_s(self) -> Option<u32> {
        match self {
            Self::Form => None,
            Self::Notice => Some(60),
            Self::Handover | Self::MagicLink | Self::Provider => Some(10 * 60),
            Self::Ticket => Some(5 * 60),
            Self::Language => Some(365 * 24 * 3600),
        }
    }

    /// The header's value that sets it.
    #[must_use]
    pub fn set(self, value: impl fmt::Display) -> String {
        let life = self.max_age_s().map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        format!("{}={value}; Path=/{life}; Secure; HttpOnly; SameSite=Lax", self.name())
    }

    /// The header's value that takes it away.
    #[must_use]
    pub fn clear(self) -> String {
        format!("{}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax", self.name())
    }
}

/// Ends a ticket's name in its cookie, where the person wants to stay signed in.
const REMEMBERED: char = '!';

/// The ticket of a sign-in that is half done, or another secret of one, as its cookie holds it.
#[must_use]
pub fn ticket(ticket: &Secret<String>, remember: bool) -> String {
    let mark = if remember { REMEMBERED.to_string() } else { String::new() };
    format!("{}{mark}", ticket.expose())
}

/// The ticket in a cookie, and whether the person wants to stay signed in.
#[must_use]
pub fn read_ticket(cookie: &str) -> (&str, bool) {
    cookie.strip_suffix(REMEMBERED).map_or((cookie, false), |ticket| (ticket, true))
}
