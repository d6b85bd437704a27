//! What a proxy says of the request that it asks about.

use super::client;
use super::rejection::Rejection;
use crate::domain::application::AskedHost;
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
