//! The tables of routes. What isn't in it isn't served; the router, the OpenAPI document and the tests
//! read them.

use super::route::{Route, allow};
use super::routes::{account, admin, admin_users, operations, service, session, two_factor};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Every route, table by table.
pub fn routes() -> impl Iterator<Item = &'static Route> + Clone {
    let tables = [
        account::ACCOUNTS,
        session::SESSIONS,
        two_factor::TWO_FACTOR,
        service::SERVICES,
        admin_users::ADMIN_USERS,
        admin::ADMIN,
        operations::OPERATIONS,
    ];
    tables.into_iter().flatten()
}

/// A route that a path belongs to, and what stands for its braces.
pub type Found<'p> = (&'static Route, Vec<(&'static str, &'p str)>);

/// The routes that a path belongs to. A path without anything to fill in is looked up: the most used take no walk
/// through the tables.
#[must_use]
pub fn find(path: &str) -> Cow<'_, [Found<'_>]> {
    static PLAIN: LazyLock<HashMap<&str, Vec<Found<'_>>>> = LazyLock::new(|| {
        let plain = routes().map(|route| route.path).filter(|path| !path.contains('{'));
        plain.map(|path| (path, walk(path))).collect()
    });
    match PLAIN.get(path) {
        Some(found) => Cow::Borrowed(found),
        None => Cow::Owned(walk(path)),
    }
}

fn walk(path: &str) -> Vec<Found<'_>> {
    routes().filter_map(|route| Some((route, route.matches(path)?))).collect()
}

/// What `Allow` says where no path is known.
#[must_use]
pub fn all_methods() -> String {
    allow(routes().map(|route| route.method))
}
