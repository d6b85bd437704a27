//! The real [`Mailer`]: hands each mail to one SMTP server (RFC 5321), over lettre's connection.
//!
//! The dialogue is led here, step by step, because each step has its own right answer: lettre's own `send`
//! takes any 2xx or 3xx for success, so that a mail would count as sent though a server says 250 to
//! everything, or put answers into the stream before TLS began.

use super::{Mailer, Message, Undelivered, secret_file};
use crate::domain::secret::Secret;
use lettre::Address;
use lettre::address::AddressError;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{Certificate, CertificateStore, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

/// The longest error text kept, in characters.
const WHY_MAX: usize = 300;

/// Codes about the login, not about the mail (RFC 4954 §6): the operator must correct the settings.
const LOGIN_CODES: [u16; 4] = [530, 534, 535, 538];

/// Whom to hand mail to, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    /// `None`: none is asked for.
    pub login: Option<Login>,
    /// `Name <address>`, or an address alone.
    pub from: String,
    pub roots: Roots,
    pub patience: Patience,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encryption {
    /// STARTTLS before anything else; a server without it gets no mail (RFC 3207).
    Starttls,
    /// From the first byte on (RFC 8314).
    Tls,
    /// For a server on this machine.
    None,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    /// Read for every mail, so that a new password counts at once.
    pub password_file: PathBuf,
}

/// Who may vouch for the server's certificate.
#[derive(Clone, Debug)]
pub enum Roots {
    /// Whom this machine trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    System,
    /// Only this one, in PEM.
    Only(String),
}

/// How long to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For the connection, and for the greeting on it.
    pub connect: Duration,
    /// For each answer after that.
    pub answer: Duration,
    /// For the answer to the mail itself: a server may check it for long (RFC 5321 §4.5.3.2.6). Not to wait
    /// would send it twice.
    pub verdict: Duration,
    /// For the answer to QUIT, when the server has the mail already.
    pub quit: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self { connect: secs(10), answer: secs(30), verdict: secs(10 * 60), quit: secs(5) }
    }
}

/// How long to listen for an answer that nobody asked for.
const SILENCE: Duration = Duration::from_millis(20);

/// Sends mail over SMTP, one connection a mail; see the module.
#[derive(Debug)]
pub struct Smtp {
    settings: Settings,
    from: Mailbox,
    /// `None`: not encrypted.
    tls: Option<Tls>,
}

/// The parameters have no `Debug` of their own.
struct Tls(TlsParameters);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tls({})", self.0.domain())
    }
}

impl Smtp {
    /// Checks the settings and prepares the mailer; connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the settings: a sender or a password file that is no good, certificates that
    /// can't be read.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let from =
            sender(&settings.from).map_err(|error| format!("mail.from: {error}, is {:?}", settings.from))?;
        let tls = match settings.encryption {
            Encryption::None => None,
            Encryption::Starttls | Encryption::Tls => Some(Tls(tls(&settings.host, &settings.roots)?)),
        };
        if let Some(login) = &settings.login {
            login.credentials()?;
        }
        Ok(Self { settings, from, tls })
    }

    /// Connects and logs in as for a mail, then quits: whether the server can be reached.
    ///
    /// # Errors
    /// As [`Mailer::send`].
    pub fn greet(&self) -> Result<(), Undelivered> {
        let mut connection = self.connect()?;
        if be_patient(&mut connection, self.settings.patience.quit).is_ok() {
            let _ = connection.quit();
        }
        Ok(())
    }

    fn connect(&self) -> Result<SmtpConnection, Undelivered> {
        let Settings { host, port, encryption, patience, .. } = &self.settings;
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let from_the_start = self.tls.as_ref().filter(|_| *encryption == Encryption::Tls);
        let server = (host.as_str(), *port);
        let parameters = from_the_start.map(|tls| &tls.0);
        let mut connection =
            SmtpConnection::connect(server, Some(patience.connect), &hello, parameters, None)
                .map_err(|error| later(&format!("no connection to {host}:{port}"), &error))?;
        be_patient(&mut connection, patience.answer)?;
        if let (Encryption::Starttls, Some(tls)) = (encryption, &self.tls) {
            if !connection.can_starttls() {
                return Err(Undelivered::Transient(format!(
                    "{host}:{port} offers no STARTTLS; nothing was sent to it"
                )));
            }
            connection.starttls(&tls.0, &hello).map_err(|error| later("STARTTLS", &error))?;
            expect_silence(&mut connection)?;
            be_patient(&mut connection, patience.answer)?;
        }
        if let Some(login) = &self.settings.login {
            let credentials = login.credentials().map_err(Undelivered::Transient)?;
            let answer = connection.auth(DEFAULT_MECHANISMS, &credentials);
            let answer = answer.map_err(|error| later(&format!("the login of {}", login.user), &error))?;
            expect(&answer, &[235], "the login")?;
        }
        Ok(connection)
    }

    fn compose(&self, message: &Message) -> Result<Composed, Undelivered> {
        let never = |what: &str, why: &str| Undelivered::Permanent(one_line(&format!("{what}: {why}")));
        let to: Address = message
            .to
            .parse()
            .map_err(|error: AddressError| never("the recipient's address", &error.to_string()))?;
        let since_epoch = Duration::from_millis(u64::try_from(message.date.as_millis()).unwrap_or(0));
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(one_line(&message.subject))
            .date(UNIX_EPOCH + since_epoch)
            .message_id(Some(format!("<{}@{}>", message.id, self.from.email.domain())))
            // No automatic replies, please (RFC 3834 §5).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".into(),
            ))
            .multipart(MultiPart::alternative_plain_html(
                message.text.expose().clone(),
                message.html.expose().clone(),
            ))
            .map_err(|error| never("the mail can't be written", &error.to_string()))?;
        Ok(Composed { to, bytes: Secret::new(mail.formatted()) })
    }
}

/// A mail as it goes over the wire.
struct Composed {
    to: Address,
    bytes: Secret<Vec<u8>>,
}

impl Mailer for Smtp {
    fn send(&self, message: &Message) -> Result<(), Undelivered> {
        let mail = self.compose(message)?;
        let mut connection = self.connect()?;
        hand_over(&mut connection, &self.from.email, &mail, self.settings.patience.verdict)?;
        // The server has the mail, whether or not QUIT succeeds.
        if be_patient(&mut connection, self.settings.patience.quit).is_ok() {
            let _ = connection.quit();
        }
        Ok(())
    }
}

/// The transaction of RFC 5321 §3.3, each step with the one answer that means yes.
fn hand_over(
    connection: &mut SmtpConnection,
    from: &Address,
    mail: &Composed,
    verdict: Duration,
) -> Result<(), Undelivered> {
    let answer = connection
        .command(Mail::new(Some(from.clone()), Vec::new()))
        .map_err(|e| classify("MAIL FROM", &e))?;
    expect(&answer, &[250], "MAIL FROM")?;
    let answer =
        connection.command(Rcpt::new(mail.to.clone(), Vec::new())).map_err(|e| classify("RCPT TO", &e))?;
    expect(&answer, &[250, 251], "RCPT TO")?;
    let answer = connection.command(Data).map_err(|error| classify("DATA", &error))?;
    expect(&answer, &[354], "DATA")?;
    be_patient(connection, verdict)?;
    let answer = connection.message(mail.bytes.expose()).map_err(|error| classify("the mail", &error))?;
    expect(&answer, &[250], "the mail")
}

/// Makes sure that the server says nothing unasked after STARTTLS. An attacker in between can append answers
/// to the last one before the encryption, which lettre buffers and would take for the server's own
/// (response injection, as CVE-2011-0411): such answers are ready to be read here. Each would shift all that
/// follow by one, and `DATA` would not get its 354.
fn expect_silence(connection: &mut SmtpConnection) -> Result<(), Undelivered> {
    be_patient(connection, SILENCE)?;
    match connection.read_response() {
        Err(error) if is_timeout(&error) => Ok(()),
        _ => Err(Undelivered::Transient(
            "somebody spoke before the encryption for the server; nothing was sent".into(),
        )),
    }
}

/// Refuses an answer that is positive but not the one of this step.
fn expect(answer: &Response, codes: &[u16], to: &str) -> Result<(), Undelivered> {
    if codes.iter().any(|code| answer.has_code(*code)) {
        return Ok(());
    }
    let why = format!("the server's answer to {to} was {} where {} is due", answer.code(), codes[0]);
    Err(Undelivered::Transient(one_line(&why)))
}

/// Sorts an error in the transaction: a permanent one (5xx) that is not about the login is final for this
/// mail.
fn classify(to: &str, error: &Error) -> Undelivered {
    let login = error.status().is_some_and(|code| LOGIN_CODES.contains(&code.into()));
    if error.is_permanent() && !login {
        return Undelivered::Permanent(said(to, error));
    }
    later(to, error)
}

fn later(what: &str, error: &Error) -> Undelivered {
    Undelivered::Transient(said(what, error))
}

fn said(what: &str, error: &Error) -> String {
    if is_timeout(error) {
        return one_line(&format!("{what}: no answer in time"));
    }
    match (error.status(), error.source()) {
        (Some(code), Some(text)) => one_line(&format!("{what}: the server said {code} {text}")),
        _ => one_line(&format!("{what}: {error}")),
    }
}

/// A socket's time-out is `WouldBlock` here, which lettre doesn't know for one.
fn is_timeout(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        }
        source = error.source();
    }
    false
}

fn be_patient(connection: &mut SmtpConnection, span: Duration) -> Result<(), Undelivered> {
    connection.set_timeout(Some(span)).map_err(|error| Undelivered::Transient(error.to_string()))
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(WHY_MAX).collect()
}

/// Reads `Name <address>`. A name is taken as it stands: lettre's own reader wants some in quotes.
fn sender(text: &str) -> Result<Mailbox, AddressError> {
    match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => {
            let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
            Ok(Mailbox::new(name, address.trim().parse()?))
        }
        None => Ok(Mailbox::new(None, text.trim().parse()?)),
    }
}

fn tls(host: &str, roots: &Roots) -> Result<TlsParameters, String> {
    let builder = TlsParameters::builder(host.to_owned());
    let builder = match roots {
        Roots::System => builder,
        Roots::Only(pem) => {
            let root = Certificate::from_pem(pem.as_bytes());
            let root = root.map_err(|error| format!("the root certificate can't be read: {error}"))?;
            builder.certificate_store(CertificateStore::None).add_root_certificate(root)
        }
    };
    builder.build().map_err(|error| format!("TLS to {host} can't be set up: {error}"))
}

impl Login {
    fn credentials(&self) -> Result<Credentials, String> {
        let password = secret_file::first_line("mail.smtp_password_file", &self.password_file)?;
        Ok(Credentials::new(self.user.clone(), password.expose().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_read_with_any_name() {
        for (text, name, address) in [
            ("authd <authd@localhost>", Some("authd"), "authd@localhost"),
            ("Example, Inc. (Zürich) <a@example.com>", Some("Example, Inc. (Zürich)"), "a@example.com"),
            ("<a@example.com>", None, "a@example.com"),
            ("a@example.com", None, "a@example.com"),
        ] {
            let sender = sender(text).unwrap();
            assert_eq!((sender.name.as_deref(), sender.email.to_string().as_str()), (name, address));
        }
        assert!(sender("nobody").is_err());
    }

    #[test]
    fn what_a_server_says_is_one_bounded_line() {
        assert_eq!(one_line("550 no\r\nInjected:\u{1b}[31m header\n"), "550 no Injected: [31m header");
        assert_eq!(one_line(&"x".repeat(5000)).len(), WHY_MAX);
    }
}
