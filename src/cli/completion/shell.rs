//! The shells with completion: each one's script, and the form in which it reads an answer.
//!
//! bash, zsh and fish have scripts of our own: they call the program that the line names, put together again
//! what bash takes apart at `@`, and quote what they insert. The others have those of the crate.

use super::VARIABLE;
use crate::cli::program::Program;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use std::ffi::{OsStr, OsString};

/// Where some of the scripts say which word of the line is being typed.
const INDEX: &str = "_CLAP_COMPLETE_INDEX";

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    pub(super) fn named(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?;
        <Self as clap::ValueEnum>::value_variants().iter().copied().find(|shell| shell.answers().is(name))
    }

    /// What the shell has to read once to complete `program`.
    pub(super) fn script(self, program: Program) -> String {
        let name = program.name();
        let ours = |script: &str| script.replace("NAME", name).replace("VARIABLE", VARIABLE);
        match self {
            Self::Bash => ours(include_str!("script.bash")),
            Self::Fish => ours(include_str!("script.fish")),
            Self::Zsh => ours(include_str!("script.zsh")),
            Self::Elvish | Self::Powershell => {
                let mut script = Vec::new();
                self.answers()
                    .write_registration(VARIABLE, name, name, name, &mut script)
                    .expect("a Vec takes any bytes");
                String::from_utf8_lossy(&script).into_owned()
            }
        }
    }

    /// The word of `line` that is being typed.
    pub(super) fn word(self, line: &[OsString]) -> &OsStr {
        let index = match self {
            Self::Bash | Self::Elvish | Self::Zsh => std::env::var(INDEX).ok().and_then(|at| at.parse().ok()),
            Self::Fish | Self::Powershell => line.len().checked_sub(1),
        };
        index.and_then(|at: usize| line.get(at)).map_or(OsStr::new(""), |word| word)
    }

    /// How `line` may go on, in the words that the shell's script reads. `None`: in no way.
    pub(super) fn complete(self, tree: &mut clap::Command, line: Vec<OsString>) -> Option<String> {
        if line.is_empty() {
            return None;
        }
        let folder = std::env::current_dir().ok();
        let mut offered = Vec::new();
        self.answers().write_complete(tree, line, folder.as_deref(), &mut offered).ok()?;
        String::from_utf8(offered).ok()
    }

    fn answers(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &Bash,
            Self::Elvish => &Elvish,
            Self::Fish => &Fish,
            Self::Powershell => &Powershell,
            Self::Zsh => &Zsh,
        }
    }
}
