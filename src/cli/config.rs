//! `config`: the settings and where each comes from.

use super::Context;
use super::exit::Failure;
use super::terminal::table::{Column, Table};
use crate::config::{HERE, text};
use crate::error::{Fault, Refusal};
use crate::usecase::app::files;
use crate::usecase::app::mail_templates::MailTemplates;
use crate::usecase::mail::delivery;
use crate::views;
use clap::Subcommand;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Check the configuration; exits 78 when it is wrong, naming file, line and key
    ///
    /// Settings that are right and weaken what authd promises are warned of, as they are by doctor and at the
    /// start of the daemon: a password hash below the least, an address that others reach in clear, no rate
    /// limits, access tokens of over an hour, addresses that nobody need verify.
    #[command(after_help = "Examples:
  authctl config check
  authctl config check --config /etc/authd/authd.toml")]
    Check,
    /// Show every setting, its value and where it comes from
    #[command(after_help = "Examples:
  authctl config show
  authctl config show -o json")]
    Show,
    /// Write a configuration file with every key, its default and what it does
    ///
    /// It goes to ./authd.toml, or where --config says. A file that has something in it is never overwritten.
    #[command(after_help = "Examples:
  authctl config init
  authctl config init --config /etc/authd/authd.toml")]
    Init,
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// [`Fault::Config`] for a wrong configuration; what keeps `init` from writing.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Check => check(context),
            Self::Show => show(context),
            Self::Init => init(context),
        }
    }
}

/// Reads the files that the configuration names, too, as the daemon does at its start.
fn check(context: &Context) -> Result<(), Failure> {
    let loaded = context.loaded()?;
    MailTemplates::read(&loaded.config)?;
    delivery::mailer(&loaded.config)?;
    let weak = context.warn_of_weak_settings(&loaded.config);
    let file = loaded.file;
    let name = file.as_ref().map_or_else(|| "no file".into(), |path| path.display().to_string());
    context.terminal().note(&format!("the configuration is right ({name})"));
    let columns = [Column::Text("ok"), Column::Text("file")];
    context
        .terminal()
        .changed(&Table::of_objects(&columns, [(name, views::config_check(file.as_deref(), &weak))]))
}

fn show(context: &Context) -> Result<(), Failure> {
    let columns = [Column::Whole("key"), Column::Text("value"), Column::Text("origin")];
    let loaded = context.loaded()?;
    let rows = loaded.settings.iter().map(|setting| (setting.key.clone(), views::setting(setting)));
    context.terminal().list(&Table::of_objects(&columns, rows))
}

fn init(context: &Context) -> Result<(), Failure> {
    let path = context.config_file().unwrap_or(Path::new(HERE));
    let name = path.display().to_string();
    // An empty file is one that `> authd.toml` has just made.
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
        return Err(Refusal::AlreadyExists { what: "file", name }.into());
    }
    let fails = |error: std::io::Error| {
        if error.raw_os_error() != Some(Errno::LOOP.raw_os_error()) {
            return files::cannot_write(path, &error);
        }
        Fault::Permission(format!(
            "{name} is a link, which somebody else may have laid; name the file that it leads to by --config"
        ))
    };
    let mut open = OpenOptions::new();
    open.append(true).create(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let mut file = open.open(path).map_err(fails)?;
    file.write_all(text::init().as_bytes()).map_err(fails)?;
    context.terminal().note(&format!("wrote {name}; every key in it is a comment until you change it"));
    context
        .terminal()
        .changed(&Table::of_objects(&[Column::Text("file")], [(name.clone(), views::written(path))]))
}
