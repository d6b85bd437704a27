//! `mail`: the outbox.

use super::exit::Failure;
use super::terminal::table::{Column, Table};
use super::{Context, choices};
use crate::domain::mail::MailState;
use crate::usecase::{mail as outbox, view};
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    List(List),
    Show(Show),
}

/// List mails in the outbox, newest first
#[derive(Args, Debug)]
pub struct List {
    /// Only mails in this state
    #[arg(long, value_parser = choices(MailState::ALL, MailState::name))]
    state: Option<MailState>,
}

/// Show one mail with its text
///
/// The text of a mail that was sent is gone; the rest of it stays.
#[derive(Args, Debug)]
pub struct Show {
    /// The mail's id
    #[arg(value_name = "ID")]
    id: String,
}

const LISTED: [Column; 6] = [
    Column::Whole("id"),
    Column::Whole("to"),
    Column::Text("kind"),
    Column::Text("subject"),
    Column::Whole("state"),
    Column::Text("created_at"),
];

const SHOWN: [Column; 10] = [
    Column::Whole("id"),
    Column::Text("user_id"),
    Column::Whole("to"),
    Column::Text("kind"),
    Column::Text("subject"),
    Column::Whole("state"),
    Column::Text("created_at"),
    Column::Text("sent_at"),
    Column::Text("attempts"),
    Column::Text("last_error"),
];

impl Verb {
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(context),
            Self::Show(show) => show.run(context),
        }
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let mails = outbox::list(&context.app()?, context.caller(), self.state)?;
        let rows = mails.iter().map(|mail| (mail.id.to_string(), view::mail(mail)));
        context.terminal().list(&Table::of_objects(&LISTED, rows))
    }
}

impl Show {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let opened = outbox::show(&context.app()?, context.caller(), &self.id)?;
        let row = (opened.mail.id.to_string(), view::opened_mail(&opened));
        if !context.terminal().is_for_people() {
            let columns: Vec<_> = SHOWN.into_iter().chain([Column::Text("body")]).collect();
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
