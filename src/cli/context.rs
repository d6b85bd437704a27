//! What every command has at hand: the terminal, the operator, the configuration, the app.

use super::exit::Failure;
use super::global::Global;
use super::nearest;
use super::operator;
use super::program::{Program, Tree};
use super::terminal::Terminal;
use crate::config::{Config, Loaded, Sources, WeakSetting, load, weak_settings};
use crate::domain::caller::Caller;
use crate::error::Error;
use crate::usecase::account::admin as accounts;
use crate::usecase::app::files;
use crate::usecase::app::{App, IfMissing, Ports};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What every command has at hand.
#[derive(Debug)]
pub struct Context {
    program: Program,
    tree: Tree,
    terminal: Terminal,
    caller: Caller,
    config_file: Option<PathBuf>,
    /// Settings given as flags: key, flag, value.
    flags: Vec<(&'static str, String, String)>,
    loaded: OnceLock<Loaded>,
    args: Vec<OsString>,
}

impl Context {
    /// Collects what the command line says, which `args` are as they were typed; `listen` is the address of
    /// `serve --listen`.
    pub(super) fn new(
        program: Program,
        tree: Tree,
        global: &Global,
        listen: Option<&str>,
        args: Vec<OsString>,
    ) -> Self {
        let listen = listen.map(|address| ("listen", "--listen".to_owned(), address.to_owned()));
        Self {
            program,
            tree,
            terminal: Terminal::new(program.name(), global.format(), global.detail(), global.colour()),
            caller: Caller::operator(&operator::login_name()),
            config_file: global.config().cloned(),
            flags: global.settings().into_iter().chain(listen).collect(),
            loaded: OnceLock::new(),
            args,
        }
    }

    /// The name that the program was called by.
    #[must_use]
    pub const fn program(&self) -> Program {
        self.program
    }

    /// How the tree of commands is made.
    #[must_use]
    pub const fn tree(&self) -> Tree {
        self.tree
    }

    /// The words of the command line; the first is the program's own name.
    #[must_use]
    pub fn args(&self) -> &[OsString] {
        &self.args
    }

    /// The terminal to print to and to ask at.
    #[must_use]
    pub const fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// The operator at this shell.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What `--config` names; `None`: nothing, it is searched for.
    #[must_use]
    pub fn config_file(&self) -> Option<&Path> {
        self.config_file.as_deref()
    }

    /// Says why something was not done, with the name that was most likely meant where none has it; gives the
    /// exit code.
    pub fn report(&self, failure: Failure) -> u8 {
        let failure = nearest::suggest(|| Ok(self.loaded()?.config), failure);
        self.terminal.report(&failure);
        failure.exit_code()
    }

    /// Loads the configuration. The first time, what was passed over on the way to it is said.
    ///
    /// # Errors
    /// As [`load`]: faults that name file, line and key; `not_found` for a file that is named and isn't
    /// there.
    pub fn loaded(&self) -> Result<Loaded, Error> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded.clone());
        }
        let loaded = load(&Sources::of_process(self.config_file.clone(), self.flags.clone())?)?;
        for warning in &loaded.warnings {
            self.terminal.note(&format!("warning: {warning}"));
        }
        Ok(self.loaded.get_or_init(|| loaded).clone())
    }

    /// Loads the configuration with another value of a key, which `flag` on the command line gives.
    ///
    /// # Errors
    /// As [`Context::loaded`].
    pub fn loaded_with(&self, key: &'static str, flag: &str, value: &str) -> Result<Config, Error> {
        let mut flags: Vec<_> = self.flags.iter().filter(|(known, ..)| *known != key).cloned().collect();
        flags.push((key, flag.to_owned(), value.to_owned()));
        Ok(load(&Sources::of_process(self.config_file.clone(), flags)?)?.config)
    }

    /// Opens the app over the database that is there.
    ///
    /// # Errors
    /// `not_found` when there is none, and whatever keeps it from being opened.
    pub fn app(&self) -> Result<App, Failure> {
        self.open(IfMissing::Refuse)
    }

    /// Opens the app over the database, creating it first where there is none and `if_missing` says so.
    ///
    /// # Errors
    /// As [`App::open`].
    pub fn open(&self, if_missing: IfMissing) -> Result<App, Failure> {
        Ok(App::open(self.loaded()?.config, Ports::real(), if_missing)?)
    }

    /// Says which settings weaken what authd promises, and gives them.
    pub fn warn_of_weak_settings(&self, config: &Config) -> Vec<WeakSetting> {
        let weak = weak_settings(config);
        for WeakSetting { key, says } in &weak {
            self.terminal.note(&format!("warning: {key}: {says}"));
        }
        weak
    }

    /// Prints what the opening created, which files count, and how to make the first admin while there is
    /// none.
    ///
    /// # Errors
    /// The store's.
    pub fn welcome(&self, app: &App) -> Result<(), Failure> {
        let made = |made: bool| if made { " (new)" } else { "" };
        let config = &app.config;
        self.terminal.note(&format!("database  {}{}", config.database, made(app.created.database)));
        self.terminal.note(&format!("key file  {}{}", config.key_file.display(), made(app.created.key_file)));
        if let Some(warning) = files::folder_warning(config) {
            self.terminal.note(&format!("warning: {warning}"));
        }
        if !accounts::has_admin(app)? {
            self.terminal.note(
                "no admin yet; make one with: authctl user add you@example.com --verified --role admin",
            );
        }
        Ok(())
    }
}
