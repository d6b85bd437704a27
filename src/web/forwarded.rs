//! What a proxy says of the request that it asks about.

use super::client;
use super::rejection::Rejection;
use crate::domain::application::AskedHost;
use crate::domain::return_path;
use crate::transport::message::{Ambiguous, Head};
use ipnet::IpNet;

/// The host that a trusted proxy was asked for (`X-Forwarded-Host`). `None`: it names none, or a stranger
/// does, who is not believed. The scheme (`X-Forwarded-Proto`) is not looked at: plain http must be no way
/// around a rule.
///
/// # Errors
/// [`Rejection::Ambiguous`] for a trusted proxy's word that names no one host: guessing would open a way
/// around, too.
pub fn host(head: &Head, trusted: &[IpNet]) -> Result<Option<AskedHost>, Rejection> {
    if !client::is_trusted(head.peer, trusted) {
        return Ok(None);
    }
    let unclear = || Rejection::ambiguous("send one host in X-Forwarded-Host");
    let sent = head.headers.single("x-forwarded-host").map_err(|Ambiguous| unclear())?;
    sent.map(|sent| AskedHost::parse(sent).ok_or_else(unclear)).transpose()
}

/// Whether a person's browser goes to a page by the request that a proxy asks about, so that it can be led to
/// another: `GET`, and `Sec-Fetch-Mode: navigate`, or HTML among what is accepted where a browser doesn't say
/// (Fetch Metadata §2.2). A trusted proxy says by `X-Forwarded-Method` what the method was; without it, its
/// own question's counts.
#[must_use]
pub fn is_navigation(head: &Head, trusted: &[IpNet]) -> bool {
    if head.headers.all("x-forwarded-method").count() > 1 {
        return false;
    }
    let forwarded = told(head, trusted, "x-forwarded-method");
    if forwarded.unwrap_or(&head.method) != "GET" {
        return false;
    }
    match head.headers.single("sec-fetch-mode") {
        Ok(Some(mode)) => mode == "navigate",
        Ok(None) => head.headers.all("accept").flatten().any(|accepted| accepted.contains("text/html")),
        Err(Ambiguous) => false,
    }
}

/// The path, with its query, that a trusted proxy was asked for (`X-Forwarded-Uri`). `None`: it says none, or
/// one that a browser can't be sent back to.
#[must_use]
pub fn path<'a>(head: &'a Head, trusted: &[IpNet]) -> Option<&'a str> {
    return_path::parse(told(head, trusted, "x-forwarded-uri")?)
}

/// What a trusted proxy says in this header, once.
fn told<'a>(head: &'a Head, trusted: &[IpNet], name: &'a str) -> Option<&'a str> {
    client::is_trusted(head.peer, trusted).then(|| head.headers.single(name).ok().flatten()).flatten()
}
