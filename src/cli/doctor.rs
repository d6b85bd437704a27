//! `doctor`: what is wrong with this installation.

use super::Context;
use super::exit::Failure;
use super::terminal::table::{Cell, Column, Row, Table, Tone};
use crate::usecase::app::Ports;
use crate::usecase::operator::doctor;
use crate::usecase::operator::doctor::{Finding, FindingState};
use crate::views;
use clap::Args;

/// Check the whole installation, and say what to do about what is wrong
///
/// Looks at the configuration, the files and who owns them, the database, the signing key, the clock, admins,
/// mail and the disk, and changes nothing. With --url it also asks the daemon there, as clients do: whether
/// it is well, whether it serves this very database, and whether the proxy passes its headers on. Exits 5
/// when a check failed, and 0 with warnings alone.
///
/// The configured providers are asked as `provider test` does, all at once, for 10 seconds at most. What
/// is wrong with one is a warning: it may be their trouble, or this machine may have no network now. Another
/// is what a provider has left that the configuration doesn't name: identities, and roles that it granted.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl doctor
  authctl doctor --url https://auth.example.com
  authctl doctor -o json | jq '.[] | select(.state != \"ok\")'")]
pub struct Doctor {
    /// Ask the daemon at this address, too
    #[arg(long, value_name = "URL", value_parser = web_address)]
    url: Option<String>,
}

fn web_address(text: &str) -> Result<String, String> {
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    is_web
        .then(|| text.to_owned())
        .ok_or_else(|| "an address such as https://auth.example.com is needed".into())
}

impl Doctor {
    /// Runs all checks and prints what each found.
    ///
    /// # Errors
    /// Exit 5 when a check failed.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let findings = match context.loaded() {
            Ok(loaded) => {
                let file =
                    loaded.file.as_ref().map_or_else(|| "no file".into(), |path| path.display().to_string());
                let mut findings = vec![Finding::ok("configuration", format!("it is right ({file})"))];
                let url = self.url.as_deref();
                findings.extend(doctor::examine(&loaded.config, &Ports::real(), context.caller(), url)?);
                findings
            }
            // Without the configuration there is nothing else to check.
            Err(error) => vec![Finding::fail("configuration", error.to_string())],
        };
        let columns = [Column::Whole("check"), Column::Whole("state"), Column::Text("says")];
        let row = |finding: &Finding| {
            let mut row = Row::of_object(&columns, finding.check.to_string(), views::finding(finding));
            row.cells[1] = Cell::toned(finding.state.name(), tone(finding.state));
            row
        };
        context.terminal().list(&Table::new(&columns, findings.iter().map(row).collect()))?;
        let failed: Vec<_> = findings.iter().filter(|finding| finding.state == FindingState::Fail).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let names = failed.iter().map(|finding| &*finding.check).collect::<Vec<_>>().join(", ");
        Err(Failure::Check(format!(
            "{} of {} checks failed: {names}; do what they say",
            failed.len(),
            findings.len()
        )))
    }
}

const fn tone(state: FindingState) -> Tone {
    match state {
        FindingState::Ok => Tone::Good,
        FindingState::Warn => Tone::Warning,
        FindingState::Fail => Tone::Bad,
    }
}
