//! Reading the operator's own list of passwords that are refused (`password.blocklist_file`).

use super::files::run_as;
use crate::domain::blocklist::Blocklist;
use crate::error::Fault;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// The longest file taken, in bytes: some seven million passwords, which stay in memory.
const MAX_BYTES: u64 = 64 << 20;

/// Reads the list; `None` is the built-in one alone.
///
/// # Errors
/// [`Fault::Permission`] for a file that may not be read; [`Fault::Config`] for one that isn't there,
/// is too long, or isn't UTF-8, with the line.
pub fn read(path: Option<&Path>) -> Result<Blocklist, Fault> {
    let Some(path) = path else {
        return Ok(Blocklist::built_in());
    };
    let wrong = |why: String| Fault::Config(format!("password.blocklist_file: {} {why}", path.display()));
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > MAX_BYTES => Err(wrong("is over 64 MiB; give it fewer lines".into())),
        Ok(_) => String::from_utf8(bytes).map(|text| Blocklist::with(&text)).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.split(|byte| *byte == b'\n').count();
            wrong(format!("is not UTF-8 in line {line}; convert it, or drop that line"))
        }),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Fault::Permission(format!(
            "password.blocklist_file: {} can't be read: {error}; {}",
            path.display(),
            run_as(path)
        ))),
        Err(error) => Err(wrong(format!("can't be read: {error}; name a file with one password a line"))),
    }
}
