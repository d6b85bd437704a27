//! A secret in a file's first line, as service managers hand passwords over.

use crate::domain::secret::Secret;
use std::fs;
use std::path::Path;

/// Reads the secret in a file that the configuration's `key` names.
///
/// # Errors
/// What is wrong with the file, for whoever configured it.
pub fn first_line(key: &str, file: &Path) -> Result<Secret<String>, String> {
    let path = file.display();
    let content = fs::read_to_string(file)
        .map(Secret::new)
        .map_err(|error| format!("{key}: {path} can't be read: {error}"))?;
    match content.expose().lines().next() {
        Some(secret) if !secret.is_empty() => Ok(Secret::new(secret.to_owned())),
        _ => Err(format!("{key}: {path} has nothing in its first line")),
    }
}
