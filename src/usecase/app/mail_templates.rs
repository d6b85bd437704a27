//! The words of a mail: a template in text and one in HTML for each kind, which an operator may override
//! file by file. What comes from a stranger is escaped in both.

use crate::config::Config;
use crate::domain::caller::Caller;
use crate::domain::device;
use crate::domain::mail::MailKind;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::usecase::app::{html, template_folder};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context};
use std::path::Path;
use std::sync::OnceLock;

/// The longest text of a stranger's that a mail shows, in characters.
const FOREIGN_MAX: usize = 254;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        [$(
            (concat!($name, ".txt"), include_str!(concat!("mail_templates/", $name, ".txt"))),
            (concat!($name, ".html"), include_str!(concat!("mail_templates/", $name, ".html"))),
        )*]
    };
}

/// Every file that there is, by its name, as it is built in.
const BUILT_IN: [(&str, &str); 54] = templates![
    "layout",
    "verify_email",
    "already_registered",
    "reset_password",
    "invitation",
    "change_email",
    "magic_link",
    "email_change_requested",
    "email_changed",
    "password_changed",
    "password_voided",
    "new_login",
    "two_factor_enabled",
    "two_factor_disabled",
    "recovery_code_used",
    "recovery_codes_replaced",
    "second_factor_failed",
    "refresh_token_reused",
    "account_locked",
    "identity_linked",
    "identity_unlinked",
    "identity_first_used",
    "passkey_added",
    "passkey_removed",
    "passkey_refused",
    "account_recovered",
    "test",
];

/// What a mail can tell of. All of it may come from a stranger.
#[derive(Clone, Debug, Default)]
pub struct MailContext {
    /// The one-time link; `None` for a notice.
    pub url: Option<Secret<String>>,
    /// How long the link works, in words.
    pub ttl: Option<String>,
    /// The digits that do what the link does. `None`: none do.
    pub code: Option<Secret<String>>,
    /// `None`: nothing happened yet.
    pub at: Option<Timestamp>,
    /// Where it came from; `None`: not known.
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// The new address, in a notice to the old one.
    pub new_email: Option<String>,
    /// What people call the provider that it is about.
    pub provider: Option<String>,
    /// How many notices it stands for; `None`: for itself.
    pub held_back: Option<u32>,
}

impl MailContext {
    /// What a notice says of the request that caused it.
    #[must_use]
    pub fn of(caller: &Caller, now: Timestamp) -> Self {
        Self {
            at: Some(now),
            ip: caller.ip.map(|ip| ip.to_string()),
            user_agent: caller.user_agent.clone(),
            ..Self::default()
        }
    }
}

/// A mail, ready to be sealed.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    pub text: Secret<String>,
    pub html: Secret<String>,
}

/// The templates.
#[derive(Debug)]
pub struct MailTemplates {
    /// `None`: no file is overridden.
    overridden: Option<Environment<'static>>,
    /// The host, by which a person knows the service.
    site: String,
}

impl MailTemplates {
    /// Reads the templates. Those of `mail.templates` are tried out with context of every kind.
    ///
    /// # Errors
    /// [`Fault::Config`] with file and line of what can't be read, parsed or filled in.
    pub fn read(config: &Config) -> Result<Self, Fault> {
        let site =
            config.public_url.split_once("://").map_or(&*config.public_url, |(_, host)| host).to_owned();
        let mut templates = Self { overridden: None, site };
        if let Some(folder) = &config.mail.templates {
            templates.override_from(folder)?;
        }
        Ok(templates)
    }

    fn override_from(&mut self, folder: &Path) -> Result<(), Fault> {
        check_names(folder)?;
        let mut environment = environment();
        for (name, built_in) in BUILT_IN {
            let source = template_folder::read(folder, name, built_in)?;
            environment.add_template_owned(name, source).map_err(|error| broken(folder, name, &error))?;
        }
        for kind in MailKind::ALL {
            for context in samples(kind) {
                self.render(&environment, kind, &context)
                    .map_err(|(file, error)| broken(folder, &file, &error))?;
            }
        }
        self.overridden = Some(environment);
        Ok(())
    }

    /// Writes a mail of this kind.
    #[must_use]
    pub fn write(&self, kind: MailKind, context: &MailContext) -> Rendered {
        if let Some(environment) = &self.overridden {
            match self.render(environment, kind, context) {
                Ok(rendered) => return rendered,
                // Nobody's login fails for want of nice words.
                Err((file, error)) => {
                    tracing::error!(file, %error, "mail template failed; the built-in one is used");
                }
            }
        }
        self.render(built_in(kind), kind, context).expect("a test renders every built-in template")
    }

    /// The error comes with the name of the file that was asked for.
    fn render(
        &self,
        of: &Environment<'_>,
        kind: MailKind,
        context: &MailContext,
    ) -> Result<Rendered, (String, Error)> {
        let (text_name, html_name) = (format!("{}.txt", kind.name()), format!("{}.html", kind.name()));
        let text = || -> Result<(String, String), Error> {
            let mut rendered = of.get_template(&text_name)?.render_captured(self.values(context, None))?;
            let subject = rendered.with_state_mut(|state| state.render_block("subject"))?;
            Ok((rendered.into_output() + "\n", clean(&subject)))
        };
        let (text, subject) = text().map_err(|error| (text_name.clone(), error))?;
        let html =
            of.get_template(&html_name).and_then(|html| html.render(self.values(context, Some(&subject))));
        let html = html.map_err(|error| (html_name.clone(), error))?;
        Ok(Rendered { subject, text: Secret::new(text), html: Secret::new(html) })
    }

    /// Every fact has its name in every template: `none` where there is none, so that a name which is
    /// none of these is an error and not a gap.
    fn values(&self, context: &MailContext, subject: Option<&str>) -> Value {
        context! {
            site => self.site.as_str(),
            subject => subject,
            url => context.url.as_ref().map(|url| url.expose().as_str()),
            ttl => context.ttl.as_deref(),
            code => context.code.as_ref().map(|code| in_groups(code.expose())),
            at => context.at.map(Timestamp::in_words),
            ip => context.ip.as_deref().map(clean),
            device => context.user_agent.as_deref().and_then(device::name),
            new_email => context.new_email.as_deref().map(clean),
            provider => context.provider.as_deref().map(clean),
            held_back => context.held_back,
        }
    }
}

/// Digits as people read them: in fours.
fn in_groups(code: &str) -> String {
    let (first, second) = code.split_at_checked(4).unwrap_or((code, ""));
    format!("{first} {second}")
}

/// What a mail of this kind is made of, compiled at the first one: all kinds together take a megabyte, which
/// a daemon that never writes most of them would hold for nothing. Every login writes two, to have them at
/// hand.
fn built_in(kind: MailKind) -> &'static Environment<'static> {
    static COMPILED: [OnceLock<Environment<'static>>; MailKind::ALL.len()] =
        [const { OnceLock::new() }; MailKind::ALL.len()];
    COMPILED[kind as usize].get_or_init(|| {
        let mut environment = environment();
        let is_part = |stem: &str| stem == "layout" || stem == kind.name();
        for (name, source) in BUILT_IN {
            if name.rsplit_once('.').is_some_and(|(stem, _)| is_part(stem)) {
                environment.add_template(name, source).expect("a test renders every built-in template");
            }
        }
        environment
    })
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(format_value);
    environment
}

/// As [`html::format_value`], but printing a fact that there isn't is an error, not the word `none`.
fn format_value(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Err(Error::new(
            ErrorKind::UndefinedError,
            "this mail has no such fact; ask with {% if … %} first",
        ));
    }
    html::format_value(out, state, value)
}

/// One line, without control characters and without those that turn the direction of writing.
fn clean(text: &str) -> String {
    let is_bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.trim().chars().take(FOREIGN_MAX).map(|c| if is_bad(c) { ' ' } else { c }).collect()
}

/// The least and the most that a mail of this kind has to tell of.
fn samples(kind: MailKind) -> [MailContext; 2] {
    let url = || Secret::new("https://auth.example.com/auth/page?token=authd_ev_example".into());
    let least = if kind.has_link() {
        // Only a magic link's mail has these two as well.
        let magic = kind == MailKind::MagicLink;
        let code = magic.then(|| Secret::new("12345678".into()));
        let at = magic.then(|| Timestamp::from_secs(1_795_334_400));
        MailContext { url: Some(url()), ttl: Some("1 hour".into()), code, at, ..MailContext::default() }
    } else {
        let new_email = matches!(kind, MailKind::EmailChangeRequested | MailKind::EmailChanged)
            .then(|| "ann@example.com".to_owned());
        let of_identity = matches!(
            kind,
            MailKind::IdentityLinked | MailKind::IdentityUnlinked | MailKind::IdentityFirstUsed
        );
        let provider = of_identity.then(|| "Acme".to_owned());
        let at = Some(Timestamp::from_secs(1_795_334_400));
        MailContext { at, new_email, provider, ..MailContext::default() }
    };
    let user_agent = Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0".into());
    let held_back = kind.is_notice().then_some(3);
    let most = MailContext { ip: Some("192.0.2.7".into()), user_agent, held_back, ..least.clone() };
    [least, most]
}

fn check_names(folder: &Path) -> Result<(), Fault> {
    let is_known = |name: &str| BUILT_IN.iter().any(|(known, _)| *known == name);
    let advice = || {
        let known = BUILT_IN.iter().filter_map(|(known, _)| known.strip_suffix(".txt"));
        let known = known.collect::<Vec<_>>().join(", ");
        format!("no mail has this name; there are {known}, each as .txt and .html")
    };
    template_folder::check_names(folder, "mail.templates", &[".txt", ".html"], is_known, advice)
}

/// `/etc/authd/templates/reset_password.txt:3: …`; an error in a layout names the layout.
fn broken(folder: &Path, asked_for: &str, error: &Error) -> Fault {
    let path = folder.join(error.name().unwrap_or(asked_for));
    let line = error.line().map_or_else(String::new, |line| format!(":{line}"));
    let why = error
        .detail()
        .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    Fault::Config(format!("{}{line}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates() -> MailTemplates {
        let sources = crate::config::Sources { cwd: "/srv".into(), ..crate::config::Sources::default() };
        MailTemplates::read(&crate::config::load(&sources).unwrap().config).unwrap()
    }

    #[test]
    fn every_kind_has_words_with_facts_and_without() {
        let mail_templates = templates();
        for kind in MailKind::ALL {
            for context in samples(kind) {
                let rendered = mail_templates.write(kind, &context);
                let (text, html) = (rendered.text.expose(), rendered.html.expose());
                assert!(
                    !rendered.subject.is_empty() && !rendered.subject.contains('\n'),
                    "{:?}",
                    rendered.subject
                );
                assert!(html.contains(&format!(">{}</h1>", rendered.subject)), "{html}");
                for part in [text, html] {
                    assert!(part.contains("127.0.0.1:8080") && !part.contains("\n\n\n"), "{kind:?}\n{part}");
                    assert_eq!(part.contains("?token=authd_ev_example"), kind.has_link(), "{part}");
                    assert_eq!(
                        part.contains("192.0.2.7, Firefox on Linux"),
                        context.ip.is_some() && context.at.is_some()
                    );
                    assert_eq!(part.contains("1234 5678"), kind == MailKind::MagicLink, "{part}");
                }
                assert!(text.lines().all(|line| line.len() <= 78), "{text}");
            }
        }
    }
}
