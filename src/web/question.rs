//! The gate's question: which application it is about, before anything else of it is read.

use super::forwarded;
use super::rejection::Rejection;
use crate::domain::application::{AppName, Application};
use crate::transport::message::Head;
use crate::usecase::app::App;
use crate::usecase::gate::judge::{self, Asked};

/// The application that a question is about, by its name or by the host. `None`: there is no such, which the
/// question's handler says to whoever is signed in.
///
/// # Errors
/// [`Rejection::Ambiguous`] for more than one host; the store's.
pub fn asked_about(app: &App, head: &Head) -> Result<Option<Application>, Rejection> {
    let query = head.query.as_deref().unwrap_or_default();
    let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "app");
    let asked = match named {
        Some((_, name)) => AppName::parse(&name).ok().map(Asked::ByName),
        None => forwarded::host(head, &app.config.proxy.trusted)?.map(Asked::ByHost),
    };
    Ok(judge::find(app, &asked.unwrap_or(Asked::Nothing))?)
}
