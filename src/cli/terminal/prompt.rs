//! Questions to a person at a terminal: passwords, read hidden, and confirmations. Nothing is ever asked of
//! a pipe.

use super::escape::visible;
use crate::cli::exit::Failure;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::error::Fault;
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

/// Asks for a new password twice, hidden, until both agree.
///
/// # Errors
/// [`Failure::Usage`] when nothing is typed (Ctrl-D), a fault when the terminal fails.
pub fn new_password(prompt: &str) -> Result<Password, Failure> {
    let fits = |text: &String| match Password::new(text) {
        // Nothing typed is the way out; it is judged below.
        Ok(_) => Ok(()),
        Err(_) if text.is_empty() => Ok(()),
        Err(error) => Err(error.message()),
    };
    let question = dialoguer::Password::new()
        .with_prompt(prompt)
        .with_confirmation("The same again", "the two differ; try again")
        .validate_with(fits);
    let text = ask_hidden(question)?;
    Password::new(text.expose())
        .map_err(|_| Failure::Usage("no password was given; nothing was changed".into()))
}

/// Asks for a secret once, hidden.
///
/// # Errors
/// [`Failure::Usage`] when nothing is typed (Ctrl-D), a fault when the terminal fails.
pub fn secret(prompt: &str) -> Result<Secret<String>, Failure> {
    let text = ask_hidden(dialoguer::Password::new().with_prompt(prompt))?;
    if text.expose().is_empty() {
        return Err(Failure::Usage("nothing was given".into()));
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
            return Err(Failure::Usage(
                "this can't be undone and nobody can be asked; add --yes to do it".into(),
            ));
        }
        let mut answer = String::new();
        super::write_error(&format!("{} [y/N] ", visible(question)));
        stdin().read_line(&mut answer).map_err(terminal_failed)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::Declined),
        }
    }
}

fn ask_hidden(question: dialoguer::Password<'_>) -> Result<Secret<String>, Failure> {
    restore_echo_on_signal().map_err(terminal_failed)?;
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
