//! The two names of the program, and the first words of its help under each.

use std::ffi::OsString;
use std::path::Path;

/// Makes the tree of commands for one of the names. It is passed down as a value, because `man` and
/// `completion` need the tree and are part of it.
pub type Tree = fn(Program) -> clap::Command;

/// The name that the program was called by. The commands are the same under both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Authd,
    Authctl,
}

impl Program {
    /// Finds the name from the first argument: anything but `authctl` is the daemon.
    #[must_use]
    pub fn called(argv0: &OsString) -> Self {
        let name = Path::new(argv0).file_stem().unwrap_or_default();
        if name == "authctl" { Self::Authctl } else { Self::Authd }
    }

    /// The name as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authd => "authd",
            Self::Authctl => "authctl",
        }
    }

    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Authd => "An authentication server in one binary and one SQLite file",
            Self::Authctl => "Operates an authd server: users, roles, sessions, audit log, mail, database",
        }
    }

    pub(super) const fn after_help(self) -> &'static str {
        match self {
            Self::Authd => {
                "Examples:
  authd serve
  authd serve --listen 0.0.0.0:8080
  authd user add ann@example.com --role admin

Without a configuration the daemon runs with ./authd.toml, or with its defaults. Every command of authctl works
under this name, too."
            }
            Self::Authctl => {
                "Examples:
  authctl user add ann@example.com --role admin
  authctl user list --query example.com -o json
  authctl token revoke --user ann@example.com
  authctl audit tail -f

Every command works while the daemon runs and while it doesn't; what it changes counts for the \
daemon's next request."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_last_part_of_the_path() {
        assert_eq!(Program::called(&"/usr/local/bin/authctl".into()), Program::Authctl);
        assert_eq!(Program::called(&"./authd".into()), Program::Authd);
        assert_eq!(Program::called(&OsString::new()), Program::Authd);
    }
}
