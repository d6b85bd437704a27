//! Telling a person's way to a page from what another page loads by itself.

use crate::transport::message::Headers;

/// Whether a browser may be on its way to a page, for all that it says of it (Fetch Metadata §2.2 and §2.1):
/// it loads no picture, frame or data. Browsers that say nothing, and other programs, are believed.
#[must_use]
pub fn may_be_navigation(headers: &Headers) -> bool {
    let says = |name, wanted| headers.all(name).all(|value| value == Some(wanted));
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}
