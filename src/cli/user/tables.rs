//! How accounts are shown: as a list, and each by itself.

use crate::cli::terminal::table::{Cell, Column, Row, Table, Tone, object};
use crate::domain::identity::Identity;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserState};
use crate::views;

const LISTED: [Column; 6] = [
    Column::Id("id"),
    Column::Whole("email"),
    Column::Text("name"),
    Column::Text("roles"),
    Column::Whole("state"),
    Column::Time("last_login_at"),
];

pub(super) fn list(users: &[User], now: Timestamp) -> Table {
    let row = |user: &User| Row {
        id: user.id.to_string(),
        cells: vec![
            Cell::new(user.id.to_string()),
            Cell::new(user.email.as_str()),
            Cell::new(user.name.as_str()),
            Cell::list(&user.roles),
            state(user, now),
            Cell::maybe(user.last_login_at),
        ],
        json: object(views::user(user, now)),
    };
    Table::new(&LISTED, users.iter().map(row).collect()).giving_way(&["last_login_at", "name", "id", "roles"])
}

/// What keeps the user from logging in, in one word.
fn state(user: &User, now: Timestamp) -> Cell {
    if user.disabled_at.is_some() {
        Cell::toned(UserState::Disabled.name(), Tone::Bad)
    } else if user.locked_until.is_some_and(|until| until > now) {
        Cell::toned(UserState::Locked.name(), Tone::Warning)
    } else if user.email_verified_at.is_none() {
        Cell::toned(UserState::Unverified.name(), Tone::Warning)
    } else {
        Cell::toned("active", Tone::Good)
    }
}

pub(super) const SHOWN: [Column; 12] = [
    Column::Id("id"),
    Column::Whole("email"),
    Column::Whole("email_verified"),
    Column::Text("name"),
    Column::Text("roles"),
    Column::Text("permissions"),
    Column::Text("two_factor"),
    Column::Text("passkeys"),
    Column::Text("disabled"),
    Column::Time("locked_until"),
    Column::Time("created_at"),
    Column::Time("last_login_at"),
];

/// The same, with the app, and with what signs in besides a password.
pub(super) const WITH_IDENTITIES: [Column; 14] = {
    let mut columns = [Column::Text("identities"); 14];
    columns[SHOWN.len()] = Column::Text("totp");
    let mut at = 0;
    while at < SHOWN.len() {
        columns[at] = SHOWN[at];
        at += 1;
    }
    columns
};

/// How many identities are shown of one account.
pub(super) const IDENTITIES_MAX: u32 = 100;

/// `acme ann@example.com`; where the provider states no address, its subject.
pub(super) fn in_short(identity: &Identity) -> String {
    format!("{} {}", identity.provider, identity.email.as_ref().unwrap_or(&identity.key.subject))
}

/// One account for which nothing secret was made, as the commands show it that may make something.
pub(super) fn without_secret(user: &User, now: Timestamp) -> Table {
    Table::of_objects(&SHOWN, [(user.id.to_string(), views::user_with_secret(user, None, None, now))])
}

/// One account, all of it.
pub(in crate::cli) fn one(user: &User, now: Timestamp) -> Table {
    Table::of_objects(&SHOWN, [(user.id.to_string(), views::user(user, now))])
}
