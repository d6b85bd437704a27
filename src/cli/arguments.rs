//! What several commands make of their arguments: roles, permissions, files, one of few names.

use super::exit::Failure;
use crate::domain::role::{InvalidPermission, InvalidRoleName, Permission, RoleName};
use crate::error::{Fault, Refusal};
use crate::usecase::app::files;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

/// Opens a file that was named to be read.
///
/// # Errors
/// As [`unreadable`].
pub(super) fn open(path: &Path) -> Result<File, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let is_folder = file.metadata().map_err(|error| unreadable(path, &error))?.is_dir();
    if is_folder { Err(unreadable(path, &ErrorKind::IsADirectory.into())) } else { Ok(file) }
}

/// Turns the error of a file that was named to be read into a failure with advice, the same for every
/// command: `not_found` where there is none, a permission fault, or [`Failure::Usage`] for what is no file.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let name = path.display();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Refusal::not_found("file", name.to_string()).into(),
        ErrorKind::PermissionDenied => {
            Fault::Permission(format!("{name} can't be read: {error}; {}", files::run_as(path))).into()
        }
        ErrorKind::IsADirectory => Failure::Usage(format!("{name} is a folder; name a file")),
        _ => Failure::Usage(format!("{name} can't be read: {error}; name another file")),
    }
}

pub(super) fn role_name(text: &str) -> Result<RoleName, Refusal> {
    RoleName::parse(text).map_err(|_| Refusal::invalid("role", "invalid", InvalidRoleName::MESSAGE))
}

pub(super) fn role_names(texts: &[String]) -> Result<Vec<RoleName>, Refusal> {
    texts.iter().map(|text| role_name(text)).collect()
}

pub(super) fn permissions(texts: &[String]) -> Result<Vec<Permission>, Refusal> {
    let invalid = |_| Refusal::invalid("permission", "invalid", InvalidPermission::MESSAGE);
    texts.iter().map(|text| Permission::parse(text).map_err(invalid)).collect()
}

/// Reads a whole number.
pub(super) fn whole_number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("a whole number from 0 to {} is needed", u32::MAX))
}

/// Takes one of the values of a domain type, by its name.
pub(super) fn choices<T, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.map(name)).map(move |text| {
        all.into_iter()
            .find(|value| name(*value) == text)
            .expect("only the names of these values are possible")
    })
}
