//! A table as people see it: with borders on a terminal, within its width; elsewhere the same columns,
//! aligned and never wrapped.

use super::fit::{Want, fit};
use super::{Cell, Colour, Column, Row, Style, Table, Tone};
use crate::cli::terminal::cut::cut;
use crate::cli::terminal::escape::visible;
use comfy_table::{
    Attribute, Cell as Drawn, Color, ColumnConstraint, ContentArrangement, Table as Drawing, Width, presets,
};

/// A table as a terminal shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnScreen {
    pub text: String,
    /// The columns for which there was no room.
    pub left_out: Vec<&'static str>,
}

/// The pages of one list, aligned: each column is as wide as its widest cell so far.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    /// Empty: there was no page yet.
    widths: Vec<u16>,
}

/// The blanks after each column.
const GAP: u16 = 2;

impl Plain {
    /// Draws the next page, the first one under the columns' names.
    #[must_use]
    pub fn page(&mut self, table: &Table, colour: Colour) -> String {
        let columns = table.drawn_columns();
        let mut drawing = Drawing::new();
        if self.widths.is_empty() {
            drawing.set_header(columns.iter().map(|(_, column)| heading(*column)));
        }
        let cells = |row: &Row| columns.iter().map(|(at, _)| draw_cell(&row.cells[*at])).collect::<Vec<_>>();
        drawing.add_rows(table.rows.iter().map(cells));
        let widest = drawing.column_max_content_widths();
        self.widths.resize(columns.len(), 0);
        self.widths.iter_mut().zip(widest).for_each(|(width, widest)| *width = widest.max(*width));
        for (drawn, width) in drawing.column_iter_mut().zip(&self.widths) {
            drawn.set_padding((0, GAP)).set_constraint(exactly(*width, GAP));
        }
        drawing.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        lines(drawing, colour)
    }
}

impl Table {
    /// Draws rows under one another within so many columns of a screen.
    #[must_use]
    pub fn draw(&self, screen: u16, colour: Colour) -> OnScreen {
        let columns = self.drawn_columns();
        let drawing = self.drawing(&columns, &[]);
        let column_of = |name: &&str| columns.iter().position(|(_, column)| column.name() == *name);
        let gives_way: Vec<usize> = self.gives_way.iter().filter_map(column_of).collect();
        let widest = drawing.column_max_content_widths();
        let want = |((at, column), width): (&(usize, Column), u16)| match column {
            Column::Text(name) => Want::text(width, self.longest_word(*at).max(letters(name))),
            Column::Cut(name) => Want::text(width, letters(name)),
            Column::Whole(_) | Column::Id(_) | Column::Time(_) | Column::Secret(_) => Want::Whole(width),
        };
        let wants: Vec<Want> = columns.iter().zip(widest).map(want).collect();
        let widths = fit(&wants, &gives_way, screen);
        let cuts = columns.iter().any(|(_, column)| matches!(column, Column::Cut(_)));
        let drawing = if cuts { self.drawing(&columns, &widths) } else { drawing };
        let gone = columns.iter().zip(&widths).filter(|(_, width)| width.is_none());
        let left_out = gone.map(|((_, column), _)| column.name()).collect();
        OnScreen { text: bordered(drawing, &widths, screen, colour), left_out }
    }

    /// All rows under their header; what may be cut is, where its column's width is known.
    fn drawing(&self, columns: &[(usize, Column)], widths: &[Option<u16>]) -> Drawing {
        let mut drawing = Drawing::new();
        drawing.set_header(columns.iter().map(|(_, column)| heading(*column)));
        let room = |at: usize| widths.get(at).copied().flatten();
        let cells = |row: &Row| {
            let columns = columns.iter().enumerate();
            let cells =
                columns.map(|(place, (at, column))| self.draw_short(*column, &row.cells[*at], room(place)));
            cells.collect::<Vec<_>>()
        };
        drawing.add_rows(self.rows.iter().map(cells));
        drawing
    }

    /// Draws each row as pairs of name and value, one under another.
    #[must_use]
    pub fn draw_record(&self, style: Style, colour: Colour) -> String {
        let columns = self.drawn_columns();
        let record = |row: &Row| {
            let mut drawing = Drawing::new();
            match style {
                Style::Bordered { width } => {
                    let pair =
                        |(at, column): &(usize, Column)| vec![heading(*column), draw_spaced(&row.cells[*at])];
                    drawing.add_rows(columns.iter().map(pair));
                    let [names, values] = drawing.column_max_content_widths()[..] else {
                        return String::new();
                    };
                    let widths = fit(&[Want::Whole(names), Want::text(values, 0)], &[], width);
                    bordered(drawing, &widths, width, colour)
                }
                Style::Plain => {
                    let pair =
                        |(at, column): &(usize, Column)| vec![heading(*column), draw_cell(&row.cells[*at])];
                    drawing.add_rows(columns.iter().map(pair));
                    drawing
                        .load_style(presets::NOTHING)
                        .set_content_arrangement(ContentArrangement::Disabled);
                    drawing.column_iter_mut().for_each(|drawn| {
                        drawn.set_padding((0, GAP));
                    });
                    lines(drawing, colour)
                }
            }
        };
        self.rows.iter().map(record).collect::<Vec<_>>().join("\n")
    }

    /// How long the longest word in a column is, as a terminal shows it.
    fn longest_word(&self, column: usize) -> u16 {
        let texts = self.rows.iter().map(|row| &row.cells[column]);
        let words = texts.flat_map(|cell| cell.spaced.as_ref().unwrap_or(&cell.text).split(' '));
        words.map(letters).max().unwrap_or(0)
    }

    /// The columns that may stand in a drawing, each with its place.
    fn drawn_columns(&self) -> Vec<(usize, Column)> {
        let drawn = |(_, column): &(usize, Column)| !matches!(column, Column::Secret(_));
        self.columns.iter().copied().enumerate().filter(drawn).collect()
    }

    /// A cell as a list on a terminal has it.
    fn draw_short(&self, column: Column, cell: &Cell, room: Option<u16>) -> Drawn {
        match column {
            Column::Id(name) => {
                let letters =
                    self.short.iter().find(|(short, _)| *short == name).map(|(_, letters)| *letters);
                let short: String = cell.text.chars().take(letters.unwrap_or(usize::MAX)).collect();
                toned(&short, cell.tone)
            }
            Column::Time(_) => toned(&to_the_minute(&cell.text), cell.tone),
            Column::Cut(_) => {
                let room = room.map_or(usize::MAX, usize::from);
                Drawn::new(cut(&visible(&cell.text), room))
            }
            Column::Text(_) | Column::Whole(_) | Column::Secret(_) => draw_spaced(cell),
        }
    }
}

/// `2026-11-22T08:00:00Z` without what a glance doesn't need. All times are UTC.
fn to_the_minute(time: &str) -> String {
    match (time.get(..10), time.get(10..11), time.get(11..16)) {
        (Some(day), Some("T"), Some(minute)) => format!("{day} {minute}"),
        _ => time.to_owned(),
    }
}

fn letters(text: &str) -> u16 {
    u16::try_from(text.chars().count()).unwrap_or(u16::MAX)
}

fn heading(column: Column) -> Drawn {
    Drawn::new(column.name()).add_attribute(Attribute::Bold)
}

fn draw_cell(cell: &Cell) -> Drawn {
    toned(&cell.text, cell.tone)
}

fn draw_spaced(cell: &Cell) -> Drawn {
    toned(cell.spaced.as_ref().unwrap_or(&cell.text), cell.tone)
}

/// The dark ones of the sixteen colours, as everywhere in the terminal: on white, bright ones can't be read.
fn toned(text: &str, tone: Tone) -> Drawn {
    let drawn = Drawn::new(visible(text));
    match tone {
        Tone::Plain => drawn,
        Tone::Good => drawn.fg(Color::DarkGreen),
        Tone::Warning => drawn.fg(Color::DarkYellow),
        Tone::Bad => drawn.fg(Color::DarkRed),
    }
}

/// A column of this content and padding.
const fn exactly(content: u16, padding: u16) -> ColumnConstraint {
    ColumnConstraint::Absolute(Width::Fixed(content.saturating_add(padding)))
}

/// The drawing within borders; a column without a width stays away.
fn bordered(mut drawing: Drawing, widths: &[Option<u16>], screen: u16, colour: Colour) -> String {
    for (drawn, width) in drawing.column_iter_mut().zip(widths) {
        drawn.set_constraint(width.map_or(ColumnConstraint::Hidden, |width| exactly(width, 2)));
    }
    drawing.load_style(presets::UTF8_FULL_CONDENSED).set_width(screen);
    drawing.set_content_arrangement(ContentArrangement::Dynamic);
    lines(drawing, colour)
}

fn lines(mut drawing: Drawing, colour: Colour) -> String {
    // What stdout is has been found out already; the drawing shall not look for itself.
    drawing.force_no_tty();
    if colour == Colour::On {
        drawing.enforce_styling();
    }
    drawing.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const COLUMNS: &[Column] = &[Column::Id("id"), Column::Text("name"), Column::Time("at")];

    fn table() -> Table {
        let row = |id: &str, name: &str, tone| Row {
            id: id.into(),
            cells: vec![Cell::new(id), Cell::toned(name, tone), Cell::new("2026-11-22T08:00:05.123Z")],
            json: Value::Null,
        };
        let rows = vec![row("123456", "Ann\tLee", Tone::Bad), row("123567", "\u{1b}[31mEve", Tone::Plain)];
        Table::new(COLUMNS, rows)
    }

    fn plain(table: &Table, colour: Colour) -> String {
        Plain::default().page(table, colour)
    }

    #[test]
    fn plain_has_aligned_columns_and_nothing_else() {
        let expected = "\
id      name         at
123456  Ann\\tLee     2026-11-22T08:00:05.123Z
123567  \\x1b[31mEve  2026-11-22T08:00:05.123Z
";
        assert_eq!(plain(&table(), Colour::Off), expected);
    }

    #[test]
    fn a_second_page_stands_under_the_first() {
        let (mut pages, mut second) = (Plain::default(), table());
        let _ = pages.page(&table(), Colour::Off);
        second.rows.truncate(1);
        second.rows[0].cells[0] = Cell::new("1");
        assert_eq!(pages.page(&second, Colour::Off), "1       Ann\\tLee     2026-11-22T08:00:05.123Z\n");
    }

    #[test]
    fn a_terminal_shows_as_much_of_ids_and_times_as_is_needed() {
        let expected = "\
┌──────┬─────────────┬──────────────────┐
│ id   ┆ name        ┆ at               │
╞══════╪═════════════╪══════════════════╡
│ 1234 ┆ Ann\\tLee    ┆ 2026-11-22 08:00 │
│ 1235 ┆ \\x1b[31mEve ┆ 2026-11-22 08:00 │
└──────┴─────────────┴──────────────────┘
";
        let drawn = table().shortened("id", 4).draw(41, Colour::Off);
        assert_eq!(drawn, OnScreen { text: expected.into(), left_out: vec![] });
    }

    #[test]
    fn a_narrow_terminal_wraps_texts_and_then_leaves_columns_out() {
        let expected = "\
┌──────┬────────────┐
│ id   ┆ name       │
╞══════╪════════════╡
│ 1234 ┆ Ann\\tLee   │
│ 1235 ┆ \\x1b[31mEv │
│      ┆ e          │
└──────┴────────────┘
";
        let drawn = table().shortened("id", 4).giving_way(&["at", "id"]).draw(21, Colour::Off);
        assert_eq!(drawn, OnScreen { text: expected.into(), left_out: vec!["at"] });
    }

    #[test]
    fn a_narrow_terminal_shows_the_beginning_of_what_may_be_cut() {
        let row = |agent: &str| Row {
            id: String::new(),
            cells: vec![Cell::new("1"), Cell::new(agent)],
            json: Value::Null,
        };
        let rows = vec![row("Mozilla/5.0 (X11; Linux x86_64)"), row("curl/8.14.1")];
        let table = Table::new(&[Column::Id("id"), Column::Cut("user_agent")], rows);
        let expected = "\
┌────┬────────────────┐
│ id ┆ user_agent     │
╞════╪════════════════╡
│ 1  ┆ Mozilla/5.0 (… │
│ 1  ┆ curl/8.14.1    │
└────┴────────────────┘
";
        assert_eq!(table.draw(23, Colour::Off).text, expected);
        assert!(table.draw(80, Colour::Off).text.contains("Linux x86_64)"));
        assert!(plain(&table, Colour::Off).contains("Linux x86_64)"));
    }

    #[test]
    fn colour_is_ours_or_none() {
        assert!(plain(&table(), Colour::On).contains("\u{1b}[38;5;1m"));
        assert!(!plain(&table(), Colour::Off).contains('\u{1b}'));
    }

    #[test]
    fn a_record_is_pairs_in_full() {
        let mut table = table().shortened("id", 4);
        table.rows.truncate(1);
        let expected = "id    123456\nname  Ann\\tLee\nat    2026-11-22T08:00:05.123Z\n";
        assert_eq!(table.draw_record(Style::Plain, Colour::Off), expected);
    }

    #[test]
    fn a_list_is_wrapped_between_its_values() {
        let roles = Cell::list(&["editor", "support"]);
        let row = Row { id: String::new(), cells: vec![roles], json: Value::Null };
        let table = Table::new(&[Column::Text("roles")], vec![row]);
        assert_eq!(plain(&table, Colour::Off), "roles\neditor,support\n");
        assert!(table.draw(14, Colour::Off).text.contains("│ editor,    │\n│ support    │"), "{table:?}");
    }
}
