//! `totp enroll`: a secret that a phone reads off the terminal or a file, and a code to confirm it.

use crate::cli::exit::Failure;
use crate::cli::new_file::NewFile;
use crate::cli::terminal::prompt;
use crate::cli::terminal::table::{Column, Table};
use crate::cli::{Context, named};
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::usecase::account::admin_two_factor::{self, Enrolment};
use crate::usecase::account::qr::Qr;
use crate::usecase::account::reference::UserRef;
use crate::usecase::app::App;
use crate::views;
use clap::Args;
use std::path::PathBuf;

/// Set up a second factor for a user
///
/// Shows a QR code for an authenticator app, with the secret under it for typing, then asks for a code that
/// the app shows: with it the second factor is on, the user's sessions end, and the recovery codes are
/// printed, this once. With --pending nothing is asked, and the factor waits until the user gives a code in a
/// session of their own. Until then a login needs the password alone.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl totp enroll ann@example.com
  authctl totp enroll ann@example.com --pending --qr-png ann.png
  authctl totp enroll ann@example.com --pending --uri | qrencode -t utf8")]
pub struct Enroll {
    /// E-mail address or id
    user: String,
    #[command(flatten)]
    form: Form,
    /// Ask for no code; needed where nobody can be asked
    #[arg(long)]
    pending: bool,
}

/// How the secret is handed out; without any, on the terminal.
#[derive(Args, Debug)]
#[group(multiple = false)]
struct Form {
    /// Write the QR code to this new file, as PNG, and show nothing
    #[arg(long, value_name = "FILE")]
    qr_png: Option<PathBuf>,
    /// Write the QR code to this new file, as SVG, and show nothing
    #[arg(long, value_name = "FILE")]
    qr_svg: Option<PathBuf>,
    /// Print the otpauth: address alone on stdout; recovery codes then go to stderr
    #[arg(long)]
    uri: bool,
}

/// How often a person may mistype before the command gives up.
const TRIES: usize = 3;

impl Enroll {
    /// Sets up a second factor, shows the code to scan, and asks for a first code unless `--pending`.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        if !self.pending && !prompt::can_ask() {
            return Err(Failure::Usage(
                "nobody can be asked for the code; add --pending, and the user gives one in a session of their \
                 own, or run this on a terminal"
                    .into(),
            ));
        }
        let app = context.app()?;
        let file = self.form.path().map(|path| NewFile::create(path)).transpose()?;
        let enrolment =
            admin_two_factor::enrol(&app, context.caller(), &named::user(context, &app, &self.user)?)?;
        if let Some((file, path)) = file.zip(self.form.path()) {
            file.fill(&self.form.content(&enrolment)?)?;
            context
                .terminal()
                .note(&format!("wrote the QR code to {}; it is as secret as a password", path.display()));
        }
        if self.pending {
            self.hand_out(context, &enrolment)
        } else {
            self.confirm(context, &app, &enrolment)
        }
    }

    /// Prints the secret, and leaves the rest to the user.
    fn hand_out(&self, context: &Context, enrolment: &Enrolment) -> Result<(), Failure> {
        let terminal = context.terminal();
        terminal.note(&format!(
            "the second factor of {} waits for a code, which the user gives in a session of their own",
            enrolment.user.email
        ));
        let alone = match (self.form.path(), self.form.uri) {
            (Some(_), _) => String::new(),
            (None, true) => format!("{}\n", enrolment.setup.otpauth_uri.expose()),
            (None, false) => terminal.picture(&qr(enrolment)?, &grouped(enrolment)),
        };
        terminal.secrets(&alone, &one(enrolment, &[]))
    }

    /// Shows the secret to the person at the terminal, as a part of the question for a code; the answer to
    /// the command is then the recovery codes.
    fn confirm(&self, context: &Context, app: &App, enrolment: &Enrolment) -> Result<(), Failure> {
        let terminal = context.terminal();
        let uri_alone = self.form.uri && terminal.is_for_people();
        if uri_alone {
            terminal.text(&format!("{}\n", enrolment.setup.otpauth_uri.expose()))?;
        } else if self.form.path().is_none() {
            terminal.show_picture(&qr(enrolment)?, &grouped(enrolment));
        }
        let codes = ask(context, app, enrolment)?;
        let email = &enrolment.user.email;
        terminal.note(&format!("turned on the second factor of {email}; all sessions have ended"));
        terminal.note("recovery codes, each good once in the place of a code, and not shown again:");
        let lines = super::lines(&codes);
        if uri_alone {
            terminal.note(&lines);
            return Ok(());
        }
        terminal.secrets(&lines, &one(enrolment, &codes))
    }
}

impl Form {
    fn path(&self) -> Option<&PathBuf> {
        self.qr_png.as_ref().or(self.qr_svg.as_ref())
    }

    fn content(&self, enrolment: &Enrolment) -> Result<Vec<u8>, Failure> {
        if self.qr_png.is_some() {
            return Ok(qr(enrolment)?.png()?);
        }
        Ok(enrolment.setup.qr_svg.expose().clone().into_bytes())
    }
}

/// Asks until a code is right, [`TRIES`] times; gives the recovery codes.
fn ask(context: &Context, app: &App, enrolment: &Enrolment) -> Result<Vec<Secret<String>>, Failure> {
    let of = UserRef::Id(enrolment.user.id);
    for tries_left in (0..TRIES).rev() {
        let Some(code) = prompt::code("Code that the app shows")? else {
            return Err(Failure::Usage(
                "no code was given, and the second factor is not on; run it again".into(),
            ));
        };
        match admin_two_factor::confirm_enrolment(app, context.caller(), &of, &code) {
            Err(Error::Refused(Refusal::InvalidCode)) if tries_left > 0 => {
                context
                    .terminal()
                    .note("this is no code of this minute; see that the phone's clock is right, and type the next one");
            }
            tried => return Ok(tried?),
        }
    }
    Err(Refusal::InvalidCode.into())
}

fn qr(enrolment: &Enrolment) -> Result<Qr, Failure> {
    Ok(Qr::of(&enrolment.setup.otpauth_uri)?)
}

/// The secret in base32, in groups of four for reading and typing; apps leave the spaces out.
fn grouped(enrolment: &Enrolment) -> String {
    let mut text = String::new();
    for (at, c) in enrolment.setup.secret.expose().chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

const COLUMNS: [Column; 6] = [
    Column::Id("user_id"),
    Column::Whole("email"),
    Column::Whole("secret"),
    Column::Whole("otpauth_uri"),
    Column::Whole("enabled"),
    Column::Text("recovery_codes"),
];

fn one(enrolment: &Enrolment, codes: &[Secret<String>]) -> Table {
    Table::of_objects(&COLUMNS, [(enrolment.user.id.to_string(), views::enrolment(enrolment, codes))])
}
