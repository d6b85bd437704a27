//! Secrets that one page of a browser hands to the next, so that an answer to a form leads on instead of
//! showing them: recovery codes, the key of an authenticator app. The browser carries them, sealed.

use crate::domain::access::SignedIn;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::usecase::app::App;
use data_encoding::BASE64URL_NOPAD;
use std::time::Duration;

/// How long a page may wait for what it is handed.
pub const TTL: Duration = Duration::from_secs(10 * 60);

/// Bytes of the time before the text.
const TIME: usize = 8;

/// Seals a text for the page at `path`. It opens there alone, in the same session, within [`TTL`]; whoever
/// has the browser's cookies without that session reads nothing of it.
#[must_use]
pub fn seal(app: &App, me: &SignedIn, path: &str, text: &Secret<String>) -> String {
    let ends = app.now().plus(TTL).as_millis().to_be_bytes();
    let message = Secret::new([&ends, text.expose().as_bytes()].concat());
    BASE64URL_NOPAD.encode(&app.handover_sealer.seal(app.entropy(), &context(me, path), message.expose()))
}

/// Opens what was sealed for the page at `path`. `None`: it was not, or for another session, or too long ago.
#[must_use]
pub fn open(app: &App, me: &SignedIn, path: &str, sealed: &str) -> Option<Secret<String>> {
    let sealed = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
    let message = app.handover_sealer.open(&context(me, path), &sealed).ok()?;
    let (ends, text) = message.expose().split_first_chunk::<TIME>()?;
    let is_over = app.now() >= Timestamp::from_millis(i64::from_be_bytes(*ends));
    let text = Secret::new(String::from_utf8(text.to_vec()).ok()?);
    (!is_over).then_some(text)
}

fn context(me: &SignedIn, path: &str) -> Vec<u8> {
    [me.session.as_bytes(), path.as_bytes()].concat()
}
