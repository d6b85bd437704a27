//! The one table of all pages.

use super::path::parameters;
use super::route::PageRoute;
use super::{account, admin, complete, gate, links, magic_link, recover, register, sign_in, sign_out};

/// The rows, by subject. A path belongs to one row.
const SUBJECTS: &[&[PageRoute]] = &[
    links::ROUTES,
    sign_in::ROUTES,
    magic_link::ROUTES,
    recover::ROUTES,
    sign_out::ROUTES,
    register::ROUTES,
    complete::ROUTES,
    gate::ROUTES,
    account::overview::ROUTES,
    account::name::ROUTES,
    account::email::ROUTES,
    account::password::ROUTES,
    account::two_factor::ROUTES,
    account::passkeys::ROUTES,
    account::recovery_codes::ROUTES,
    account::identities::ROUTES,
    account::sessions::ROUTES,
    account::activity::ROUTES,
    account::delete::ROUTES,
    account::confirm::ROUTES,
];

/// All rows.
pub fn rows() -> impl Iterator<Item = &'static PageRoute> {
    SUBJECTS.iter().chain(admin::SUBJECTS).flat_map(|subject| subject.iter())
}

/// Finds the row of a path. `None`: no page is there. There is one spelling of every path.
#[must_use]
pub fn find(path: &str) -> Option<&'static PageRoute> {
    let found = rows().filter_map(|row| Some((row, parameters(row.path, path)?.len())));
    found.min_by_key(|(_, braces)| *braces).map(|(row, _)| row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_spelling_of_every_path() {
        assert!(find("/auth/verify-email").is_some());
        for path in ["/auth", "/auth/verify-email/", "/auth/Verify-email", "/auth//verify-email", "/auth/%76"]
        {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn every_path_is_told_to_be_a_pages_by_how_it_begins() {
        for row in rows() {
            assert!(row.path.starts_with("/auth/") || row.path.starts_with("/."), "{}", row.path);
        }
    }

    #[test]
    fn every_row_has_a_form_to_come_back_to() {
        let rows: Vec<_> = rows().collect();
        for row in &rows {
            let form = row.form.unwrap_or(row.path);
            let page = rows.iter().find(|other| other.path == form && other.get.is_some());
            assert!(page.is_some(), "{} names no page to come back to", row.path);
            assert_eq!(rows.iter().filter(|other| other.path == row.path).count(), 1, "{}", row.path);
        }
    }
}
