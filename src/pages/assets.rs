//! What pages fetch besides themselves: the stylesheet, in the service's colour, its logo, and a script that
//! nothing depends on.

use crate::config::Pages as PagesConfig;
use crate::domain::color::Color;
use crate::error::Fault;
use crate::transport::message::Response;
use std::fs;
use std::path::Path;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");

/// The most that a logo may have, in bytes: every page fetches it.
const LOGO_MAX: u64 = 100 * 1024;

/// Browsers keep them for five minutes.
const CACHEABLE: &str = "public, max-age=300";

/// One of them, by its path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asset {
    Style,
    Script,
    Logo,
}

static ALL: [Asset; 3] = [Asset::Style, Asset::Script, Asset::Logo];

impl Asset {
    /// Its path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Style => "/auth/style.css",
            Self::Script => "/auth/page.js",
            Self::Logo => "/auth/logo",
        }
    }

    /// Finds what stands at a path. `None`: no asset.
    #[must_use]
    pub fn find(path: &str) -> Option<&'static Self> {
        ALL.iter().find(|asset| asset.path() == path)
    }
}

/// Their contents.
#[derive(Debug)]
pub struct Assets {
    style: Vec<u8>,
    /// With its content type. `None`: there is none.
    logo: Option<(&'static str, Vec<u8>)>,
}

impl Assets {
    /// Reads the logo, and puts the colour into the stylesheet.
    ///
    /// # Errors
    /// [`Fault::Config`] for a logo that can't be read, is too big, or is no picture of a known kind.
    pub fn new(config: &PagesConfig) -> Result<Self, Fault> {
        let accent = config.accent.map(accent).unwrap_or_default();
        Ok(Self {
            style: format!("{STYLE}{accent}").into_bytes(),
            logo: config.logo_file.as_deref().map(logo).transpose()?,
        })
    }

    /// Answers with one of them. `None`: it isn't there.
    #[must_use]
    pub fn answer(&self, asset: Asset) -> Option<Response> {
        let (content_type, body) = match asset {
            Asset::Style => ("text/css; charset=utf-8", self.style.clone()),
            Asset::Script => ("text/javascript; charset=utf-8", SCRIPT.as_bytes().to_vec()),
            Asset::Logo => self.logo.clone()?,
        };
        Some(Response::with_body(200, content_type, body).header("cache-control", CACHEABLE))
    }
}

/// The lines that give the stylesheet another colour.
fn accent(light: Color) -> String {
    let dark = light.for_dark_ground();
    let lines = |color: Color| format!(":root{{--accent:{color};--on-accent:{}}}", color.text());
    format!("{}@media (prefers-color-scheme:dark){{{}}}\n", lines(light), lines(dark))
}

fn logo(path: &Path) -> Result<(&'static str, Vec<u8>), Fault> {
    let fails = |why: String| Fault::Config(format!("pages.logo_file: {} {why}", path.display()));
    let size = fs::metadata(path).map_err(|error| fails(format!("can't be read: {error}")))?.len();
    if size > LOGO_MAX {
        return Err(fails(format!("has {size} bytes; at most {LOGO_MAX} are taken")));
    }
    let bytes = fs::read(path).map_err(|error| fails(format!("can't be read: {error}")))?;
    let content_type = content_type(&bytes).ok_or_else(|| fails("is no SVG, PNG or WebP picture".into()))?;
    Ok((content_type, bytes))
}

/// By how it begins, not by its name: a browser is told not to guess.
fn content_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("image/webp");
    }
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
    let is_svg = text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg"));
    is_svg.then_some("image/svg+xml")
}

/// How many bytes of the binary they take.
#[cfg(test)]
pub(super) const fn size() -> usize {
    STYLE.len() + SCRIPT.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        assert_eq!(content_type(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(content_type(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(content_type(b"<?xml version=\"1.0\"?>\n<svg/>"), Some("image/svg+xml"));
        for other in [&b"GIF89a"[..], b"<html><svg>", b"", b"RIFF", b"\xff\xd8\xff"] {
            assert_eq!(content_type(other), None, "{other:?}");
        }
    }
}
