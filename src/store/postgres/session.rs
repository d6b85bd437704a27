//! A session with the server: one connection, driven by whichever thread asks, on a runtime of its own, so
//! that the store's functions stay plain. Several messages go out together where one needn't wait for the
//! other's answer.

use super::address::Address;
use super::fault::{Met, SILENT, fault, met, whole};
use super::statement::{Bound, Cells, numbered};
use super::tls;
use crate::error::Fault;
use crate::store::column::Column;
use crate::store::value::{Value, params};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

/// How long a connection may take until it is there, and how long an answer to a statement.
const CONNECTING: Duration = Duration::from_secs(5);
const ANSWERING: Duration = Duration::from_secs(10);

/// Ids are drawn so many at once, and kept for so long: whoever reads them in order waits for those that are
/// missing.
const LINE_IDS_DRAWN: usize = 32;
const LINE_IDS_KEPT: Duration = Duration::from_secs(60);
const DRAW: &str = "SELECT nextval('audit_inbox_id') AS id FROM generate_series(1, ?1)";

const COMMIT: &str = "COMMIT";

/// The most statements that a session keeps prepared: all that there are, some in several forms.
const STATEMENTS_KEPT: usize = 512;

/// One connection. Its transaction, if there is one, is a writer's.
pub struct Session {
    runtime: Runtime,
    client: Client,
    /// How long an answer is waited for.
    patience: Duration,
    /// Whether statements are prepared under a name; some poolers can't follow that.
    is_named: bool,
    prepared: RefCell<HashMap<Box<str>, Prepared>>,
    begun: Cell<Begun>,
    /// How a transaction ended that did so together with its last statement. `None`: it has not.
    ended: RefCell<Option<Commit>>,
    met: Cell<Met>,
    line_ids: Arc<LineIds>,
}

/// Ids for lines of the audit log that were drawn together. Sessions that share them number lines in the
/// order in which they leave them.
#[derive(Debug, Default)]
pub(super) struct LineIds(Mutex<(VecDeque<i64>, Duration)>);

impl LineIds {
    fn lock(&self) -> MutexGuard<'_, (VecDeque<i64>, Duration)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Throws those away that nobody waits for any more, `elapsed` of a clock that only goes forward.
    fn begin(&self, elapsed: Duration) {
        let mut stock = self.lock();
        if elapsed.saturating_sub(stock.1) > LINE_IDS_KEPT {
            stock.0.clear();
        }
        if stock.0.is_empty() {
            stock.1 = elapsed;
        }
    }

    /// `None`: there are not as many.
    fn take(&self, count: usize) -> Option<Vec<i64>> {
        let mut stock = self.lock();
        (stock.0.len() >= count).then(|| stock.0.drain(..count).collect())
    }
}

/// What is known of a statement by its text.
struct Prepared {
    /// `None`: none is prepared.
    statement: Option<Statement>,
    /// The text as the server gets it.
    text: Box<str>,
    kinds: Box<[Type]>,
    /// Known once it gave rows.
    columns: Box<[Column]>,
}

/// How far a transaction has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// There is none: each statement is by itself.
    No,
    /// It begins with its first statement, in one message with that.
    WithNext(&'static str),
    Yes,
}

/// How a commit ended.
#[derive(Debug)]
pub(super) enum Commit {
    Done,
    /// Nothing was kept.
    Refused(Fault),
    /// It was sent, and nobody knows what became of it.
    Unknown(Fault),
}

impl Session {
    /// Connects.
    pub(in crate::store) fn connect(address: &Address) -> Result<Self, Fault> {
        Self::connect_within(address, CONNECTING).map(|session| Self { patience: ANSWERING, ..session })
    }

    /// Connects, and waits for nothing longer than `patience`, for an answer neither.
    pub(in crate::store) fn connect_within(address: &Address, patience: Duration) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Fault::Internal(format!("no session with the database can be made: {error}")))?;
        let mut settings = address.settings()?;
        settings.connect_timeout(patience);
        let connecting = async {
            let tls = tls::connector(address)?;
            let connected = timeout(patience, settings.connect(tls)).await;
            let (client, connection) = match connected {
                Ok(connected) => connected.map_err(|error| unreachable(address, &error))?,
                Err(_) => return Err(Fault::StorageUnavailable(format!("{address}: {SILENT}"))),
            };
            // Whatever ends it shows at the next statement.
            tokio::spawn(async move { drop(connection.await) });
            Ok(client)
        };
        let client = runtime.block_on(connecting)?;
        Ok(Self {
            runtime,
            client,
            patience,
            is_named: address.prepared,
            prepared: RefCell::default(),
            begun: Cell::new(Begun::No),
            ended: RefCell::default(),
            met: Cell::new(Met::Nothing),
            line_ids: Arc::default(),
        })
    }

    /// Whether the connection is there still, as far as this side can tell without asking.
    pub(super) fn is_open(&self) -> bool {
        if self.is_lost() {
            return false;
        }
        // What came in meanwhile, an end above all, is looked at when the runtime runs.
        self.runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        !self.client.is_closed()
    }

    fn is_lost(&self) -> bool {
        matches!(self.met.get(), Met::Lost | Met::Silent)
    }

    /// What the statements since the last beginning have met.
    pub(super) fn met(&self) -> Met {
        self.met.get()
    }

    /// Begins a transaction by `statement`, together with the first that is asked in it. `elapsed` is of a
    /// clock that only goes forward.
    pub(super) fn begin(&self, statement: &'static str, elapsed: Duration) {
        self.begun.set(Begun::WithNext(statement));
        self.ended.take();
        self.met.set(Met::Nothing);
        self.line_ids.begin(elapsed);
    }

    /// The same with ids that other sessions take from, too.
    pub(super) fn sharing(self, line_ids: &Arc<LineIds>) -> Self {
        Self { line_ids: Arc::clone(line_ids), ..self }
    }

    /// Gives ids that no other line of the audit log has.
    pub(in crate::store) fn line_ids(&self, count: usize) -> Result<Vec<i64>, Fault> {
        loop {
            if let Some(ids) = self.line_ids.take(count) {
                return Ok(ids);
            }
            let drawn = i64::try_from(count.max(LINE_IDS_DRAWN)).unwrap_or(i64::MAX);
            let (prepared, rows) = self.query(DRAW, params![drawn])?;
            let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>();
            self.keep(DRAW, prepared);
            let mut stock = self.line_ids.lock();
            stock.0.extend(ids.map_err(|error| fault(&error))?);
            // Two may have drawn at once.
            stock.0.make_contiguous().sort_unstable();
        }
    }

    /// Ends the transaction and keeps what it did, if it has not ended with its last statement.
    pub(super) fn commit(&self) -> Commit {
        if let Some(ended) = self.ended.take() {
            return ended;
        }
        // Work that goes on after a statement failed has not seen that nothing of it will be kept.
        if self.met.get() != Met::Nothing {
            self.roll_back();
            return Commit::Refused(Fault::StorageUnavailable(
                "the database gave up the transaction; nothing was changed".into(),
            ));
        }
        if !matches!(self.begun.replace(Begun::No), Begun::Yes) {
            return Commit::Done;
        }
        self.ended_by(self.wait(self.client.batch_execute(COMMIT)))
    }

    /// What the answer to a COMMIT means, or that there was none.
    fn ended_by(&self, answer: Result<(), Fault>) -> Commit {
        match answer {
            Ok(()) => Commit::Done,
            Err(fault) if self.is_lost() => Commit::Unknown(Fault::StorageUnavailable(format!(
                "{fault}; whether this change was made is not known: look before you try again"
            ))),
            Err(fault) => Commit::Refused(fault),
        }
    }

    /// Ends the transaction and keeps what it did, unless its work came to nothing.
    ///
    /// # Errors
    /// Those of the work; [`Fault::StorageUnavailable`] where nothing was kept, or nobody knows.
    pub(super) fn end<T, E: From<Fault>>(&self, outcome: Result<T, E>) -> Result<T, E> {
        match outcome.map(|done| (done, self.commit())) {
            Ok((done, Commit::Done)) => Ok(done),
            Ok((_, Commit::Refused(fault) | Commit::Unknown(fault))) => Err(fault.into()),
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    /// Ends the transaction and keeps nothing of it.
    pub(super) fn roll_back(&self) {
        if matches!(self.begun.replace(Begun::No), Begun::Yes) && !self.is_lost() {
            // Where that fails, too, the connection is lost, and with it the transaction.
            if self.wait(self.client.batch_execute("ROLLBACK")).is_err() {
                self.met.set(Met::Lost);
            }
        }
    }

    /// Waits, for a moment before something is tried again.
    pub(super) fn pause(&self, span: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(span).await });
    }

    /// Gives the first row to `read`. `None`: there is none.
    pub(in crate::store) fn first<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(Cells<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let (prepared, rows) = self.query(sql, params)?;
        let outcome = rows.first().map(|row| read(Cells::new(row, &prepared.columns))).transpose();
        self.keep(sql, prepared);
        outcome
    }

    /// Gives each row to `read`, until one is a fault.
    pub(in crate::store) fn each(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(Cells<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let (prepared, rows) = self.query(sql, params)?;
        let outcome = rows.iter().try_for_each(|row| read(Cells::new(row, &prepared.columns)));
        self.keep(sql, prepared);
        outcome
    }

    /// Runs a statement that gives no rows; gives how many it changed.
    pub(in crate::store) fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<usize, Fault> {
        let bound: Vec<Bound<'_>> = params.iter().copied().map(Bound).collect();
        let prepared = self.prepare(sql, &bound)?;
        let changed = match &prepared.statement {
            Some(statement) => self.ask(self.client.execute(statement, &of(&bound))),
            None => self.ask(self.client.execute_typed(&prepared.text, &typed(&bound, &prepared.kinds))),
        };
        self.keep(sql, prepared);
        usize::try_from(changed?).map_err(|_| Fault::Internal("more rows than can be counted".into()))
    }

    /// Runs the transaction's last statement and ends the transaction in one message with it: a round trip
    /// less for whoever waits. What came of both, [`Self::commit`] tells.
    ///
    /// # Errors
    /// Where it could not be asked: then the transaction goes on.
    pub(in crate::store) fn execute_last(&self, sql: &str, params: &[Value<'_>]) -> Result<(), Fault> {
        let bound: Vec<Bound<'_>> = params.iter().copied().map(Bound).collect();
        // Nothing may keep it from being sent, where the COMMIT behind it is.
        bound.iter().try_for_each(Bound::check)?;
        let prepared = self.prepare(sql, &bound)?;
        // Whoever ends it sees that nothing can be kept.
        if self.met.get() != Met::Nothing {
            return Ok(());
        }
        let ended = match &prepared.statement {
            Some(statement) => self.ask_and_end(self.client.execute(statement, &of(&bound))),
            None => {
                let values = typed(&bound, &prepared.kinds);
                self.ask_and_end(self.client.execute_typed(&prepared.text, &values))
            }
        };
        self.keep(sql, prepared);
        self.begun.set(Begun::No);
        *self.ended.borrow_mut() = Some(ended);
        Ok(())
    }

    /// Runs statements without values that give nothing.
    pub(in crate::store) fn run(&self, sql: &str) -> Result<(), Fault> {
        self.ask(self.client.batch_execute(sql))
    }

    fn query(&self, sql: &str, params: &[Value<'_>]) -> Result<(Prepared, Vec<Row>), Fault> {
        let bound: Vec<Bound<'_>> = params.iter().copied().map(Bound).collect();
        let mut prepared = self.prepare(sql, &bound)?;
        let asked = match &prepared.statement {
            Some(statement) => self.ask(self.client.query(statement, &of(&bound))),
            None => self.ask(self.client.query_typed(&prepared.text, &typed(&bound, &prepared.kinds))),
        };
        // The statement is as good as before where this time went wrong.
        let rows = match asked {
            Ok(rows) => rows,
            Err(fault) => {
                self.keep(sql, prepared);
                return Err(fault);
            }
        };
        if let (true, Some(row)) = (prepared.columns.is_empty(), rows.first()) {
            prepared.columns = row.columns().iter().map(|column| Column::new(column.name())).collect();
        }
        Ok((prepared, rows))
    }

    /// Takes what is known of a statement out, to be [kept](Self::keep) afterwards.
    fn prepare(&self, sql: &str, bound: &[Bound<'_>]) -> Result<Prepared, Fault> {
        let kinds = || bound.iter().map(Bound::kind);
        let known = self.prepared.borrow_mut().remove(sql);
        if let Some(known) = known.filter(|known| known.kinds.iter().cloned().eq(kinds())) {
            return Ok(known);
        }
        let (text, kinds) = (numbered(sql).into_boxed_str(), kinds().collect::<Box<[Type]>>());
        let statement =
            if self.is_named { Some(self.wait(self.client.prepare_typed(&text, &kinds))?) } else { None };
        Ok(Prepared { statement, text, kinds, columns: Box::default() })
    }

    fn keep(&self, sql: &str, prepared: Prepared) {
        let mut all = self.prepared.borrow_mut();
        if all.len() >= STATEMENTS_KEPT {
            all.clear();
        }
        all.insert(sql.into(), prepared);
    }

    /// Asks within the transaction, which begins with it where it is to.
    fn ask<T>(&self, asked: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Fault> {
        let Begun::WithNext(begin) = self.begun.get() else {
            return self.wait(asked);
        };
        self.begun.set(Begun::Yes);
        self.wait(async {
            let (begun, answer) = tokio::join!(biased; self.client.batch_execute(begin), asked);
            begun?;
            answer
        })
    }

    /// Asks the last of a transaction, which begins with it where it is to, and ends.
    fn ask_and_end<T>(&self, asked: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Commit {
        let answers = self.within_patience(async {
            let begun = async {
                match self.begun.get() {
                    Begun::WithNext(begin) => self.client.batch_execute(begin).await,
                    Begun::No | Begun::Yes => Ok(()),
                }
            };
            tokio::join!(biased; begun, asked, self.client.batch_execute(COMMIT))
        });
        let (begun, answer, ended) = match answers {
            Ok(answers) => answers,
            Err(fault) => return self.ended_by(Err(fault)),
        };
        match begun.and(answer.map(drop)) {
            // What the server refuses it rolls back where it is told to commit, whatever becomes of the
            // connection.
            Err(error) if error.as_db_error().is_some() => Commit::Refused(self.note(&error)),
            Err(error) => self.ended_by(Err(self.note(&error))),
            Ok(()) => self.ended_by(ended.map_err(|error| self.note(&error))),
        }
    }

    /// Waits for an answer, and notes what it tells of the transaction and the connection.
    fn wait<T>(&self, asked: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Fault> {
        self.within_patience(asked)?.map_err(|error| self.note(&error))
    }

    fn within_patience<T>(&self, asked: impl Future<Output = T>) -> Result<T, Fault> {
        self.runtime.block_on(async { timeout(self.patience, asked).await }).map_err(|_| {
            self.met.set(Met::Silent);
            Fault::StorageUnavailable(SILENT.into())
        })
    }

    fn note(&self, error: &tokio_postgres::Error) -> Fault {
        let met = if self.client.is_closed() { Met::Lost } else { met(error) };
        // What comes after the first error tells of that one alone.
        if self.met.get() == Met::Nothing || met == Met::Lost {
            self.met.set(met);
        }
        fault(error)
    }
}

fn of<'b>(bound: &'b [Bound<'b>]) -> Vec<&'b (dyn ToSql + Sync)> {
    bound.iter().map(|value| value as _).collect()
}

fn typed<'b>(bound: &'b [Bound<'b>], kinds: &[Type]) -> Vec<(&'b (dyn ToSql + Sync), Type)> {
    bound.iter().zip(kinds).map(|(value, kind)| (value as _, kind.clone())).collect()
}

/// What it means that there is no connection.
fn unreachable(address: &Address, error: &tokio_postgres::Error) -> Fault {
    if error.as_db_error().is_some() {
        return fault(error);
    }
    let why = whole(error);
    if why.ends_with("password missing") {
        return Fault::Config(format!("database: {address} wants a password; set postgres.password_file"));
    }
    let advice =
        if why.contains("UnknownIssuer") { "; set postgres.ca_file to that authority's" } else { "" };
    Fault::StorageUnavailable(format!("{address} can't be reached: {why}{advice}"))
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("met", &self.met.get()).finish_non_exhaustive()
    }
}
