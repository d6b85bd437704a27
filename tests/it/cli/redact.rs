//! What differs from run to run, replaced by something that doesn't: so that what a command printed can be
//! compared with what it should print, and a later command can name what an earlier one showed.

/// What has been replaced so far, in the order in which it came.
#[derive(Default)]
pub struct Redaction {
    folder: String,
    seen: Vec<(String, String)>,
}

impl Redaction {
    /// `folder` is shown as `DIR`.
    pub fn new(folder: &str) -> Self {
        Self { folder: folder.to_owned(), seen: Vec::new() }
    }

    /// Replaces ids, keys, hashes and secrets by numbers, in the order in which they come and where it can be
    /// as long as they were; times by zeros; and the folder by `DIR`.
    pub fn hide(&mut self, text: &str) -> String {
        let text = without_shown_secrets(&text.replace(&self.folder, "DIR"));
        let (mut out, mut rest) = (String::new(), text.as_str());
        while let Some(c) = rest.chars().next() {
            if let Some((length, shown)) = time(rest) {
                out.push_str(shown);
                rest = &rest[length..];
                continue;
            }
            let word = word(rest);
            if !word.is_empty() && rest[word.len()..].starts_with(" MiB are free") {
                out.push('0');
                rest = &rest[word.len()..];
            } else if let Some(kept) =
                ["before-restore-", "moved-"].iter().find(|kept| word.starts_with(**kept))
            {
                out.push_str(&format!("{kept}00000000T000000Z"));
                rest = &rest[word.len()..];
            } else if word.is_empty() {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            } else {
                let kind = if out.ends_with("--after ") { Some(Kind::Cursor) } else { Kind::of(word) };
                out.push_str(&self.shown(word, kind));
                rest = &rest[word.len()..];
            }
        }
        out
    }

    /// The other way: a text that names things as [`Redaction::hide`] showed them.
    pub fn reveal(&self, text: &str) -> String {
        self.seen
            .iter()
            .fold(text.to_owned(), |text, (real, shown)| text.replace(shown, real))
            .replace("DIR", &self.folder)
    }

    fn shown(&mut self, word: &str, kind: Option<Kind>) -> String {
        let Some(kind) = kind else {
            return word.to_owned();
        };
        if let Some((_, shown)) = self.seen.iter().find(|(real, _)| real == word) {
            return shown.clone();
        }
        let prefix = kind.prefix(word);
        let number = 1 + self.seen.iter().filter(|(_, shown)| shown.starts_with(&prefix)).count();
        let shown = kind.stand_in(&prefix, number, word.len());
        self.seen.push((word.to_owned(), shown.clone()));
        shown
    }
}

/// A second factor's secret as a person reads it, in groups of four.
fn without_shown_secrets(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.trim_end_matches('\n') {
            bare if is_grouped_secret(bare) => "(the secret in groups of four)\n",
            _ => line,
        })
        .collect()
}

fn is_grouped_secret(line: &str) -> bool {
    let base32 = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
    line.len() == 39 && line.split(' ').all(|group| group.len() == 4 && group.bytes().all(base32))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Id,
    /// Where a page of a list ends.
    Cursor,
    /// SHA-256 or HMAC in hexadecimal.
    Hash,
    /// The thumbprint of a key (RFC 7638).
    KeyId,
    /// `authd_xx_` and random characters.
    Opaque,
    AccessToken,
    /// A second factor's secret in base32.
    TotpSecret,
    RecoveryCode,
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        let all = |fits: fn(&u8) -> bool| word.as_bytes().iter().all(fits);
        let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        let base32 = |byte: &u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(byte);
        match word.len() {
            // The id of nobody stays what it is.
            36 if word.starts_with("00000000") => None,
            36 if matching(word, "########-####-####-####-############").is_some() => Some(Self::Id),
            64 if all(hex) => Some(Self::Hash),
            _ if word.starts_with("authd_") && word.len() > 40 => Some(Self::Opaque),
            _ if word.starts_with("eyJ") && word.len() > 100 => Some(Self::AccessToken),
            43 => Some(Self::KeyId),
            32 if all(base32) => Some(Self::TotpSecret),
            19 if word.split('-').all(|part| part.len() == 4) => Some(Self::RecoveryCode),
            _ => None,
        }
    }

    fn prefix(self, word: &str) -> String {
        match self {
            Self::Id => "00000000-0000-0000-0000-".to_owned(),
            Self::Cursor => "cursor-".to_owned(),
            Self::Hash => "hash-".to_owned(),
            Self::KeyId => "key-".to_owned(),
            Self::Opaque => word.splitn(3, '_').take(2).map(|part| format!("{part}_")).collect(),
            Self::AccessToken => "eyJ-".to_owned(),
            Self::TotpSecret => "SECRET-".to_owned(),
            Self::RecoveryCode => "code-".to_owned(),
        }
    }

    fn stand_in(self, prefix: &str, number: usize, length: usize) -> String {
        // A signed token's length depends on what it says.
        let length = if self == Self::AccessToken { 12 } else { length };
        format!("{prefix}{number:0width$}", width = length - prefix.len())
    }
}

/// The length of the time that `text` begins with, and what is shown for it. Zeros at the end of a fraction
/// are not written, so that its length says nothing.
fn time(text: &str) -> Option<(usize, &'static str)> {
    let whole = matching(text, "####-##-##T##:##:##")?.len();
    let rest = &text[whole..];
    if rest.starts_with('Z') {
        return Some((whole + 1, "0000-00-00T00:00:00Z"));
    }
    let digits = rest.strip_prefix('.')?.chars().take_while(char::is_ascii_digit).count();
    rest[1 + digits..].starts_with('Z').then_some((whole + digits + 2, "0000-00-00T00:00:00.000Z"))
}

/// The characters that ids, secrets and tokens are made of, up to the first that is none.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(text.len());
    if !text.starts_with("eyJ") {
        return &text[..end];
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    &text[..end]
}

/// The beginning of `text` that has the shape of `pattern`, whose `#` stand for hexadecimal digits.
fn matching<'a>(text: &'a str, pattern: &str) -> Option<&'a str> {
    let start = text.get(..pattern.len())?;
    let fits = |(c, p): (char, char)| {
        if p == '#' { c.is_ascii_hexdigit() } else { c == p }
    };
    start.chars().zip(pattern.chars()).all(fits).then_some(start)
}
