//! Where a password or a token comes from: stdin, a file, a hidden prompt, or a generator. Never from an
//! argument or the environment, where other users of the machine can read it.

use super::arguments::{self, unreadable};
use super::exit::Failure;
use super::terminal::prompt;
use crate::domain::email::Email;
use crate::domain::name::Name;
use crate::domain::password::{self, Password};
use crate::domain::secret::Secret;
use crate::error::{Fault, Refusal};
use crate::ports::{Entropy, draw};
use crate::usecase::account::admin::Term;
use crate::usecase::account::password as policy;
use crate::usecase::app::App;
use clap::Args;
use std::io::{IsTerminal, Read, stdin};
use std::path::{Path, PathBuf};

/// Which password, and how long it is good.
#[derive(Args, Clone, Debug)]
pub struct PasswordFlags {
    #[command(flatten)]
    source: SourceFlags,
    /// Let the password that --generate-password makes stay; else the first login with it asks for another,
    /// and unused it ends after 7 days
    #[arg(
        long,
        requires = "generate_password",
        conflicts_with_all = ["password_stdin", "password_file", "invite"]
    )]
    keep: bool,
    /// Ask for another password at the next login; unused, this one ends after 7 days
    #[arg(long, conflicts_with_all = ["keep", "invite"])]
    must_change: bool,
}

/// The four ways to say which password; without any, a person at a terminal is asked.
#[derive(Args, Clone, Debug)]
#[group(multiple = false)]
struct SourceFlags {
    /// Read the password from stdin: one line and no more
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from this file: one line and no more
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Make a password and print it, this once, alone on stdout
    #[arg(long)]
    generate_password: bool,
    /// Set none; print (and mail) a link with which the user sets one
    #[arg(long)]
    invite: bool,
}

/// Which password the operator chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Given(Password),
    /// To be printed once it is stored.
    Generated(Password),
    /// None; the user gets a link.
    Invite,
}

impl PasswordFlags {
    /// What the password is good for: one that was made here is for the first login alone, unless it is to
    /// stay.
    #[must_use]
    pub const fn term(&self) -> Term {
        if self.must_change || (self.source.generate_password && !self.keep) {
            Term::Temporary
        } else {
            Term::Lasting
        }
    }

    /// Whether the password that is stays until its owner has set another (`--invite`).
    #[must_use]
    pub const fn leaves_it_to_the_owner(&self) -> bool {
        self.source.invite
    }

    /// Reads, asks for or makes the password. A person is told the rule first, and asked again when a
    /// password is too weak for whoever has this address and name.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there is no way to get one, and for more than one line; `validation_failed`
    /// when it is none; `weak_password` from a person who has none better; a permission fault for a file that
    /// can't be read.
    pub fn choose(&self, app: &App, email: &Email, name: &Name) -> Result<Choice, Failure> {
        self.source.choose(app, email, name)
    }
}

impl SourceFlags {
    fn choose(&self, app: &App, email: &Email, name: &Name) -> Result<Choice, Failure> {
        if self.invite {
            return Ok(Choice::Invite);
        }
        if self.generate_password {
            return Ok(Choice::Generated(generate(app.entropy(), app.config.password.min_length)));
        }
        if self.password_stdin {
            return one_line(&from_stdin("--password-stdin")?, "stdin").map(Choice::Given);
        }
        if let Some(path) = &self.password_file {
            return one_line(&from_file(path)?, &path.display().to_string()).map(Choice::Given);
        }
        if prompt::can_ask() {
            let judge = |password: &Password| policy::check(app, password, email, name);
            return prompt::new_password(&policy::rule(app), &judge).map(Choice::Given);
        }
        Err(Failure::Usage(
            "nobody can be asked for a password; add --password-stdin, --password-file FILE, --generate-password or \
             --invite, or run this on a terminal"
                .into(),
        ))
    }
}

/// Reads a secret from stdin, which `flag` asked for, and drops one newline at its end.
///
/// # Errors
/// [`Failure::Usage`] when stdin is a terminal, which would show the secret; `validation_failed` when it is
/// too long or not UTF-8.
pub fn from_stdin(flag: &str) -> Result<Secret<String>, Failure> {
    if stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "stdin is a terminal; leave out {flag} to be asked without an echo"
        )));
    }
    let bytes =
        read(stdin().lock()).map_err(|error| Fault::Internal(format!("stdin can't be read: {error}")))?;
    bytes.parse()
}

fn from_file(path: &Path) -> Result<Secret<String>, Failure> {
    let file = arguments::open(path)?;
    read(file).map_err(|error| unreadable(path, &error))?.parse()
}

/// The longest secret read, in bytes: an access token is the longest there is.
const MAX_BYTES: u64 = 16 * 1024;

struct Bytes(Secret<Vec<u8>>);

fn read(source: impl Read) -> std::io::Result<Bytes> {
    let mut bytes = Vec::with_capacity(1024);
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(Bytes(Secret::new(bytes)))
}

impl Bytes {
    fn parse(&self) -> Result<Secret<String>, Failure> {
        let bytes = self.0.expose();
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Failure::Usage(format!(
                "more than {MAX_BYTES} bytes were given where a secret is read; give the secret alone"
            )));
        }
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| {
            Failure::Usage("what was given is not UTF-8 text; give the secret as text".into())
        })?;
        Ok(Secret::new(text.to_owned()))
    }
}

/// A password from where a script has put it. Whoever gives more than a line has put something else there, or
/// two passwords, and would not know afterwards which one counts.
fn one_line(text: &Secret<String>, from: &str) -> Result<Password, Failure> {
    if text.expose().contains('\n') {
        return Err(Failure::Usage(format!(
            "{from} has more than one line, and a password is one; give it alone, with one newline after it at most"
        )));
    }
    Password::new(text.expose())
        .map_err(|error| Refusal::invalid("password", error.code(), error.message()).into())
}

/// 32 letters and digits that are hard to confuse: 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const GROUP: usize = 5;
/// Six groups carry 150 bits.
const GROUPS_MIN: usize = 6;

/// A random password in groups of five, at least `min_length` characters long: easy to read out and to type.
fn generate(entropy: &dyn Entropy, min_length: usize) -> Password {
    let groups = GROUPS_MIN.max((min_length + 1).div_ceil(GROUP + 1)).min(password::MAX_BYTES / (GROUP + 1));
    let group = |_| -> String {
        let bytes: [u8; GROUP] = draw(entropy);
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
    };
    let text = Secret::new((0..groups).map(group).collect::<Vec<_>>().join("-"));
    Password::new(text.expose()).expect("at least six groups, and within the bound")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;

    fn secret(bytes: &[u8]) -> Result<Secret<String>, Failure> {
        read(bytes).unwrap().parse()
    }

    #[test]
    fn one_newline_at_the_end_is_not_part_of_the_secret() {
        for (given, expected) in
            [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("a\nb", "a\nb")]
        {
            assert_eq!(secret(given.as_bytes()).unwrap().expose(), expected);
        }
        assert!(matches!(secret(b"\xff"), Err(Failure::Usage(_))));
        assert!(matches!(secret("a".repeat(16 * 1024 + 1).as_bytes()), Err(Failure::Usage(_))));
    }

    #[test]
    fn generated_passwords_are_long_enough_and_differ() {
        for min_length in [8, 15, 35, 36, 64] {
            let password = generate(&SystemEntropy, min_length);
            assert!(password.expose().len() >= min_length.max(35), "{min_length}");
            assert_ne!(password, generate(&SystemEntropy, min_length));
        }
    }
}
