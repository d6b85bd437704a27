//! authd's own format as CSV: a line with the members' names, then a row a user.

use super::own;
use super::record::{Problem, Rules};
use super::source::{Bounded, ENTRY_MAX, Take, unreadable};
use crate::error::{Error, Refusal};
use crate::usecase::operator::transfer_format::{Kind, known};
use csv::{ErrorKind, StringRecord};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::io::BufRead;

/// How much a row may take: the reader fetches some ahead.
const ROW_MAX: usize = ENTRY_MAX + 64 * 1024;

/// Reads the rows, each with the number of the line on which it begins.
pub(super) fn read(source: &mut dyn BufRead, rules: &Rules<'_>, take: &mut Take<'_>) -> Result<(), Error> {
    let left = Cell::new(ROW_MAX);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).from_reader(Bounded { inner: source, left: &left });
    let columns = match reader.headers() {
        Ok(names) => columns(names)?,
        Err(error) => return take(1, Err(broken(&error))),
    };
    let mut row = StringRecord::new();
    loop {
        left.set(ROW_MAX);
        let line = reader.position().line();
        match reader.read_record(&mut row) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let line = row.position().map_or(line, csv::Position::line);
                take(line, object(rules, &columns, &row).and_then(|object| own::record(rules, &object)))?;
            }
            Err(error) if matches!(error.kind(), ErrorKind::Utf8 { .. }) => {
                take(line, Err(Problem::malformed("the row is not UTF-8 text")))?;
            }
            Err(error) => return take(line, Err(broken(&error))),
        }
    }
}

/// The members that the first line names.
fn columns(names: &StringRecord) -> Result<Vec<(&'static str, Kind)>, Refusal> {
    let refuse = |what: &str, name: &str| {
        let message =
            format!("{what} `{name}`; the first line of the file names the columns, as `export` writes them");
        Refusal::invalid("FILE", "invalid", message)
    };
    let mut columns: Vec<(&str, Kind)> = Vec::new();
    for name in names.iter().map(|name| name.trim_start_matches('\u{feff}')) {
        let column =
            known().find(|(known, _)| *known == name).ok_or_else(|| refuse("there is no column", name))?;
        if columns.contains(&column) {
            return Err(refuse("there are two columns", name));
        }
        columns.push(column);
    }
    if columns.iter().any(|(name, _)| *name == "email") {
        Ok(columns)
    } else {
        Err(refuse("there is no column", "email"))
    }
}

/// The object that the row is, as if it had come as JSON.
fn object(rules: &Rules<'_>, columns: &[(&'static str, Kind)], row: &StringRecord) -> Result<Value, Problem> {
    if row.len() != columns.len() {
        let text = format!("the row has {} cells, and there are {} columns", row.len(), columns.len());
        return Err(Problem::malformed(text));
    }
    let mut object = Map::new();
    for ((name, kind), cell) in columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
        let cell = (rules.options.plain)(cell);
        let value = match kind {
            Kind::Text | Kind::Time => cell.into(),
            Kind::List => cell.split_whitespace().collect(),
            // Neither is what it should be: the member's own message says so.
            Kind::Flag => cell.to_ascii_lowercase().parse().map_or(Value::from(cell), Value::Bool),
            Kind::Identities | Kind::Passkeys => serde_json::from_str(&cell).unwrap_or_else(|_| cell.into()),
            Kind::Number => cell.parse::<u64>().map_or(Value::from(cell), Value::from),
        };
        object.insert((*name).to_owned(), value);
    }
    Ok(Value::Object(object))
}

fn broken(error: &csv::Error) -> Problem {
    match error.kind() {
        ErrorKind::Io(error) => unreadable(error),
        _ => Problem::malformed(format!("the file can't be read on from here: {error}")),
    }
}
