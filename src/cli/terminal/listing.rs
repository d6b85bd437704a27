//! A list as it is printed, page by page, so that it may be of any length. A terminal alone gets it at once,
//! since the widest cell decides how wide a column is.

use super::table::{self, Plain, Style, Table};
use super::{Detail, Format, Terminal, write_result};
use crate::cli::exit::Failure;

/// A list that is being printed.
#[derive(Debug)]
pub struct Listing<'t> {
    terminal: &'t Terminal,
    /// What a terminal draws at the end.
    kept: Option<Table>,
    plain: Plain,
    /// What stands below the table: whose it is, and the secret.
    secrets: Vec<(String, String)>,
    /// How many pages there were.
    pages: usize,
    rows: usize,
}

impl Terminal {
    /// Begins a list.
    #[must_use]
    pub fn listing(&self) -> Listing<'_> {
        let (kept, plain, secrets) = (None, Plain::default(), Vec::new());
        Listing { terminal: self, kept, plain, secrets, pages: 0, rows: 0 }
    }
}

impl Listing<'_> {
    /// Prints the next page; a terminal's is kept.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn add(&mut self, page: Table) -> Result<(), Failure> {
        let text = match (self.terminal.detail, self.terminal.format, self.terminal.style) {
            (Detail::Ids, ..) => page.ids(),
            (Detail::Full, Format::Tsv, _) if self.pages == 0 => page.tsv(),
            (Detail::Full, Format::Tsv, _) => page.rows.iter().map(table::Row::tsv).collect(),
            (Detail::Full, Format::Json, _) => self.json(&page),
            (Detail::Full, Format::Table, Style::Plain) => {
                self.keep_secrets(&page);
                self.plain.page(&page, self.terminal.colour)
            }
            (Detail::Full, Format::Table, Style::Bordered { .. }) => {
                self.keep_secrets(&page);
                self.pages += 1;
                self.rows += page.rows.len();
                match &mut self.kept {
                    Some(kept) => kept.append(page),
                    None => self.kept = Some(page),
                }
                return Ok(());
            }
        };
        self.pages += 1;
        self.rows += page.rows.len();
        write_result(&text)
    }

    /// How many rows there were so far.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Ends the list: with what a terminal shows, and what is shown this once.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn end(self) -> Result<(), Failure> {
        if self.terminal.detail == Detail::Full && self.terminal.format == Format::Json {
            return write_result(if self.rows == 0 { "[]\n" } else { "\n]\n" });
        }
        if self.rows == 0 && self.terminal.is_a_screen() && self.terminal.is_for_people() {
            self.terminal.note("there is nothing to list");
            return Ok(());
        }
        let mut left_out = Vec::new();
        if let (Some(table), Style::Bordered { width }) = (&self.kept, self.terminal.style) {
            let drawn = table.draw(width, self.terminal.colour);
            write_result(&drawn.text)?;
            left_out = drawn.left_out;
        }
        for (of, secret) in &self.secrets {
            write_result(&format!("\n{}:\n{}\n", table::on_one_line(of), table::on_one_line(secret)))?;
        }
        if !left_out.is_empty() {
            let names = left_out.join(", ");
            self.terminal.note(&format!("no room for {names}; use a wider terminal, or -o json"));
        }
        Ok(())
    }

    /// The page as a part of an array that [`Listing::end`] closes.
    fn json(&self, page: &Table) -> String {
        let items = page.json_items().join(",\n");
        match (items.is_empty(), self.rows) {
            (true, _) => String::new(),
            (false, 0) => format!("[\n{items}"),
            (false, _) => format!(",\n{items}"),
        }
    }

    fn keep_secrets(&mut self, page: &Table) {
        let owned = |(of, secret): (&str, &str)| (of.to_owned(), secret.to_owned());
        self.secrets.extend(page.secrets().into_iter().map(owned));
    }
}
