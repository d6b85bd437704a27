//! What commands found, as rows under columns, and the four forms it can take: a bordered table, the same
//! columns plain, tab-separated values, JSON. Making text of it is all that happens here.

use super::escape::{self, visible};
use crate::views;
use crate::views::View;
use comfy_table::{
    Attribute, Cell as Drawn, ColumnConstraint, ContentArrangement, Table as Drawing, presets,
};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// A column's name, the same in every form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Wrapped where the terminal is narrow.
    Text(&'static str),
    /// Never broken over lines, so that it can be read at a glance and copied: ids, addresses, times.
    Whole(&'static str),
}

impl Column {
    /// The column's name, which is also the member of its JSON object.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text(name) | Self::Whole(name) => name,
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
    tone: Tone,
}

impl Cell {
    /// A cell without colour.
    pub fn new(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// A cell in the colour of `tone`.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    /// Values with commas between them.
    pub fn list(values: &[impl ToString]) -> Self {
        Self::new(values.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
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

#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
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
        Self { columns: columns.to_vec(), rows }
    }

    /// One row under another; or, where the terminal is too narrow for that, each row as a record.
    #[must_use]
    pub fn draw(&self, style: Style, colour: Colour) -> String {
        let header = self.columns.iter().map(|column| heading(column.name()));
        let rows = self.rows.iter().map(|row| row.cells.iter().map(draw_cell).collect::<Vec<_>>());
        let mut drawing = Drawing::new();
        drawing.set_header(header).add_rows(rows);
        match style {
            Style::Bordered { width } if least_width(&drawing, &self.columns) > width => {
                self.draw_record(style, colour)
            }
            Style::Bordered { .. } | Style::Plain => finish(drawing, &self.columns, style, colour),
        }
    }

    /// Each row as pairs of name and value, one under another.
    #[must_use]
    pub fn draw_record(&self, style: Style, colour: Colour) -> String {
        const PAIR: [Column; 2] = [Column::Whole("field"), Column::Text("value")];
        let record = |row: &Row| {
            let mut drawing = Drawing::new();
            let pairs = self.columns.iter().zip(&row.cells);
            drawing.add_rows(pairs.map(|(column, cell)| vec![heading(column.name()), draw_cell(cell)]));
            finish(drawing, &PAIR, style, colour)
        };
        self.rows.iter().map(record).collect::<Vec<_>>().join("\n")
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

    /// One document: an array of the rows' objects.
    #[must_use]
    pub fn json(&self) -> String {
        json_document(&self.rows.iter().map(|row| row.json.clone()).collect())
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

fn heading(name: &str) -> Drawn {
    Drawn::new(name).add_attribute(Attribute::Bold)
}

fn draw_cell(cell: &Cell) -> Drawn {
    let drawn = Drawn::new(visible(&cell.text));
    match cell.tone {
        Tone::Plain => drawn,
        Tone::Good => drawn.fg(comfy_table::Color::Green),
        Tone::Warning => drawn.fg(comfy_table::Color::Yellow),
        Tone::Bad => drawn.fg(comfy_table::Color::Red),
    }
}

/// What a column that may be wrapped needs to stay readable.
const TEXT_MIN: u16 = 10;

/// The least width in which the rows can be drawn under one another, borders included.
fn least_width(drawing: &Drawing, columns: &[Column]) -> u16 {
    let widths = drawing.column_max_content_widths();
    let least = widths.iter().zip(columns).map(|(width, column)| match column {
        Column::Whole(_) => *width,
        Column::Text(_) => TEXT_MIN.min(*width),
    });
    // A border and two blanks for each column, and the last border.
    least.fold(1, |sum, width| sum.saturating_add(width).saturating_add(3))
}

fn finish(mut drawing: Drawing, columns: &[Column], style: Style, colour: Colour) -> String {
    // What stdout is has been found out already; the drawing shall not look for itself.
    drawing.force_no_tty();
    if colour == Colour::On {
        drawing.enforce_styling();
    }
    match style {
        Style::Bordered { width } => {
            drawing.load_style(presets::UTF8_FULL_CONDENSED).set_width(width);
            drawing.set_content_arrangement(ContentArrangement::Dynamic);
            let whole = |column: &Column| matches!(column, Column::Whole(_));
            for (drawn, _) in drawing.column_iter_mut().zip(columns).filter(|(_, column)| whole(column)) {
                drawn.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        Style::Plain => {
            drawing.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
            drawing.column_iter_mut().for_each(|drawn| {
                drawn.set_padding((0, 2));
            });
        }
    }
    drawing.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
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
        Table {
            columns: COLUMNS.to_vec(),
            rows: vec![row("1", "Ann\tLee", Tone::Bad), row("22", "\u{1b}[31mEve", Tone::Plain)],
        }
    }

    #[test]
    fn a_column_that_names_no_member_is_found() {
        let columns = [Column::Whole("from"), Column::Text("too"), Column::Text("brings")];
        assert_eq!(undeclared::<views::MigrationStep>(&columns), ["too"]);
    }

    #[test]
    fn plain_has_aligned_columns_and_nothing_else() {
        let expected = "id  name\n1   Ann\\tLee\n22  \\x1b[31mEve\n";
        assert_eq!(table().draw(Style::Plain, Colour::Off), expected);
    }

    #[test]
    fn on_a_terminal_there_are_borders_and_ids_are_never_broken() {
        let drawn = table().draw(Style::Bordered { width: 19 }, Colour::Off);
        let expected = "\
┌────┬────────────┐
│ id ┆ name       │
╞════╪════════════╡
│ 1  ┆ Ann\\tLee   │
│ 22 ┆ \\x1b[31mEv │
│    ┆ e          │
└────┴────────────┘
";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn a_terminal_too_narrow_for_the_columns_gets_records() {
        let drawn = table().draw(Style::Bordered { width: 18 }, Colour::Off);
        let expected = "\
┌──────┬─────────┐
│ id   ┆ 1       │
│ name ┆ Ann\\tLe │
│      ┆ e       │
└──────┴─────────┘

┌──────┬─────────┐
│ id   ┆ 22      │
│ name ┆ \\x1b[31 │
│      ┆ mEve    │
└──────┴─────────┘
";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn colour_is_ours_or_none() {
        assert!(table().draw(Style::Plain, Colour::On).contains("\u{1b}["));
        assert!(!table().draw(Style::Plain, Colour::Off).contains('\u{1b}'));
    }

    #[test]
    fn a_record_is_pairs() {
        let mut table = table();
        table.rows.truncate(1);
        assert_eq!(table.draw_record(Style::Plain, Colour::Off), "id    1\nname  Ann\\tLee\n");
    }

    #[test]
    fn tsv_has_as_many_tabs_in_every_line() {
        assert_eq!(table().tsv(), "id\tname\n1\tAnn\\tLee\n22\t\\x1b[31mEve\n");
        assert_eq!(table().ids(), "1\n22\n");
    }
}
