//! Questions to a person at a terminal: passwords, read hidden, and confirmations. Nothing is ever asked of
//! a pipe.

use super::escape::visible;
use crate::cli::exit::Failure;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::error::{Error, Fault, Refusal};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{IsTerminal, stderr, stdin};

/// Whether somebody is there to answer: stdin and stderr are terminals. The prompting crate looks at
/// stderr alone and would fall back to `/dev/tty`, behind the back of a script's pipe.
#[must_use]
pub fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// How often a person may think of a password that is not good enough.
const TRIES: usize = 3;

/// Asks for a new password, hidden, until `judge` takes one and it comes the same a second time. `rule` is
/// said first; what is refused is said why, and asked for again, three times in all.
///
/// # Errors
/// [`Failure::Usage`] when nothing is typed (Ctrl-D); what `judge` refused last, and its faults; a fault when
/// the terminal fails.
pub fn new_password(rule: &str, judge: &dyn Fn(&Password) -> Result<(), Error>) -> Result<Password, Failure> {
    restore_echo_on_signal().map_err(terminal_failed)?;
    super::write_error(&format!("{rule}\n"));
    let mut tries = TRIES;
    loop {
        let password = match judged(&typed("New password")?, judge) {
            Ok(password) => password,
            Err(Error::Refused(refusal)) if tries > 1 => {
                tries -= 1;
                super::write_error(&format!("{}\n", visible(&refusal.to_string())));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        // What is hidden is easily mistyped; how often doesn't matter.
        if Password::new(typed("The same again")?.expose()).as_ref() == Ok(&password) {
            return Ok(password);
        }
        super::write_error("the two differ; try again\n");
    }
}

fn judged(text: &Secret<String>, judge: &dyn Fn(&Password) -> Result<(), Error>) -> Result<Password, Error> {
    let password = Password::new(text.expose())
        .map_err(|error| Refusal::invalid("password", error.code(), error.message()))?;
    judge(&password)?;
    Ok(password)
}

fn typed(prompt: &str) -> Result<Secret<String>, Failure> {
    let text = ask_hidden(prompt)?;
    if text.expose().is_empty() {
        return Err(Failure::Usage("no password was given; nothing was changed".into()));
    }
    Ok(text)
}

/// Asks for a secret once, hidden.
///
/// # Errors
/// [`Failure::Usage`] when nothing is typed (Ctrl-D), a fault when the terminal fails.
pub fn secret(prompt: &str) -> Result<Secret<String>, Failure> {
    restore_echo_on_signal().map_err(terminal_failed)?;
    let text = ask_hidden(prompt)?;
    if text.expose().is_empty() {
        return Err(Failure::Usage("nothing was given; run it again, or give it on stdin".into()));
    }
    Ok(text)
}

/// Asks for a one-time code, shown as it is typed, since it is worthless in half a minute. Spaces in it are
/// left out, as apps show it in two groups. `None`: nothing was typed (Ctrl-D).
///
/// # Errors
/// A fault when the terminal fails.
pub fn code(prompt: &str) -> Result<Option<Secret<String>>, Failure> {
    super::write_error(&format!("{prompt}: "));
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(terminal_failed)?;
    line.retain(|c| !c.is_whitespace());
    Ok(Some(Secret::new(line)).filter(|code| !code.expose().is_empty()))
}

/// Whether a destructive command may go on: `--yes` was given, or the person at the terminal says yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Given,
    /// To be asked for.
    Open,
}

impl Consent {
    /// From the flag `--yes`.
    #[must_use]
    pub const fn from_flag(yes: bool) -> Self {
        if yes { Self::Given } else { Self::Open }
    }

    /// Asks, unless consent is given. `y` or `yes` is yes, everything else is no.
    ///
    /// # Errors
    /// [`Failure::Declined`]; [`Failure::Usage`] where nobody can be asked; a fault when the terminal fails.
    pub fn obtain(self, question: &str) -> Result<(), Failure> {
        if self == Self::Given {
            return Ok(());
        }
        if !can_ask() {
            return Err(Failure::Usage(format!("nobody can be asked here ({question}); add --yes to do it")));
        }
        ask(question)
    }

    /// Asks as [`Consent::obtain`] does, but goes on where nobody can be asked: for commands that scripts
    /// have always run without `--yes`.
    ///
    /// # Errors
    /// [`Failure::Declined`]; a fault when the terminal fails.
    pub fn obtain_from_a_person(self, question: &str) -> Result<(), Failure> {
        if self == Self::Given || !can_ask() { Ok(()) } else { ask(question) }
    }
}

fn ask(question: &str) -> Result<(), Failure> {
    let mut answer = String::new();
    super::write_error(&format!("{} [y/N] ", visible(question)));
    stdin().read_line(&mut answer).map_err(terminal_failed)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Declined),
    }
}

fn ask_hidden(prompt: &str) -> Result<Secret<String>, Failure> {
    let question = dialoguer::Password::new().with_prompt(prompt);
    // An empty line must come back, or the end of input would be asked again for ever.
    let answer = question.allow_empty_password(true).report(false).interact();
    match answer {
        Ok(text) => Ok(Secret::new(text)),
        Err(dialoguer::Error::IO(error)) => Err(terminal_failed(error)),
    }
}

fn terminal_failed(error: std::io::Error) -> Failure {
    Fault::Internal(format!("the terminal can't be read: {error}")).into()
}

/// Gives the terminal its echo back when a signal ends the program in the middle of a hidden prompt, which
/// would leave the operator typing blindly; then lets the signal do what it does. The thread stays until the
/// program ends: taken back, the handlers would leave the signals without any effect.
fn restore_echo_on_signal() -> std::io::Result<()> {
    let before = tcgetattr(stdin())?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            // The terminal may be gone (SIGHUP); the signal counts all the same.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
            super::write_error("\n");
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
    Ok(())
}
