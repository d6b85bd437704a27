//! `import`: users of other systems, or of another authd.

use super::Context;
use super::arguments::{self, choices, unreadable};
use super::exit::Failure;
use super::terminal::Format as Printed;
use super::terminal::csv::plain;
use super::terminal::progress::{LongWork, Output, human_count};
use super::terminal::table::{Cell, Column, Row, Table, Tone, object};
use crate::domain::secret::Secret;
use crate::error::{Fault, Refusal};
use crate::ports::progress::Unit;
use crate::usecase::operator::import as importing;
use crate::usecase::operator::import::{
    Entry, Format, ImportMode, Input, Options, Outcome, Passwords, Summary, UnusableHash, firebase,
};
use crate::views;
use crate::views::ImportNote;
use clap::Args;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, stdin};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Take over users from another system, or from another authd
///
/// Password hashes are taken as they are: whoever has a password goes on with it, and the next login makes
/// argon2id of it. bcrypt, PBKDF2, scrypt, argon2, sha-crypt ($5$, $6$), htpasswd's $apr1$ and {SHA} are
/// understood, within bounds on what one login may cost. The last two are so quick to compute that whoever
/// steals them guesses most passwords: how many came is said, and --must-change asks for others. An entry
/// whose hash is none of these is not taken over, unless --drop-unusable-hashes says to come without a
/// password.
///
/// Addresses are verified only where the file says so. Whoever is there already stays as they are, so that
/// a second run is harmless. Roles must be there: see `role add`. One entry that can't be taken over spoils
/// nothing; it is reported on stderr with its line (in JSON documents: the number of the user), and the exit
/// code is 5.
///
/// Accounts at providers and passkeys come along in jsonl and csv, and sign in once the configuration has the
/// provider, or the passkeys' domain. An entry with one that signs in to somebody else already is not taken
/// over.
///
/// The formats: jsonl and csv as `export` writes them (only `email` is needed); htpasswd; auth0, an export or
/// import file, one object a line or an array; django, the output of `dumpdata auth.user`; firebase, the
/// JSON of `firebase auth:export`; pocketbase, the records of the users collection, one object a line or an
/// array.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl import users.jsonl --format jsonl --dry-run
  authctl import .htpasswd --format htpasswd --domain example.com
  authctl import users.json --format firebase --firebase-config hash_config.json
  manage.py dumpdata auth.user | authctl import - --format django")]
pub struct Import {
    /// The file, or - for stdin
    file: PathBuf,
    /// Whose format it is
    #[arg(long, value_parser = choices(Format::ALL, Format::name))]
    format: Format,
    /// Say line by line what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Take over users whose password hash can't be verified here, without a password
    #[arg(long)]
    drop_unusable_hashes: bool,
    /// Ask whoever comes with a password for another one at the next login
    #[arg(long)]
    must_change: bool,
    /// Complete names in an htpasswd file that are no addresses: ann is ann@DOMAIN
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// A JSON file with Firebase's hash parameters: base64_signer_key, base64_salt_separator, rounds,
    /// mem_cost
    #[arg(long, value_name = "FILE")]
    firebase_config: Option<PathBuf>,
}

impl Import {
    /// Reads the file and takes its users over, or says with `--dry-run` what would come of it.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do; exit 5 when an entry was not taken over.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let options = self.options()?;
        let (source, bytes) = self.open()?;
        let (summary, kept) = context.terminal().long_work(Output::AtTheEnd, |work| {
            let app = context.app()?;
            work.progress().begin("reading", Unit::Bytes, bytes);
            let mut told = Told::new(context, self.mode(), work)?;
            let mut source = BufReader::with_capacity(64 * 1024, work.reading(source));
            let input = Input { source: &mut source, progress: work.progress() };
            let summary =
                importing::import(&app, context.caller(), input, &options, &mut |entry| told.tell(entry))?;
            Ok((summary, told.end()?))
        })?;
        self.finish(context, summary, kept)
    }

    const fn mode(&self) -> ImportMode {
        if self.dry_run { ImportMode::DryRun } else { ImportMode::Write }
    }

    fn options(&self) -> Result<Options, Failure> {
        for (flag, given, format) in [
            ("--domain", self.domain.is_some(), Format::Htpasswd),
            ("--firebase-config", self.firebase_config.is_some(), Format::Firebase),
        ] {
            if given && self.format != format {
                return Err(Failure::Usage(format!(
                    "{flag} is for --format {} alone; leave it out",
                    format.name()
                )));
            }
        }
        Ok(Options {
            format: self.format,
            mode: self.mode(),
            unusable_hash: if self.drop_unusable_hashes { UnusableHash::Drop } else { UnusableHash::Refuse },
            passwords: if self.must_change { Passwords::MustChange } else { Passwords::AsTheyAre },
            domain: self.domain.clone(),
            firebase: self.firebase_config.as_deref().map(parameters).transpose()?,
            plain,
        })
    }

    /// Opens the input; gives its length in bytes, too. `None`: that can't be known.
    fn open(&self) -> Result<(File, Option<u64>), Failure> {
        if self.file == Path::new("-") {
            let stdin = stdin().as_fd().try_clone_to_owned();
            let stdin = stdin.map_err(|error| Fault::Internal(format!("stdin can't be read: {error}")))?;
            return Ok((File::from(stdin), None));
        }
        let file = arguments::open(&self.file)?;
        let about = file.metadata().map_err(|error| unreadable(&self.file, &error))?;
        Ok((file, about.is_file().then_some(about.len())))
    }

    fn finish(&self, context: &Context, summary: Summary, kept: Kept) -> Result<(), Failure> {
        let Summary { created, skipped, failed, weak_hashes } = summary;
        kept.attention.show(context)?;
        context.terminal().note(&match self.mode() {
            ImportMode::Write => format!("created {created}, skipped {skipped} who were there already, failed {failed}"),
            ImportMode::DryRun => format!(
                "would create {created}, skip {skipped} who are there already, fail {failed}; nothing was changed"
            ),
        });
        if weak_hashes > 0 {
            context.terminal().note(&weak(weak_hashes));
        }
        if context.terminal().format() == Printed::Json && !context.terminal().is_quiet() {
            let report = views::import_report(&summary, self.dry_run, &kept.problems, &kept.notes);
            context.terminal().show(&Table::of_objects(&[], [(String::new(), report)]))?;
        }
        if failed == 0 {
            return Ok(());
        }
        let total = created + skipped + failed;
        let text = match self.mode() {
            ImportMode::Write => format!(
                "{failed} of {total} entries were not taken over; mend them and run it again, which skips the others"
            ),
            ImportMode::DryRun => {
                format!("{failed} of {total} entries would not be taken over; mend them first")
            }
        };
        Err(Failure::Check(text))
    }
}

fn weak(hashes: u64) -> String {
    format!(
        "warning: {} come with hashes that are quick to guess at ($apr1$, {{SHA}}) until they log in the next time; \
         --must-change asks whoever comes for another password",
        human_count(hashes)
    )
}

/// The longest file of parameters.
const PARAMETERS_MAX: u64 = 16 * 1024;

fn parameters(path: &Path) -> Result<firebase::Parameters, Failure> {
    let mut text = String::with_capacity(1024);
    let file = arguments::open(path)?;
    file.take(PARAMETERS_MAX).read_to_string(&mut text).map_err(|error| unreadable(path, &error))?;
    let text = Secret::new(text);
    let wrong = |why| Refusal::invalid("firebase-config", "invalid", format!("{}: {why}", path.display()));
    Ok(firebase::parameters(&text).map_err(wrong)?)
}

const COLUMNS: [Column; 5] = [
    Column::Whole("line"),
    Column::Whole("outcome"),
    Column::Whole("email"),
    Column::Whole("code"),
    Column::Text("message"),
];

/// As wide as the columns mostly are: a stream can't measure them beforehand.
const WIDTHS: [usize; 5] = [6, 7, 30, 18, 0];

/// Tells what became of the entries while they are read.
///
/// A dry run prints a row for each; on a terminal, only of those that somebody has to look at, and no more
/// than fit there. A real one says on stderr what failed or stayed behind, and with `-q` prints the ids of
/// the users made. With `-o json` both are kept for the one document at the end.
struct Told<'a> {
    context: &'a Context,
    mode: ImportMode,
    work: &'a LongWork,
    kept: Kept,
    /// What printing came to, once it failed.
    failed: Result<(), Failure>,
}

/// How many rows of a dry run a terminal is given.
const SHOWN: usize = 20;

/// What a terminal shows of each of them; what a code means stands below.
const ON_SCREEN: [Column; 3] = [Column::Whole("line"), Column::Text("email"), Column::Whole("code")];

/// What somebody at a terminal has to look at.
#[derive(Default)]
struct Attention {
    /// The first of them.
    rows: Vec<Row>,
    /// How many more there are.
    more: u64,
    /// Code and message, each once.
    reasons: BTreeSet<String>,
}

impl Attention {
    fn add(&mut self, entry: &Entry) {
        let whys: Vec<(&str, &str)> = match &entry.outcome {
            Outcome::Skipped => Vec::new(),
            Outcome::Failed(problem) => vec![(problem.code, problem.message.as_str())],
            Outcome::Created(notes) => notes.iter().map(|note| (note.code, note.message)).collect(),
        };
        for (code, message) in whys {
            if self.rows.len() == SHOWN {
                self.more += 1;
                continue;
            }
            self.reasons.insert(format!("{code}: {message}"));
            let row = row(entry, ("", Tone::Plain), Some((code, message)));
            let [line, _, email, code, _]: [Cell; 5] =
                row.cells.try_into().expect("a row has a cell for each column");
            self.rows.push(Row { id: row.id, cells: vec![line, email, code], json: row.json });
        }
    }

    fn show(self, context: &Context) -> Result<(), Failure> {
        if !self.rows.is_empty() {
            context.terminal().list(&Table::new(&ON_SCREEN, self.rows))?;
        }
        self.reasons.iter().for_each(|reason| context.terminal().note(reason));
        if self.more > 0 {
            context.terminal().note(&format!("and {} more; -o json has all", human_count(self.more)));
        }
        Ok(())
    }
}

/// What is said of single entries at the end.
#[derive(Default)]
struct Kept {
    attention: Attention,
    problems: Vec<ImportNote>,
    notes: Vec<ImportNote>,
}

impl Kept {
    fn keep(&mut self, entry: &Entry) {
        let note = |code, message: &str| views::import_note(entry, code, message);
        match &entry.outcome {
            Outcome::Skipped => {}
            Outcome::Failed(problem) => self.problems.push(note(problem.code, &problem.message)),
            Outcome::Created(notes) => {
                self.notes.extend(notes.iter().map(|told| note(told.code, told.message)));
            }
        }
    }
}

impl<'a> Told<'a> {
    fn new(context: &'a Context, mode: ImportMode, work: &'a LongWork) -> Result<Self, Failure> {
        let told = Self { context, mode, work, kept: Kept::default(), failed: Ok(()) };
        if mode == ImportMode::DryRun && !told.is_kept() && !told.is_bounded() {
            let header = Table::new(&COLUMNS, Vec::new());
            work.aside(|| context.terminal().begin_stream(&header, &WIDTHS))?;
        }
        Ok(told)
    }

    /// Whether a person looks at a dry run on a terminal, which holds only so much.
    fn is_bounded(&self) -> bool {
        let terminal = self.context.terminal();
        self.mode == ImportMode::DryRun && terminal.is_a_screen() && terminal.is_for_people()
    }

    fn is_kept(&self) -> bool {
        self.context.terminal().format() == Printed::Json && !self.context.terminal().is_quiet()
    }

    fn tell(&mut self, entry: Entry) {
        let said = self.say(&entry);
        if self.failed.is_ok() {
            self.failed = said;
        }
    }

    fn say(&mut self, entry: &Entry) -> Result<(), Failure> {
        if self.is_kept() {
            self.kept.keep(entry);
            return Ok(());
        }
        if self.is_bounded() {
            self.kept.attention.add(entry);
            return Ok(());
        }
        let rows = rows(entry);
        let terminal = self.context.terminal();
        if terminal.is_quiet() || self.mode == ImportMode::DryRun {
            let wanted = !terminal.is_quiet() || matches!(entry.outcome, Outcome::Created(_));
            let shown = if terminal.is_quiet() { &rows[..1] } else { &rows[..] };
            self.work.aside(|| {
                shown.iter().filter(|_| wanted).try_for_each(|row| terminal.stream_wrapped(row, &WIDTHS))
            })?;
        }
        if self.mode == ImportMode::Write {
            self.work.aside(|| said(entry).iter().for_each(|text| terminal.note(text)));
        }
        Ok(())
    }

    fn end(self) -> Result<Kept, Failure> {
        self.failed.map(|()| self.kept)
    }
}

/// What a person must know of an entry; mostly nothing.
fn said(entry: &Entry) -> Vec<String> {
    let line = entry.line;
    match &entry.outcome {
        Outcome::Skipped => Vec::new(),
        Outcome::Failed(problem) => {
            let whose = entry.email.as_ref().map(|email| format!("{email}: ")).unwrap_or_default();
            vec![format!("line {line}: {}: {whose}{}", problem.code, problem.message)]
        }
        Outcome::Created(notes) => {
            let email = entry.email.as_deref().unwrap_or_default();
            notes.iter().map(|note| format!("line {line}: {}: {email} {}", note.code, note.message)).collect()
        }
    }
}

/// What there is to say of an entry: mostly one row, and more where several things stayed behind.
fn rows(entry: &Entry) -> Vec<Row> {
    match &entry.outcome {
        Outcome::Skipped => vec![row(entry, ("skipped", Tone::Plain), None)],
        Outcome::Failed(problem) => {
            vec![row(entry, ("failed", Tone::Bad), Some((problem.code, &problem.message)))]
        }
        Outcome::Created(notes) if notes.is_empty() => {
            vec![row(entry, ("created", Tone::Good), None)]
        }
        Outcome::Created(notes) => notes
            .iter()
            .map(|note| row(entry, ("created", Tone::Warning), Some((note.code, note.message))))
            .collect(),
    }
}

/// `why` is a code and a message.
fn row(entry: &Entry, (outcome, tone): (&str, Tone), why: Option<(&str, &str)>) -> Row {
    let (code, message) = why.unzip();
    Row {
        id: entry.id.map_or_else(|| entry.email.clone().unwrap_or_default(), |id| id.to_string()),
        cells: vec![
            Cell::new(entry.line.to_string()),
            Cell::toned(outcome, tone),
            Cell::maybe(entry.email.as_deref()),
            Cell::maybe(code),
            Cell::maybe(message),
        ],
        json: object(views::imported_entry(entry, outcome, why)),
    }
}
