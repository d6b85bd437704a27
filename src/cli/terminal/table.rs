//! What commands found, as rows under columns, and the four forms it can take: a bordered table, the same
//! columns plain, tab-separated values, JSON. Making text of it is all that happens here: `draw` makes what
//! people see, `fit` decides how wide each column of it is, `wrap` what a stream's line is on a terminal.

mod draw;
mod fit;
mod wrap;

pub use draw::{OnScreen, Plain};

use super::escape::{self, visible};
use crate::views;
use crate::views::View;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// A column's name, the same in every form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Wrapped where the terminal is narrow.
    Text(&'static str),
    /// In a list on a narrow terminal its beginning alone: what would take many lines and tells little by its
    /// end, as browsers name themselves.
    Cut(&'static str),
    /// Up to 40 letters never broken over lines while anything else can give way, so that it can be read at a
    /// glance and copied: names, addresses.
    Whole(&'static str),
    /// An id: as [`Column::Whole`], and in a list on a terminal as short as [`Table::shortened`] has it.
    Id(&'static str),
    /// A time (RFC 3339): as [`Column::Whole`], and in a list on a terminal up to the minute, as in
    /// `2026-11-22 08:00`.
    Time(&'static str),
    /// What is shown this once. It is never drawn within a table, where a line break would spoil it, but
    /// below it on a line of its own: see [`Table::secrets`].
    Secret(&'static str),
}

impl Column {
    /// The column's name, which is also the member of its JSON object.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text(name)
            | Self::Cut(name)
            | Self::Whole(name)
            | Self::Id(name)
            | Self::Time(name)
            | Self::Secret(name) => name,
        }
    }
}

/// How a cell is meant; only colour shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    text: String,
    /// Where a terminal shows it otherwise, so that it can be wrapped between two values.
    spaced: Option<String>,
    tone: Tone,
}

impl Cell {
    /// A cell without colour.
    pub fn new(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// A cell in the colour of `tone`.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), spaced: None, tone }
    }

    /// Values with commas between them, and on a terminal blanks, too.
    pub fn list(values: &[impl ToString]) -> Self {
        let values: Vec<_> = values.iter().map(ToString::to_string).collect();
        Self { spaced: Some(values.join(", ")), ..Self::new(values.join(",")) }
    }

    /// A JSON value as people read it: text without quotes, lists with commas, objects as `name=value`,
    /// nothing where there is nothing.
    #[must_use]
    pub fn of_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::new(""),
            Value::String(text) => Self::new(text.as_str()),
            Value::Array(values) => {
                Self::list(&values.iter().map(|value| Self::of_json(value).text).collect::<Vec<_>>())
            }
            Value::Object(members) => {
                let pairs =
                    members.iter().map(|(name, value)| format!("{name}={}", Self::of_json(value).text));
                Self::new(pairs.collect::<Vec<_>>().join(" "))
            }
            Value::Bool(_) | Value::Number(_) => Self::new(value.to_string()),
        }
    }

    /// Empty where there is nothing.
    pub fn maybe(value: Option<impl ToString>) -> Self {
        Self::new(value.map(|value| value.to_string()).unwrap_or_default())
    }
}

/// One thing found.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What `-q` prints.
    pub id: String,
    /// As many as there are columns.
    pub cells: Vec<Cell>,
    /// What `-o json` prints: the object of the HTTP contract.
    pub json: Value,
}

/// Rows under columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// See [`Table::giving_way`].
    gives_way: &'static [&'static str],
    /// Columns of ids and how many letters of them are enough.
    short: Vec<(&'static str, usize)>,
}

/// Whether a person looks at a terminal or something reads a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Within `width` columns of the screen.
    Bordered { width: u16 },
    /// The same columns, aligned, without borders and never wrapped.
    Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    On,
    Off,
}

impl Table {
    /// Rows whose cells are the members of an object that the columns name; each with its id. A debug build
    /// holds that the object has all of these, so that every test of a command holds its columns.
    #[must_use]
    pub fn of_objects<V: View>(columns: &[Column], objects: impl IntoIterator<Item = (String, V)>) -> Self {
        debug_assert_eq!(undeclared::<V>(columns), [""; 0], "columns must name members of what is shown");
        let rows = objects.into_iter().map(|(id, view)| Row::of_object(columns, id, view)).collect();
        Self::new(columns, rows)
    }

    /// Rows that were made one by one.
    #[must_use]
    pub fn new(columns: &[Column], rows: Vec<Row>) -> Self {
        Self { columns: columns.to_vec(), rows, gives_way: &[], short: Vec::new() }
    }

    /// Names the columns that go where a terminal is too narrow for all, in the order in which they go.
    /// Before any goes, texts are wrapped. Without this no column goes, and the widest is wrapped at last.
    #[must_use]
    pub fn giving_way(mut self, order: &'static [&'static str]) -> Self {
        let is_column = |name: &&str| self.columns.iter().any(|column| column.name() == *name);
        debug_assert!(order.iter().all(is_column), "what gives way must be a column: {order:?}");
        self.gives_way = order;
        self
    }

    /// Has a terminal show so many letters of the ids in a column; see [`Column::Id`].
    #[must_use]
    pub fn shortened(mut self, column: &'static str, letters: usize) -> Self {
        self.short.push((column, letters));
        self
    }

    /// What is shown this once, each with the id of the row that it belongs to.
    #[must_use]
    pub fn secrets(&self) -> Vec<(&str, &str)> {
        let is_secret = |column: &Column| matches!(column, Column::Secret(_));
        let mut found = Vec::new();
        for row in &self.rows {
            let cells = self.columns.iter().zip(&row.cells).filter(|(column, _)| is_secret(column));
            let secrets = cells.map(|(_, cell)| cell.text.as_str()).filter(|secret| !secret.is_empty());
            found.extend(secrets.map(|secret| (row.id.as_str(), secret)));
        }
        found
    }

    /// Takes the rows of another page of the same list.
    pub fn append(&mut self, page: Self) {
        self.rows.extend(page.rows);
        for (column, letters) in page.short {
            match self.short.iter_mut().find(|(known, _)| *known == column) {
                Some((_, most)) => *most = letters.max(*most),
                None => self.short.push((column, letters)),
            }
        }
    }

    /// A line with the columns' names, then one a row; a tab or line break within a value is escaped.
    #[must_use]
    pub fn tsv(&self) -> String {
        std::iter::once(self.tsv_header()).chain(self.rows.iter().map(Row::tsv)).collect()
    }

    /// The columns' names on one line, with tabs between them.
    #[must_use]
    pub fn tsv_header(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name()).collect();
        names.join("\t") + "\n"
    }

    /// The columns' names, each as wide as `widths` says.
    #[must_use]
    pub fn stream_header(&self, widths: &[usize]) -> String {
        stream_line(self.columns.iter().map(|column| Cow::Borrowed(column.name())), widths)
    }

    /// The ids alone, one a line.
    #[must_use]
    pub fn ids(&self) -> String {
        self.rows.iter().map(Row::id_line).collect()
    }

    /// The rows' objects, one a line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        self.rows.iter().map(Row::json_line).collect()
    }

    /// The rows' objects as they stand in one array, indented.
    #[must_use]
    pub fn json_items(&self) -> Vec<String> {
        let indented = |row: &Row| {
            let document = json_document(&row.json);
            document.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
        };
        self.rows.iter().map(indented).collect()
    }
}

impl Row {
    /// A row whose cells are the members of the object that the columns name.
    #[must_use]
    pub fn of_object(columns: &[Column], id: String, view: impl Serialize) -> Self {
        let json = object(view);
        let cells = columns.iter().map(|column| Cell::of_json(&json[column.name()])).collect();
        Self { id, cells, json }
    }

    /// The cells on one line, with tabs between them.
    #[must_use]
    pub fn tsv(&self) -> String {
        let cells: Vec<_> = self.cells.iter().map(|cell| visible(&cell.text)).collect();
        cells.join("\t") + "\n"
    }

    /// The cells on one line, each at least as wide as `widths` says: a stream can't know its widest cell.
    #[must_use]
    pub fn stream_line(&self, widths: &[usize]) -> String {
        stream_line(self.cells.iter().map(|cell| visible(&cell.text)), widths)
    }

    /// The id on a line of its own.
    #[must_use]
    pub fn id_line(&self) -> String {
        format!("{}\n", visible(&self.id))
    }

    /// The row's object on one line.
    #[must_use]
    pub fn json_line(&self) -> String {
        json_line(&self.json)
    }
}

/// The columns that name no member of the object.
fn undeclared<V: View>(columns: &[Column]) -> Vec<&'static str> {
    let members = views::members::<V>();
    columns
        .iter()
        .map(|column| column.name())
        .filter(|name| members.iter().all(|member| member != name))
        .collect()
}

/// Text on one line of a terminal, harmless there.
#[must_use]
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    visible(text)
}

/// What `-o json` prints of a view.
#[must_use]
pub fn object(view: impl Serialize) -> Value {
    serde_json::to_value(view).expect("a view has text for keys, and no value that can't be written")
}

/// A JSON document on one line, harmless on a terminal.
#[must_use]
pub fn json_line(value: &Value) -> String {
    format!("{}\n", escape::json(&value.to_string()))
}

/// A JSON document for people and programs: indented, and harmless on a terminal.
#[must_use]
pub fn json_document(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("a JSON value has string keys only");
    format!("{}\n", escape::json(&text))
}

fn stream_line<'a>(cells: impl Iterator<Item = Cow<'a, str>>, widths: &[usize]) -> String {
    let widths = widths.iter().copied().chain(std::iter::repeat(0));
    let line: String = cells.zip(widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
    line.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const COLUMNS: &[Column] = &[Column::Whole("id"), Column::Text("name")];

    fn table() -> Table {
        let row = |id: &str, name: &str, tone| Row {
            id: id.into(),
            cells: vec![Cell::new(id), Cell::toned(name, tone)],
            json: json!({"id": id, "name": name}),
        };
        let rows = vec![row("1", "Ann\tLee", Tone::Bad), row("22", "\u{1b}[31mEve", Tone::Plain)];
        Table::new(COLUMNS, rows)
    }

    #[test]
    fn a_column_that_names_no_member_is_found() {
        let columns = [Column::Whole("from"), Column::Text("too"), Column::Text("brings")];
        assert_eq!(undeclared::<views::MigrationStep>(&columns), ["too"]);
    }

    #[test]
    fn a_secret_is_named_by_its_row() {
        let columns = [Column::Whole("name"), Column::Secret("key")];
        let row = |name: &str, key| Row {
            id: name.into(),
            cells: vec![Cell::new(name), Cell::maybe(key)],
            json: json!({"name": name, "key": key}),
        };
        let table = Table::new(&columns, vec![row("ci", Some("authd_1")), row("none", None::<&str>)]);
        assert_eq!(table.secrets(), [("ci", "authd_1")]);
        assert!(!table.draw(80, Colour::Off).text.contains("authd_1"));
    }

    #[test]
    fn json_objects_stand_in_their_array_as_in_one_document() {
        let rows = table().rows.into_iter().map(|row| row.json).collect::<Value>();
        assert_eq!(format!("[\n{}\n]\n", table().json_items().join(",\n")), json_document(&rows));
    }

    #[test]
    fn tsv_has_as_many_tabs_in_every_line() {
        assert_eq!(table().tsv(), "id\tname\n1\tAnn\\tLee\n22\t\\x1b[31mEve\n");
        assert_eq!(table().ids(), "1\n22\n");
    }
}
