//! The figures: medians, targets, and the table they are printed in.

use std::fmt::Write;

/// What a row's figure must be.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// authd's figure.
    pub ours: f64,
    /// What it is held against. 1 where the target is absolute.
    pub limit: f64,
    /// The load generator's part of all cores, while it loaded authd.
    pub generator: f64,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    pub what: String,
    /// What the figures are counted in.
    pub unit: &'static str,
    pub target: Target,
    pub samples: Vec<Sample>,
    /// Why the row counts for nothing.
    pub void: Option<String>,
    /// What else was seen; printed below the table.
    pub note: Option<String>,
}

impl Row {
    pub fn new(what: impl Into<String>, unit: &'static str, target: Target) -> Self {
        Self { what: what.into(), unit, target, samples: Vec::new(), void: None, note: None }
    }

    /// The median of the runs' ratios.
    pub fn ratio(&self) -> f64 {
        self.median(|sample| sample.ours / sample.limit)
    }

    fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(figure).collect())
    }

    fn cells(&self) -> [String; 7] {
        if let Some(why) = &self.void {
            return [&self.what, "void:", why, "", "", "no", ""].map(str::to_owned);
        }
        let ratio = self.ratio();
        let (sign, bound, met) = match self.target {
            Target::AtLeast(least) => ('≥', least, ratio >= least),
            Target::AtMost(most) => ('≤', most, ratio <= most),
        };
        let with_unit = |figure: f64| format!("{} {}", short(figure), self.unit);
        let ratios = self.samples.iter().map(|sample| sample.ours / sample.limit);
        let (least, most) = ratios.fold((f64::MAX, f64::MIN), |(least, most), r| (least.min(r), most.max(r)));
        let spread = if self.samples.len() > 1 {
            format!(" ({} to {})", short(least), short(most))
        } else {
            String::new()
        };
        let ours = with_unit(self.median(|sample| sample.ours));
        let is_absolute = self.samples.iter().all(|sample| (sample.limit - 1.0).abs() < f64::EPSILON);
        let (ours, limit, ratio, target) = if is_absolute {
            (ours + &spread, String::new(), String::new(), format!("{sign} {bound} {}", self.unit))
        } else {
            let limit = with_unit(self.median(|sample| sample.limit));
            (ours, limit, short(ratio) + &spread, format!("{sign} {bound}"))
        };
        let met = if met { "yes" } else { "no" };
        let generator = format!("{:.0} %", 100.0 * self.median(|sample| sample.generator));
        [self.what.clone(), ours, limit, ratio, target, met.to_owned(), generator]
    }
}

const HEADS: [&str; 7] = ["what", "authd", "limit", "ratio", "target", "met", "generator's CPU"];

/// The table in Markdown, its columns aligned so that it reads on a terminal as well.
pub fn markdown(rows: &[Row]) -> String {
    let mut lines: Vec<[String; 7]> = vec![HEADS.map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    lines.insert(1, widths.map(|width| "-".repeat(width)));
    let mut text = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
    }
    for (row, note) in rows.iter().filter_map(|row| Some((row, row.note.as_ref()?))) {
        let _ = write!(text, "\n- {}: {note}", row.what);
    }
    text
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => figures[count / 2],
        count => f64::midpoint(figures[count / 2 - 1], figures[count / 2]),
    }
}

/// Three digits or more, as many as say something.
fn short(figure: f64) -> String {
    match figure {
        f if f >= 100.0 => format!("{f:.0}"),
        f if f >= 10.0 => format!("{f:.1}"),
        f => format!("{f:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }

    #[test]
    fn a_row_is_met_by_its_median_and_never_when_void() {
        let mut row = Row::new("a", "/s", Target::AtLeast(0.5));
        row.samples = [40.0, 60.0, 70.0].map(|ours| Sample { ours, limit: 100.0, generator: 0.1 }).to_vec();
        assert_eq!(row.cells()[5], "yes");
        row.void = Some("failed".into());
        assert_eq!(row.cells()[5], "no");
    }
}
