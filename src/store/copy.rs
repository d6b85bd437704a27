//! Copying a whole database, from one kind to the other or to the same, and proving that all of it arrived.

use super::audit::head::head;
use super::audit::inbox;
use super::driver::Driver;
use super::sqlite::shape::{TableShape, tables};
use super::tx::source::Source;
use super::tx::{Query, Tx};
use super::value::{Kind, Value};
use crate::error::Fault;
use crate::ports::progress::{Progress, Unit};
use aws_lc_rs::digest::{Context, SHA256};
use std::fmt;

/// How many rows are read at once.
const PAGE: usize = 1_000;

/// The most parameters of one statement that both databases take.
const PARAMETERS_MAX: usize = 30_000;

/// What a table holds.
#[derive(Clone, PartialEq, Eq)]
pub struct TableDigest {
    pub table: String,
    pub rows: u64,
    /// SHA-256 over all rows, in the order of their keys.
    pub sha256: [u8; 32],
}

impl fmt::Debug for TableDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} rows)", self.table, self.rows)
    }
}

/// Copies all rows of all tables into a database that was just made, and looks whether they arrived: each
/// table must have as many on both sides, and the same. Gives what they hold. `from` must show one moment
/// the whole time.
///
/// # Errors
/// [`Fault::Storage`] for what the other database can't hold, or when something else arrived;
/// [`Fault::Stopped`].
pub fn copy(from: &impl Query, to: &mut Tx<'_>, progress: &Progress) -> Result<Vec<TableDigest>, Fault> {
    let tables = tables()?;
    // What a fresh schema brings along is in the source, too, unless somebody took it away there.
    for table in tables.iter().rev() {
        to.execute(&format!("DELETE FROM {}{}", table.name, own_rows(table)), &[])?;
    }
    let mut all = 0;
    for table in &tables {
        let sql = format!("SELECT count(*) AS all_rows FROM {}", table.name);
        all += from.one(&sql, &[], |row| row.get::<u64>("all_rows"))?;
    }
    progress.begin("copying", Unit::Things("rows"), Some(all));
    let mut digests = Vec::new();
    for table in &tables {
        digests.push(each_page(from, table, progress, |page| insert(to, table, page))?);
    }
    progress.begin("comparing", Unit::Things("rows"), Some(all));
    for (table, expected) in tables.iter().zip(&digests) {
        let arrived = each_page(to, table, progress, |_| Ok(()))?;
        if arrived != *expected {
            return Err(Fault::Storage(format!(
                "{expected:?} arrived as {arrived:?} that are not the same; nothing was changed"
            )));
        }
    }
    go_on_with_log(to)?;
    Ok(digests)
}

/// Where lines of the log are left in an inbox, it begins after the newest that was copied.
fn go_on_with_log(to: &mut Tx<'_>) -> Result<(), Fault> {
    let Driver::Postgres(_) = to.driver() else {
        return Ok(());
    };
    let newest =
        head(to, to.chain())?.map_err(|flaw| Fault::Storage(format!("{flaw}; nothing was changed")))?;
    let through = to.one("SELECT last_value AS drawn FROM audit_inbox_id", &[], |row| row.get("drawn"))?;
    inbox::begin(to.driver(), to.chain(), &newest, through)
}

/// A condition for the rows that belong to the content: what `meta` says of the kind of database does not.
fn own_rows(table: &TableShape) -> &'static str {
    if table.name == "meta" {
        " WHERE key NOT IN ('application', 'schema_version', 'audit_sealed_ids')"
    } else {
        ""
    }
}

/// A value that was read.
#[derive(Clone)]
enum Cell {
    Null(Kind),
    Integer(i64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Cell {
    fn of(value: Value<'_>, kind: Kind) -> Option<Self> {
        Some(match value {
            Value::Null(_) => Self::Null(kind),
            Value::Integer(number) => Self::Integer(number),
            Value::Text(bytes) => Self::Text(bytes.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_owned()),
            Value::Real(_) => return None,
        })
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Null(kind) => Value::Null(Some(*kind)),
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(bytes) => Value::Text(bytes),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }

    /// Each with its kind and its length before it, so that no two rows look the same.
    fn add_to(&self, digest: &mut Context) {
        let number;
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Null(_) => (0, &[]),
            Self::Integer(integer) => {
                number = integer.to_be_bytes();
                (1, &number)
            }
            Self::Text(bytes) => (2, bytes),
            Self::Blob(bytes) => (3, bytes),
        };
        digest.update(&[kind]);
        digest.update(&(bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
}

/// Gives each page of a table's rows to `take`, in the order of their keys.
fn each_page(
    from: &impl Query,
    table: &TableShape,
    progress: &Progress,
    mut take: impl FnMut(&[Vec<Cell>]) -> Result<(), Fault>,
) -> Result<TableDigest, Fault> {
    let (mut digest, mut rows, mut last) = (Context::new(&SHA256), 0, None);
    loop {
        if progress.is_stopped() {
            return Err(Fault::Stopped("nothing was changed".into()));
        }
        let page = page_after(from, table, last.as_deref())?;
        for row in &page {
            for cell in row {
                cell.add_to(&mut digest);
            }
        }
        take(&page)?;
        rows += page.len() as u64;
        progress.add(page.len() as u64);
        match page.into_iter().next_back() {
            Some(row) => last = Some(row),
            None => break,
        }
    }
    let sha256 = digest.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes");
    Ok(TableDigest { table: table.name.clone(), rows, sha256 })
}

fn page_after(from: &impl Query, table: &TableShape, last: Option<&[Cell]>) -> Result<Vec<Vec<Cell>>, Fault> {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let (columns, key) = (columns.join(", "), table.key.join(", "));
    let mut condition = own_rows(table).to_owned();
    let mut values = Vec::new();
    if let Some(last) = last {
        for name in &table.key {
            let at = table.columns.iter().position(|(column, _)| column == name);
            values.extend(at.map(|at| last[at].value()));
        }
        let numbers: Vec<String> = (1..=values.len()).map(|number| format!("?{number}")).collect();
        let word = if condition.is_empty() { "WHERE" } else { "AND" };
        condition += &format!(" {word} ({key}) > ({})", numbers.join(", "));
    }
    let sql = format!("SELECT {columns} FROM {}{condition} ORDER BY {key} LIMIT {PAGE}", table.name);
    let mut page = Vec::new();
    from.driver().each(&sql, &values, |cells| {
        let mut row = Vec::with_capacity(table.columns.len());
        for (at, (column, kind)) in table.columns.iter().enumerate() {
            row.push(Cell::of(cells.value(at)?, *kind).ok_or_else(|| {
                Fault::Storage(format!(
                    "column {column} of {} holds a real number, which is none of authd's",
                    table.name
                ))
            })?);
        }
        page.push(row);
        Ok(())
    })?;
    Ok(page)
}

fn insert(to: &mut Tx<'_>, table: &TableShape, page: &[Vec<Cell>]) -> Result<(), Fault> {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    for rows in page.chunks(PARAMETERS_MAX / columns.len()) {
        let values: Vec<Value<'_>> = rows.iter().flatten().map(Cell::value).collect();
        let parameters = super::value::rows(rows.len(), columns.len());
        let sql = format!("INSERT INTO {} ({}) VALUES {parameters}", table.name, columns.join(", "));
        to.execute(&sql, &values).map_err(|fault| match fault {
            Fault::Internal(why) => Fault::Storage(format!("{} can't be copied: {why}", table.name)),
            other => other,
        })?;
    }
    Ok(())
}
