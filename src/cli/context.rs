//! What every command has at hand: the terminal, the operator, the configuration, the app.

use super::exit::Failure;
use super::global::Global;
use super::operator;
use super::program::{Program, Tree};
use super::terminal::Terminal;
use crate::config::{Loaded, Sources, load};
use crate::domain::caller::Caller;
use crate::error::Fault;
use crate::usecase::account::admin as accounts;
use crate::usecase::app::files;
use crate::usecase::app::{App, IfMissing, Ports};
use std::path::{Path, PathBuf};

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
}

impl Context {
    /// Collects what the command line says; `listen` is the address of `serve --listen`.
    pub(super) fn new(program: Program, tree: Tree, global: &Global, listen: Option<&str>) -> Self {
        let listen = listen.map(|address| ("listen", "--listen".to_owned(), address.to_owned()));
        Self {
            program,
            tree,
            terminal: Terminal::new(program.name(), global.format(), global.detail(), global.colour()),
            caller: Caller::operator(&operator::login_name()),
            config_file: global.config().cloned(),
            flags: [global.settings(), listen].into_iter().flatten().collect(),
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

    /// Loads the configuration.
    ///
    /// # Errors
    /// [`Fault::Config`], which names file, line and key; [`Fault::Permission`].
    pub fn loaded(&self) -> Result<Loaded, Fault> {
        load(&Sources::of_process(self.config_file.clone(), self.flags.clone())?)
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

    /// Prints what the opening created, which files count, and how to make the first admin while there is
    /// none.
    ///
    /// # Errors
    /// The store's.
    pub fn welcome(&self, app: &App) -> Result<(), Failure> {
        let made = |made: bool| if made { " (new)" } else { "" };
        let config = &app.config;
        self.terminal.note(&format!("database  {}{}", config.database.display(), made(app.created.database)));
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
