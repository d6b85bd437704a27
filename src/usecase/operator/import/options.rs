//! What whoever imports chooses: the format, and what happens to what can't be taken along.

use crate::crypto::password::foreign::firebase::Parameters;

/// Whose files are understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// What `export` writes, one JSON object a line.
    Jsonl,
    /// What `export --format csv` writes.
    Csv,
    Htpasswd,
    Auth0,
    Django,
    Firebase,
    Pocketbase,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: [Self; 7] =
        [Self::Jsonl, Self::Csv, Self::Htpasswd, Self::Auth0, Self::Django, Self::Firebase, Self::Pocketbase];

    /// The name as `--format` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Htpasswd => "htpasswd",
            Self::Auth0 => "auth0",
            Self::Django => "django",
            Self::Firebase => "firebase",
            Self::Pocketbase => "pocketbase",
        }
    }
}

/// What to do with a user whose password hash can't be verified here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnusableHash {
    /// Report the entry, and take nothing over.
    Refuse,
    /// Take the user over without a password, and say so.
    Drop,
}

/// What the passwords of a file are good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passwords {
    /// As the file says, and else for as long as their owners like.
    AsTheyAre,
    /// For one login, which asks for another. They have no end: their owners know them, and come when they
    /// come.
    MustChange,
}

/// Whether anything is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportMode {
    Write,
    /// Change nothing; say what would happen.
    DryRun,
}

/// How a file is taken over.
#[derive(Clone, Debug)]
pub struct Options {
    pub format: Format,
    pub mode: ImportMode,
    pub unusable_hash: UnusableHash,
    pub passwords: Passwords,
    /// What completes a name without one to an address, in an htpasswd file.
    pub domain: Option<String>,
    /// The project's hash parameters. `None`: hashes of Firebase's can't be taken over.
    pub firebase: Option<Parameters>,
    /// The value that stands in a cell of CSV.
    pub plain: fn(&str) -> String,
}
