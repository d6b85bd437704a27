//! What the head of a request must look like before the HTTP crate sees it.
//!
//! The crate forgives: two equal `Content-Length`, `Transfer-Encoding` beside `Content-Length`, a bare
//! LF, no `Host`. A proxy in front may read such a request in another way, and what the two disagree
//! about is a request smuggled past the proxy (RFC 9112 §11.2). So each of these is refused here, by
//! one strict reading of the bytes. Pure functions; the connection is `guard`'s.

use super::service::Trouble;
use hyper::Uri;

/// The longest head taken, in bytes, request line and empty line included.
pub const MAX_BYTES: usize = 16 * 1024;
/// The most header fields taken.
pub const MAX_FIELDS: usize = 100;

/// How much body follows a head (RFC 9112 §6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyLength {
    /// In bytes.
    Exact(u64),
    Chunked,
}

/// What is known of a head while it comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scan {
    /// More bytes are needed.
    Partial,
    /// It ends here: its length in bytes, the empty line included.
    Complete(usize),
    Refused(Trouble),
}

/// Looks for the end of a head. Remembers how far it got, so that a dripping client costs one look a byte.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scanner {
    position: usize,
    line_start: usize,
    lines: usize,
}

impl Scanner {
    /// `bytes` is the head so far, from its first byte on.
    pub fn scan(&mut self, bytes: &[u8]) -> Scan {
        let bound = bytes.len().min(MAX_BYTES);
        loop {
            let rest = bytes.get(self.position..bound).unwrap_or_default();
            let text = rest.iter().take_while(|byte| TEXT[usize::from(**byte)]).count();
            self.position += text;
            let Some(byte) = rest.get(text) else { break };
            match byte {
                b'\r' => match bytes.get(self.position + 1) {
                    None => break,
                    Some(b'\n') if self.position == self.line_start => {
                        return if self.lines == 0 {
                            Scan::Refused(Trouble::BadRequest("the request begins with an empty line"))
                        } else if self.position + 2 > MAX_BYTES {
                            Scan::Refused(Trouble::HeadersTooLarge)
                        } else {
                            Scan::Complete(self.position + 2)
                        };
                    }
                    Some(b'\n') => {
                        self.lines += 1;
                        if self.lines > MAX_FIELDS + 1 {
                            return Scan::Refused(Trouble::HeadersTooLarge);
                        }
                        self.position += 2;
                        self.line_start = self.position;
                    }
                    Some(_) => {
                        return Scan::Refused(Trouble::BadRequest(
                            "a carriage return stands alone in the head",
                        ));
                    }
                },
                b'\n' => {
                    return Scan::Refused(Trouble::BadRequest("a line feed stands alone in the head"));
                }
                _ => {
                    return Scan::Refused(Trouble::BadRequest("the head holds a control character"));
                }
            }
        }
        if bytes.len() >= MAX_BYTES { Scan::Refused(Trouble::HeadersTooLarge) } else { Scan::Partial }
    }
}

/// Checks a complete head and says how its body is framed.
///
/// # Errors
/// The [`Trouble`] to refuse it with.
pub fn check_head(head: &[u8]) -> Result<BodyLength, Trouble> {
    let mut lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let version = check_request_line(lines.next().unwrap_or_default())?;
    let mut fields = FramingFields::default();
    for line in lines.take_while(|line| !line.is_empty()) {
        fields.take(line, version)?;
    }
    if fields.hosts != 1 {
        return Err(Trouble::BadRequest("a request has exactly one Host"));
    }
    match (fields.length, fields.chunked) {
        (Some(_), true) => {
            Err(Trouble::BadRequest("a request has Content-Length or Transfer-Encoding, not both"))
        }
        (None, true) => Ok(BodyLength::Chunked),
        (length, false) => Ok(BodyLength::Exact(length.unwrap_or(0))),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

fn check_request_line(line: &[u8]) -> Result<Version, Trouble> {
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Trouble::BadRequest("the request line is not `METHOD target HTTP/1.1`"));
    };
    let version = match version {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        _ => return Err(Trouble::BadRequest("only HTTP/1.1 is spoken here")),
    };
    if !is_token(method) {
        return Err(Trouble::BadRequest("the method is not a word"));
    }
    // CONNECT would turn the connection into a tunnel, TRACE would send the caller's headers back.
    if matches!(method, b"CONNECT" | b"TRACE") {
        return Err(Trouble::MethodRefused);
    }
    let plain = target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    let has_path = Uri::try_from(target).is_ok_and(|uri| uri.path().starts_with('/') || uri.path() == "*");
    if !plain || !has_path {
        return Err(Trouble::BadRequest("the request target is not a path"));
    }
    Ok(version)
}

/// The fields that frame a request, counted.
#[derive(Default)]
struct FramingFields {
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
}

impl FramingFields {
    fn take(&mut self, line: &[u8], version: Version) -> Result<(), Trouble> {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(Trouble::BadRequest("a header is folded over two lines"));
        }
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        if !is_token(name) || value.is_empty() {
            return Err(Trouble::BadRequest("a header line is not `Name: value`"));
        }
        let value = value[1..].trim_ascii();
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if is(b"host") {
            self.take_host(value)
        } else if is(b"content-length") {
            self.take_length(value)
        } else if is(b"transfer-encoding") {
            self.take_encoding(value, version)
        } else if is(b"expect") && !value.eq_ignore_ascii_case(b"100-continue") {
            Err(Trouble::ExpectationFailed)
        } else {
            Ok(())
        }
    }

    fn take_host(&mut self, value: &[u8]) -> Result<(), Trouble> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(byte);
        if value.is_empty() || !value.iter().all(plain) {
            return Err(Trouble::BadRequest("the Host is not a host"));
        }
        self.hosts += 1;
        Ok(())
    }

    fn take_length(&mut self, value: &[u8]) -> Result<(), Trouble> {
        if self.length.is_some() {
            return Err(Trouble::BadRequest("a request has one Content-Length"));
        }
        let digits =
            std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let length = digits.and_then(|text| text.parse().ok());
        self.length = Some(length.ok_or(Trouble::BadRequest("the Content-Length is not a number"))?);
        Ok(())
    }

    fn take_encoding(&mut self, value: &[u8], version: Version) -> Result<(), Trouble> {
        if self.chunked || version == Version::Http10 || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Trouble::BadRequest("the Transfer-Encoding is not `chunked`, once, in HTTP/1.1"));
        }
        self.chunked = true;
        Ok(())
    }
}

/// RFC 9110 §5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| TOKEN[usize::from(byte)])
}

/// Which bytes may stand within a line of a head. A table, since every byte of every head is looked up.
static TEXT: [bool; 256] = {
    let (mut table, mut byte) = ([false; 256], 0);
    while byte < 256 {
        table[byte] = matches!(byte, 0x09 | 0x20..=0x7e | 0x80..);
        byte += 1;
    }
    table
};

/// Which bytes make a token.
static TOKEN: [bool; 256] = {
    let (mut table, mut byte) = ([false; 256], 0);
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "it is below 256, and `try_from` is not const")]
        let character = byte as u8 as char;
        table[byte] = matches!(
            character,
            'a'..='z' | 'A'..='Z' | '0'..='9'
            | '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '.' | '^' | '_' | '`' | '|' | '~'
        );
        byte += 1;
    }
    table
};
