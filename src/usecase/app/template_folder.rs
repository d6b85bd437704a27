//! A folder of an operator's with templates that take the place of built-in ones, file by file: of mails and
//! of pages.

use crate::error::Fault;
use std::fs;
use std::io;
use std::path::Path;

/// Reads the file that takes a template's place. Where there is none, it is the built-in one.
///
/// # Errors
/// [`Fault::Config`] for one that can't be read.
pub fn read(folder: &Path, name: &str, built_in: &str) -> Result<String, Fault> {
    let path = folder.join(name);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(built_in.to_owned()),
        read => read.map_err(|error| Fault::Config(format!("{}: can't be read: {error}", path.display()))),
    }
}

/// Refuses a file of a template's kind with a name that no template has: it would never be used, and most
/// likely its name is misspelt. `key` is the setting, `advice` says which names there are.
///
/// # Errors
/// [`Fault::Config`]; the same for a folder that can't be read.
pub fn check_names(
    folder: &Path,
    key: &str,
    endings: &[&str],
    is_known: impl Fn(&str) -> bool,
    advice: impl FnOnce() -> String,
) -> Result<(), Fault> {
    let fails = |error| Fault::Config(format!("{key}: {} can't be read: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(fails)? {
        let name = entry.map_err(fails)?.file_name().to_string_lossy().into_owned();
        if endings.iter().any(|ending| name.ends_with(ending)) && !is_known(&name) {
            return Err(Fault::Config(format!("{}: {}", folder.join(&name).display(), advice())));
        }
    }
    Ok(())
}
