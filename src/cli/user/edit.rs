//! `user edit`, `user reset-link` and `user recover-link`: what an operator changes of an account, or lets
//! its owner change.

use super::tables::{IDENTITIES_MAX, one};
use super::{parse_email, parse_name, warn_of_domain};
use crate::cli::exit::Failure;
use crate::cli::words::counted;
use crate::cli::{Context, named};
use crate::domain::user::User;
use crate::usecase::account::admin as accounts;
use crate::usecase::account::admin::Verified;
use crate::usecase::account::edit::{self, Changed, Changes, Edited};
use crate::usecase::account::qr::Qr;
use crate::usecase::account::recover;
use crate::usecase::account::reference::UserRef;
use crate::usecase::federation::identities;
use crate::usecase::session::list;
use crate::views;
use clap::Args;

/// Change a user's address or name
///
/// A new address ends the user's sessions and links, and the old one is told by mail. It is unverified, and a
/// link to verify it is mailed, unless --verified says that it is known to be the user's.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user edit ann@example.com --name 'Ann Smith'
  authctl user edit ann@example.com --email ann@example.org --verified")]
pub struct Edit {
    /// E-mail address or id
    user: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct Flags {
    /// The new e-mail address
    #[arg(long)]
    email: Option<String>,
    /// The new name; '' for none
    #[arg(long)]
    name: Option<String>,
    /// Take the address, the new one or else the one that is, as verified
    #[arg(long)]
    verified: bool,
}

/// Print a one-time link to set a new password, alone on stdout
///
/// For places without mail: none is sent, and whoever has the link may use it, once and within an hour. It
/// voids an older one. The old password stays until then; setting the new one ends the user's sessions. A
/// second factor stays on, and an address that was not verified stays so, since no mail went there.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user reset-link ann@example.com
  authctl user reset-link ann@example.com --qr")]
pub struct ResetLink {
    /// E-mail address or id
    user: String,
    /// Show the link as a QR code, too, on stderr
    #[arg(long)]
    qr: bool,
}

/// Print a one-time link that brings back whoever lost everything, alone on stdout
///
/// For whoever has neither password nor second factor, nor mail perhaps: hand it over once you know that it
/// is them, since whoever has the link gets in. It works once and within an hour, and voids an older one;
/// until then nothing changes. Its page asks for a new password and ends all that there was: sessions,
/// passkeys, the authenticator app and recovery codes. Then a passkey or an app can be set up.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user recover-link ann@example.com
  authctl user recover-link ann@example.com --qr")]
pub struct RecoverLink {
    /// E-mail address or id
    user: String,
    /// Show the link as a QR code, too, on stderr
    #[arg(long)]
    qr: bool,
}

impl Edit {
    /// Changes the user and says what changed.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let changes = self.flags.changes()?;
        let app = context.app()?;
        let before = accounts::find(&app, context.caller(), &named::user(context, &app, &self.user)?)?;
        let edited = edit::edit(&app, context.caller(), &UserRef::Id(before.id), &changes)?;
        context.terminal().note(&said(before.email.as_str(), &edited));
        if edited.changed.contains(&Changed::Email) {
            warn_of_domain(context, &edited.user.email);
        }
        context.terminal().changed(&one(&edited.user, app.now()))
    }
}

impl Flags {
    fn changes(&self) -> Result<Changes, Failure> {
        Ok(Changes {
            email: self.email.as_deref().map(parse_email).transpose()?,
            name: self.name.as_deref().map(parse_name).transpose()?,
            verified: if self.verified { Verified::Yes } else { Verified::No },
        })
    }
}

fn said(old_email: &str, edited: &Edited) -> String {
    let new_email = &edited.user.email;
    let has = |change| edited.changed.contains(&change);
    let mut parts = Vec::new();
    if has(Changed::Name) {
        parts.push(format!("changed the name of {old_email}"));
    }
    match (has(Changed::Email), has(Changed::Verified)) {
        (true, true) => parts.push(format!("{old_email} is {new_email} now, verified; all sessions have ended")),
        (true, false) => parts.push(format!(
            "{old_email} is {new_email} now; all sessions have ended, and a link to verify it is in the outbox"
        )),
        (false, true) => parts.push(format!("{new_email} is verified now")),
        (false, false) => {}
    }
    if parts.is_empty() {
        return format!("{new_email} is so already; nothing was changed");
    }
    parts.join("; ")
}

impl ResetLink {
    /// Makes a link that sets a new password, and prints it.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let made = accounts::reset_link(&app, context.caller(), &named::user(context, &app, &self.user)?)?;
        let terminal = context.terminal();
        terminal.note(&format!(
            "made a link to set a new password for {}; it works once, for 1 hour",
            made.user.email
        ));
        if self.qr {
            terminal.show_picture(&Qr::of(&made.url)?, "");
        }
        let holder = views::user_with_secret(&made.user, None, Some(&made.url), app.now());
        terminal.secret(made.url.expose(), holder)
    }
}

impl RecoverLink {
    /// Makes a link that brings somebody back, and prints it.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        let made = recover::make_link(&app, context.caller(), &of)?;
        let sessions = list::count_of(&app, context.caller(), &[made.user.id])?;
        let linked = identities::page(&app, context.caller(), &of, IDENTITIES_MAX, None)?.items.len();
        let terminal = context.terminal();
        terminal.note(&format!(
            "made a link that brings {} back; it works once, for 1 hour, and then {}",
            made.user.email,
            what_ends(&made.user, linked, sessions)
        ));
        if self.qr {
            terminal.show_picture(&Qr::of(&made.url)?, "");
        }
        let holder = views::user_with_secret(&made.user, None, Some(&made.url), app.now());
        terminal.secret(made.url.expose(), holder)
    }
}

/// What using the link will do away with.
fn what_ends(user: &User, linked: usize, sessions: u64) -> String {
    let mut parts = vec!["the password".to_owned()];
    if user.totp_at.is_some() {
        parts.push("the authenticator app".into());
    }
    if user.passkeys > 0 {
        parts.push(counted(user.passkeys.into(), "passkey"));
    }
    match linked {
        0 => {}
        1 => parts.push("1 account elsewhere".into()),
        _ => parts.push(format!("{linked} accounts elsewhere")),
    }
    if sessions > 0 {
        parts.push(counted(sessions, "session"));
    }
    format!("ends {}", listed(&parts))
}

/// `a, b and c`.
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}
