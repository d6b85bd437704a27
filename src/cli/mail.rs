//! `mail`: the outbox.

use super::arguments::choices;
use super::exit::Failure;
use super::paging::Paging;
use super::terminal::table::{Column, Table};
use super::{Context, named};
use crate::domain::email::{Email, InvalidEmail};
use crate::domain::mail::MailState;
use crate::error::Refusal;
use crate::usecase::mail::compose;
use crate::usecase::mail::delivery;
use crate::usecase::mail::delivery::{Retried, Tested};
use crate::usecase::operator::short_id::Kind;
use crate::views;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    List(List),
    Show(Show),
    Retry(Retry),
    Test(Test),
}

/// List mails in the outbox, newest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl mail list
  authctl mail list --state failed
  authctl mail list --state failed -q | xargs authctl mail retry")]
pub struct List {
    /// Only mails in this state
    #[arg(long, value_parser = choices(MailState::ALL, MailState::name))]
    state: Option<MailState>,
    #[command(flatten)]
    paging: Paging,
}

/// Show one mail with its text
///
/// The text of a mail that was sent is gone; the rest of it stays.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl mail show 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9
  authctl mail show 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9 -o json | jq -r .body")]
pub struct Show {
    /// The mail's id
    #[arg(value_name = "MAIL")]
    id: String,
}

/// Queue mails once more that failed, or have them tried now
///
/// Each is due at once, and given up after another day. All of them or, if one can't be, none.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl mail retry 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9
  authctl mail list -q --state failed | xargs authctl mail retry")]
pub struct Retry {
    /// The mails' ids, as `mail list -q --state failed` prints them
    #[arg(value_name = "MAIL", required = true)]
    ids: Vec<String>,
}

/// Send a test mail at once, to see whether mail gets out
///
/// It goes past the outbox, by the server that the configuration names. Exits 5 when that doesn't take it,
/// and says why.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl mail test ann@example.com
  authctl mail test ann@example.com -o json")]
pub struct Test {
    /// Where to send it
    #[arg(value_name = "ADDRESS")]
    address: String,
}

const LISTED: [Column; 6] = [
    Column::Id("id"),
    Column::Whole("to"),
    Column::Text("kind"),
    Column::Cut("subject"),
    Column::Whole("state"),
    Column::Time("created_at"),
];

const SHOWN: [Column; 10] = [
    Column::Id("id"),
    Column::Id("user_id"),
    Column::Whole("to"),
    Column::Text("kind"),
    Column::Text("subject"),
    Column::Whole("state"),
    Column::Time("created_at"),
    Column::Time("sent_at"),
    Column::Text("attempts"),
    Column::Text("last_error"),
];

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(context),
            Self::Show(show) => show.run(context),
            Self::Retry(retry) => retry.run(context),
            Self::Test(test) => test.run(context),
        }
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        self.paging.print(
            context,
            |limit, after| compose::page(&app, context.caller(), self.state, limit, after),
            |mails| {
                let rows = mails.iter().map(|mail| (mail.id.to_string(), views::mail(mail)));
                let table = Table::of_objects(&LISTED, rows);
                let order = &["subject", "created_at", "kind"];
                named::shortened(context, &app, Kind::Mail, table.giving_way(order))
            },
        )
    }
}

impl Show {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let opened = compose::show(&app, context.caller(), &named::mail(context, &app, &self.id)?)?;
        let row = (opened.mail.id.to_string(), views::opened_mail(&opened));
        if !context.terminal().is_for_people() {
            let columns: Vec<_> =
                SHOWN.into_iter().chain([Column::Text("body"), Column::Text("html")]).collect();
            return context.terminal().show(&Table::of_objects(&columns, [row]));
        }
        context.terminal().show(&Table::of_objects(&SHOWN, [row]))?;
        match &opened.body {
            Some(body) => context.terminal().foreign_text(&format!("\n{}", body.expose())),
            None => {
                context.terminal().note("the text was wiped when the mail was sent");
                Ok(())
            }
        }
    }
}

impl Retry {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let ids = self.ids.iter().map(|id| named::mail(context, &app, id)).collect::<Result<Vec<_>, _>>()?;
        let retried = delivery::retry(&app, context.caller(), &ids)?;
        for Retried { mail, changed } in &retried {
            let (subject, to) = (&mail.subject, &mail.to);
            context.terminal().note(&if *changed {
                format!("queued: {subject} to {to}")
            } else {
                format!("queued already: {subject} to {to}; nothing was changed")
            });
        }
        let rows = retried.iter().map(|Retried { mail, .. }| (mail.id.to_string(), views::mail(mail)));
        context.terminal().all_changed(&Table::of_objects(&LISTED, rows))
    }
}

impl Test {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let to = Email::parse(&self.address)
            .map_err(|_| Refusal::invalid("address", "invalid", InvalidEmail::MESSAGE.to_owned()))?;
        let tested = delivery::send_test(&context.app()?, context.caller(), &to)?;
        let why = match &tested {
            Tested::Taken => None,
            Tested::NotTaken(why) => Some(why.to_string()),
        };
        let columns = [Column::Text("to"), Column::Text("taken"), Column::Text("reason")];
        let row = views::test_mail(&to, why.as_deref());
        context.terminal().changed(&Table::of_objects(&columns, [(to.to_string(), row)]))?;
        let server = &context.loaded()?.config.mail;
        let server = format!("{}:{}", server.smtp_host, server.smtp_port);
        match why {
            None => {
                context
                    .terminal()
                    .note(&format!("{server} took the mail to {to}; whether it arrives, {to} can tell"));
                Ok(())
            }
            Some(why) => Err(Failure::Check(format!(
                "{server} did not take the mail: {why}; look at mail.* in the configuration, then try again"
            ))),
        }
    }
}
