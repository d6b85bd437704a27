//! `totp`: users' second factors.

mod enroll;

use super::exit::Failure;
use super::terminal::prompt::{self, Consent};
use super::terminal::table::{Cell, Column, Row, Table, object};
use super::words::counted;
use super::{Context, named, password};
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::usecase::account::admin as accounts;
use crate::usecase::account::admin_two_factor::{self, FactorReset};
use crate::usecase::account::reference::UserRef;
use crate::usecase::app::App;
use crate::usecase::session::list;
use crate::views;
use clap::{Args, Subcommand};
use enroll::Enroll;
use serde_json::Value;

#[derive(Subcommand, Debug)]
pub enum Verb {
    Enroll(Enroll),
    /// Show whether a user's authenticator app is on, and how it fares
    Status(Status),
    Reset(Reset),
    RecoveryCodes(RecoveryCodes),
    Verify(Verify),
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl totp status ann@example.com
  authctl totp status ann@example.com -o json")]
pub struct Status {
    /// E-mail address or id
    user: String,
}

/// Take the authenticator app away from a user who lost it
///
/// Needed, too, when it answers no more after 100 wrong codes. The user's sessions end. Passkeys stay, and
/// are a second factor still; without any, the next login needs the password alone.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl totp reset ann@example.com
  authctl totp reset ann@example.com --yes")]
pub struct Reset {
    /// E-mail address or id
    user: String,
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

/// Make ten new recovery codes for a user and print them, this once
///
/// The old ones are good no more.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl totp recovery-codes ann@example.com
  authctl totp recovery-codes ann@example.com -o json")]
pub struct RecoveryCodes {
    /// E-mail address or id
    user: String,
}

/// Check a code of a user's authenticator app; exits 5 when it is not good
///
/// It is the check of a login: a good code is spent, and a wrong one counts as a failure. That tells somebody
/// with a wrong clock from somebody with a wrong app.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl totp verify ann@example.com
  printf 123456 | authctl totp verify ann@example.com --stdin")]
pub struct Verify {
    /// E-mail address or id
    user: String,
    /// Read the code from stdin
    #[arg(long)]
    stdin: bool,
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Enroll(enroll) => enroll.run(context),
            Self::Status(status) => status.run(context),
            Self::Reset(reset) => reset.run(context),
            Self::RecoveryCodes(codes) => codes.run(context),
            Self::Verify(verify) => verify.run(context),
        }
    }
}

impl Status {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let factor = admin_two_factor::second_factor(
            &app,
            context.caller(),
            &named::user(context, &app, &self.user)?,
        )?;
        context.terminal().show(&one(&factor))
    }
}

impl Reset {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        let factor = admin_two_factor::second_factor(&app, context.caller(), &of)?;
        let user = &factor.user;
        let ends = match list::count_of(&app, context.caller(), &[user.id])? {
            0 => String::new(),
            some => format!(" and end {}", counted(some, "session")),
        };
        // A script says --yes whether or not there is a factor to take.
        if factor.enabled_at.is_some() || !prompt::can_ask() {
            let question = format!("Take the authenticator app from {}{ends}?", user.email);
            Consent::from_flag(self.yes).obtain(&question)?;
        }
        let (factor_name, stays) = match user.passkeys {
            0 => ("second factor", String::new()),
            1 => ("authenticator app", ", and 1 passkey stays".into()),
            some => ("authenticator app", format!(", and {some} passkeys stay")),
        };
        let said = match admin_two_factor::reset_second_factor(&app, context.caller(), &of)? {
            FactorReset::Taken => {
                format!("took the {factor_name} from {}; all sessions have ended{stays}", user.email)
            }
            FactorReset::Dropped => {
                format!("{} has no {factor_name}, and none waits for its code now{stays}", user.email)
            }
            FactorReset::Nothing => {
                format!("{} has no {factor_name}; nothing was changed{stays}", user.email)
            }
        };
        context.terminal().note(&said);
        context.terminal().changed(&one(&admin_two_factor::second_factor(&app, context.caller(), &of)?))
    }
}

impl RecoveryCodes {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let user = accounts::find(&app, context.caller(), &named::user(context, &app, &self.user)?)?;
        let codes = admin_two_factor::replace_recovery_codes(&app, context.caller(), &UserRef::Id(user.id))?;
        context
            .terminal()
            .note(&format!("new recovery codes for {}; the old ones are good no more:", user.email));
        let columns = [Column::Id("user_id"), Column::Whole("email"), Column::Text("recovery_codes")];
        let object = (user.id.to_string(), views::new_recovery_codes(&user, &codes));
        context.terminal().secrets(&lines(&codes), &Table::of_objects(&columns, [object]))
    }
}

impl Verify {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        // Before the prompt: nobody should type a code for a user who doesn't exist.
        let user = accounts::find(&app, context.caller(), &of)?;
        let good = match admin_two_factor::check_code(
            &app,
            context.caller(),
            &UserRef::Id(user.id),
            &self.code()?,
        ) {
            Ok(_) => true,
            Err(Error::Refused(Refusal::InvalidCode)) => false,
            Err(error) => return Err(error.into()),
        };
        report(context, &app, &UserRef::Id(user.id), good)
    }

    fn code(&self) -> Result<Secret<String>, Failure> {
        if self.stdin {
            let text = password::from_stdin("--stdin")?;
            return Ok(Secret::new(text.expose().split_whitespace().collect()));
        }
        if !prompt::can_ask() {
            return Err(Failure::Usage(
                "nobody can be asked for the code; add --stdin and give it there, or run this on a terminal"
                    .into(),
            ));
        }
        prompt::code("Code that the app shows")?
            .ok_or_else(|| Failure::Usage("no code was given; run it again".into()))
    }
}

/// Says what the check came to: to programs on stdout, either way.
fn report(context: &Context, app: &App, of: &UserRef, good: bool) -> Result<(), Failure> {
    let factor = admin_two_factor::second_factor(app, context.caller(), of)?;
    let table = table(&MEMBERS, &factor, object(views::checked_code(&factor, good)));
    let email = &factor.user.email;
    if good {
        context
            .terminal()
            .note(&format!("the code of {email} is good; it is spent, and no login takes it any more"));
        return context.terminal().changed(&table);
    }
    context.terminal().changed(&table)?;
    Err(Failure::Check(if factor.blocked {
        format!(
            "the second factor answers no more after too many wrong codes; run: authctl totp reset {email}"
        )
    } else {
        "the code is wrong, used or too old; wait for the next one, and see that the phone's clock is right"
            .into()
    }))
}

/// One a line.
fn lines(codes: &[Secret<String>]) -> String {
    codes.iter().fold(String::new(), |all, code| all + code.expose() + "\n")
}

/// The columns, each with the member that it shows.
const MEMBERS: [(Column, &str); 9] = [
    (Column::Id("user_id"), "/user_id"),
    (Column::Whole("email"), "/email"),
    (Column::Whole("enabled"), "/totp/enabled"),
    (Column::Time("enabled_at"), "/totp/enabled_at"),
    (Column::Whole("failures"), "/failures"),
    (Column::Whole("blocked"), "/blocked"),
    (Column::Whole("passkeys"), "/passkeys"),
    (Column::Whole("recovery_codes_left"), "/recovery_codes_left"),
    (Column::Whole("good"), "/good"),
];

fn one(factor: &admin_two_factor::SecondFactor) -> Table {
    table(&MEMBERS[..8], factor, object(views::second_factor(factor)))
}

fn table(members: &[(Column, &str)], factor: &admin_two_factor::SecondFactor, json: Value) -> Table {
    let cell = |pointer: &str| Cell::of_json(json.pointer(pointer).unwrap_or(&Value::Null));
    let (columns, cells): (Vec<_>, Vec<_>) =
        members.iter().map(|(column, pointer)| (*column, cell(pointer))).unzip();
    Table::new(&columns, vec![Row { id: factor.user.id.to_string(), cells, json }])
}
