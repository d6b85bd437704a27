//! The one spelling of what a setting names: addresses, URLs, networks, domains. Each function takes the text
//! of one value, or of one entry of a list, and says what is wrong with it for people, to follow the name of
//! the key.

use crate::domain::color::{self, Color};
use crate::domain::email::Email;
use crate::domain::role::{InvalidRoleName, RoleName};
use crate::domain::url::{Url, host_name};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Drops `./` on the way, keeps `..`: what a symbolic link makes of that is the machine's business.
pub fn absolute(folder: &Path, text: &str) -> PathBuf {
    folder.join(text).components().collect()
}

/// An address and port, `unix:` and an absolute path, or `systemd`. `None`: it is none of these.
pub fn listen(text: &str, folder: &Path) -> Option<String> {
    match text.strip_prefix("unix:") {
        Some("") => None,
        Some(path) => absolute(folder, path).to_str().map(|path| format!("unix:{path}")),
        None if text == "systemd" => Some(text.to_owned()),
        None => text.parse::<SocketAddr>().ok().map(|address| address.to_string()),
    }
}

/// A sender as the `From` of a mail has it. `None`: it is none.
pub fn mailbox(text: &str) -> Option<String> {
    let address = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, _)) if name.contains(['<', '>', '"', '\\']) => return None,
        Some((_, address)) => address,
        None => text,
    };
    Email::parse(address).ok().map(|_| text.to_owned())
}

fn private_url(text: &str) -> Result<Url<'_>, String> {
    let url = Url::parse(text).map_err(|why| format!("{why}, is {text:?}"))?;
    if url.is_private() {
        Ok(url)
    } else {
        Err(format!("must be https anywhere but on loopback, is {text:?}"))
    }
}

/// An origin with https, or http on loopback.
///
/// # Errors
/// What is wrong with it.
pub fn public_url(text: &str) -> Result<String, String> {
    let url = private_url(text)?;
    match url.rest {
        "" | "/" => Ok(url.origin()),
        _ => Err(format!("must end after the host and port (authd serves /api/auth there), is {text:?}")),
    }
}

/// A URL with https, or http on loopback, that has `{token}` in it.
///
/// # Errors
/// What is wrong with it.
pub fn link(text: &str) -> Result<String, String> {
    // Braces are no part of a host, so {token} can only stand behind it.
    let url = private_url(text)?;
    if url.rest.contains("{token}") {
        Ok(text.to_owned())
    } else {
        Err(format!("must contain {{token}}, which the mail replaces, is {text:?}"))
    }
}

/// A URL with https, or http on loopback.
///
/// # Errors
/// What is wrong with it.
pub fn whole_url(text: &str) -> Result<String, String> {
    let url = private_url(text)?;
    // The path of an origin is `/` to a browser, whether it is written or not.
    Ok(if url.rest.is_empty() {
        format!("{}/", url.origin())
    } else {
        format!("{}{}", url.origin(), url.rest)
    })
}

/// A colour that text may have on white.
///
/// # Errors
/// That it is too light.
pub fn readable_on_white(color: Color) -> Result<String, String> {
    if color.is_readable_on(color::LIGHT_GROUND) {
        Ok(color.to_string())
    } else {
        Err(format!(
            "must be dark enough to be read on white (a contrast of 4.5 to 1, WCAG 2.2), is \"{color}\""
        ))
    }
}

/// A network, or a single address.
///
/// # Errors
/// What is wrong with it.
pub fn network(text: &str) -> Result<String, String> {
    let network: IpNet = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "must be networks such as 10.0.0.0/8 or 192.0.2.1".to_owned())?;
    if network.trunc() == network {
        Ok(network.to_string())
    } else {
        Err(format!("must be whole networks (here {})", network.trunc()))
    }
}

/// An origin of pages (RFC 6454 §6.2).
///
/// # Errors
/// What is wrong with it.
pub fn origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text)?;
    if url.rest.is_empty() {
        Ok(url.origin())
    } else {
        Err("must be origins, which end after the host and port".into())
    }
}

/// The issuer of a provider, to the letter, as that is how its tokens are compared (OpenID Connect Core
/// §3.1.3.7).
///
/// # Errors
/// What is wrong with it.
pub fn issuer(text: &str) -> Result<String, String> {
    let url = private_url(text)?;
    if url.rest.contains(['?', '#']) {
        return Err(format!("must have neither `?` nor `#`, is {text:?}"));
    }
    Ok(text.to_owned())
}

/// A domain of addresses, as [`Email::domain`] has it.
///
/// # Errors
/// What is wrong with it.
pub fn domain(text: &str) -> Result<String, String> {
    host_name(text)
        .ok()
        .filter(|name| !name.starts_with('[') && name.parse::<IpAddr>().is_err())
        .ok_or_else(|| "must be domains such as example.com, each as it stands after the @".to_owned())
}

/// A scope (RFC 6749 §3.3).
///
/// # Errors
/// That it is none.
pub fn scope(text: &str) -> Result<String, String> {
    let is_token = |c: u8| matches!(c, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if !text.is_empty() && text.bytes().all(is_token) {
        Ok(text.to_owned())
    } else {
        Err("must be scopes without spaces, one an entry".to_owned())
    }
}

/// A value of a claim, and the role that it grants.
///
/// # Errors
/// What is wrong with either.
pub fn granted(value: &str, role: &str) -> Result<(String, String), String> {
    if value.is_empty() || value.chars().any(char::is_control) {
        return Err(format!("must have values of the claim before the roles, has {value:?}"));
    }
    match RoleName::parse(role) {
        Ok(role) => Ok((value.to_owned(), role.to_string())),
        Err(_) => Err(format!("has {role:?}, but {}", InvalidRoleName::MESSAGE)),
    }
}
