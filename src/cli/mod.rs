//! The operator's face: a command line over the same use-cases as HTTP.
//!
//! A noun a file. `tree` says which commands there are, `terminal` alone prints and prompts, `exit` maps
//! what went wrong to exit codes. Nothing here reads or writes the database but by a use-case.

pub mod apikey;
pub mod apply;
pub mod audit;
pub mod completion;
pub mod config;
pub mod db;
pub mod doctor;
pub mod exit;
pub mod export;
pub mod hash;
pub mod import;
pub mod key;
pub mod log;
pub mod mail;
pub mod man;
mod new_file;
pub mod operator;
pub mod password;
pub mod role;
pub mod serve;
pub mod supervisor;
pub mod terminal;
pub mod times;
pub mod token;
pub mod totp;
pub mod tree;
pub mod user;

use crate::config::{Loaded, Sources, load};
use crate::domain::caller::Caller;
use crate::domain::role::{InvalidPermission, InvalidRoleName, Permission, RoleName};
use crate::error::{Fault, Refusal};
use crate::usecase::account::admin as accounts;
use crate::usecase::app::files;
use crate::usecase::app::{App, IfMissing, Ports};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use exit::Failure;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use terminal::Terminal;
use tree::{Cli, Command, Program};

/// What every command has at hand.
#[derive(Debug)]
pub struct Context {
    program: Program,
    terminal: Terminal,
    caller: Caller,
    config_file: Option<PathBuf>,
    /// Settings given as flags: key, flag, value.
    flags: Vec<(&'static str, String, String)>,
}

impl Context {
    fn new(program: Program, cli: &Cli) -> Self {
        let global = &cli.global;
        let listen = match &cli.command {
            Command::Serve(serve) => {
                serve.listen().map(|address| ("listen", "--listen".to_owned(), address.to_owned()))
            }
            _ => None,
        };
        Self {
            program,
            terminal: Terminal::new(program.name(), global.format(), global.detail(), global.colour()),
            caller: Caller::operator(&operator::login_name()),
            config_file: global.config().cloned(),
            flags: [global.settings(), listen].into_iter().flatten().collect(),
        }
    }

    #[must_use]
    pub const fn program(&self) -> Program {
        self.program
    }

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

    /// The configuration.
    ///
    /// # Errors
    /// [`Fault::Config`], which names file, line and key; [`Fault::Permission`].
    pub fn loaded(&self) -> Result<Loaded, Fault> {
        load(&Sources::of_process(self.config_file.clone(), self.flags.clone())?)
    }

    /// The app over the database that is there.
    ///
    /// # Errors
    /// `not_found` when there is none, and whatever keeps it from being opened.
    pub fn app(&self) -> Result<App, Failure> {
        self.open(IfMissing::Refuse)
    }

    /// The app over the database, made first where there is none and `if_missing` says so.
    ///
    /// # Errors
    /// As [`App::open`].
    pub fn open(&self, if_missing: IfMissing) -> Result<App, Failure> {
        Ok(App::open(self.loaded()?.config, Ports::real(), if_missing)?)
    }

    /// Says what an opening made, which files count, and how to make the first admin while there is none.
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
            self.terminal.note("no admin yet; make one with: authctl user add you@example.com --verified --role admin");
        }
        Ok(())
    }
}

/// Runs the command that the arguments name; the first is the program's own name.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<_> = args.collect();
    let program = Program::called(args.first().unwrap_or(&OsString::new()));
    if let Some(answered) = completion::answer(program, &args) {
        return answered.map_or_else(|failure| ExitCode::from(failure.exit_code()), |()| ExitCode::SUCCESS);
    }
    let cli = match tree::parse(program, args) {
        Ok(cli) => cli,
        Err(error) => return parser_exit(&error),
    };
    let context = Context::new(program, &cli);
    match run(&context, &cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.terminal.report(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Help and version are answers, exit 0; a command line that can't be read is exit 2.
fn parser_exit(error: &clap::Error) -> ExitCode {
    match terminal::parser_says(error) {
        Err(failure) => ExitCode::from(failure.exit_code()),
        Ok(()) if error.use_stderr() => ExitCode::from(2),
        Ok(()) => ExitCode::SUCCESS,
    }
}

fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Serve(serve) => serve.run(context),
        Command::User(verb) => verb.run(context),
        Command::Role(verb) => verb.run(context),
        Command::Token(verb) => verb.run(context),
        Command::Apikey(verb) => verb.run(context),
        Command::Key(verb) => verb.run(context),
        Command::Totp(verb) => verb.run(context),
        Command::Audit(verb) => verb.run(context),
        Command::Mail(verb) => verb.run(context),
        Command::Db(verb) => verb.run(context),
        Command::Import(import) => import.run(context),
        Command::Export(export) => export.run(context),
        Command::Apply(apply) => apply.run(context),
        Command::Config(verb) => verb.run(context),
        Command::Doctor(doctor) => doctor.run(context),
        Command::Hash(verb) => verb.run(context),
        Command::Completion(completion) => completion.run(context),
        Command::Man(man) => man.run(context),
    }
}

/// What it means that a file which was named can't be read.
fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let text = format!("{} can't be read: {error}", path.display());
    match error.kind() {
        ErrorKind::NotFound => Refusal::not_found("file", path.display().to_string()).into(),
        ErrorKind::PermissionDenied => Fault::Permission(format!("{text}; {}", files::run_as(path))).into(),
        _ => Failure::Usage(format!("{text}; name another file")),
    }
}

fn role_name(text: &str) -> Result<RoleName, Refusal> {
    RoleName::parse(text).map_err(|_| Refusal::invalid("role", "invalid", InvalidRoleName::MESSAGE))
}

fn role_names(texts: &[String]) -> Result<Vec<RoleName>, Refusal> {
    texts.iter().map(|text| role_name(text)).collect()
}

fn permissions(texts: &[String]) -> Result<Vec<Permission>, Refusal> {
    let invalid = |_| Refusal::invalid("permission", "invalid", InvalidPermission::MESSAGE);
    texts.iter().map(|text| Permission::parse(text).map_err(invalid)).collect()
}

/// Takes one of the values of a domain type, by its name.
fn choices<T, const N: usize>(all: [T; N], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.map(name)).map(move |text| {
        all.into_iter().find(|value| name(*value) == text).expect("only the names of these values are possible")
    })
}
