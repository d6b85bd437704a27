//! Registrations that wait: whoever registered has not shown yet that the address is theirs, and nobody has
//! an account by it.

use super::email::Email;
use super::id::RegistrationId;
use super::name::Name;
use super::time::Timestamp;
use std::time::Duration;

/// How long a registration waits for its link to be opened.
pub const WAITS: Duration = Duration::from_secs(24 * 3600);

/// How many of one address wait: the newest.
pub const MAX_PER_ADDRESS: u32 = 3;

/// A registration, as those who look after accounts see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    pub id: RegistrationId,
    pub email: Email,
    /// What the person wants to be called; may be empty.
    pub name: Name,
    /// Where it came from. `None`: not known.
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// Registrations with another password wait for the address, or have: which of them its owner made, the
    /// link alone doesn't show.
    pub password_required: bool,
    pub created_at: Timestamp,
    /// When it ends, unless it is confirmed.
    pub expires_at: Timestamp,
}
