//! `/auth/admin/mails`: the outbox, and a button to try a mail again. What a mail says is not shown: a link
//! in it is for its reader alone.

use super::frame::{self, ROWS, Tab, further};
use super::inputs::{Mistakes, typed};
use crate::domain::mail::{Mail, MailState};
use crate::error::{Error, Refusal};
use crate::pages::form::Fields;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::mail::{compose, delivery};
use minijinja::{Value, context};

const LIST: &str = "/auth/admin/mails";

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_holders(LIST, "users:read").get(|visit| list(visit, None)),
    PageRoute::for_holders("/auth/admin/mails/{mail}/retry", "users:write").post(retry).form_on(LIST),
];

/// `complaint`: why a mail is not tried again.
fn list(visit: &mut Visit<'_>, complaint: Option<String>) -> Result<Response, Stop> {
    let asked = visit.query("state").unwrap_or_default();
    let after = visit.query("after");
    let mut mistakes = Mistakes::default();
    let state = MailState::parse(&asked);
    let (mails, next) = if state.is_some() || asked.is_empty() {
        let page = compose::page(visit.app, &visit.caller, state, ROWS, after.as_deref())?;
        (page.items, page.next)
    } else {
        mistakes.beside("state", visit.text("admin_invalid.choice"));
        (Vec::new(), None)
    };
    let states = MailState::ALL.map(|one| {
        context! { value => one.name(), text => visit.text(text_of(one)) }
    });
    let filters = [("state", asked.as_str())];
    let page = context! {
        title => visit.text("admin_tabs.mails"),
        mails => mails.iter().map(|mail| row(visit, mail)).collect::<Vec<_>>(),
        states,
        typed => typed(&filters),
        errors => mistakes.beside_fields(),
        complaint => complaint.as_deref().unwrap_or_default(),
        is_filtered => !asked.is_empty(),
        first => after.is_some(),
        next => further(LIST, &filters, "after", next.as_deref()),
    };
    let status = if complaint.is_some() { 409 } else { mistakes.status() };
    Ok(frame::page(visit, Tab::Mails, status, "admin_mails.html", page))
}

const fn text_of(state: MailState) -> &'static str {
    match state {
        MailState::Queued => "admin_mails.queued",
        MailState::Sent => "admin_mails.sent",
        MailState::Failed => "admin_mails.failed",
    }
}

fn row(visit: &Visit<'_>, mail: &Mail) -> Value {
    context! {
        id => mail.id.to_string(),
        to => mail.to.as_str(),
        user => mail.user.map(|user| user.to_string()).unwrap_or_default(),
        subject => mail.subject.as_str(),
        state => visit.text(text_of(mail.state)),
        kind => match mail.state {
            MailState::Queued => "",
            MailState::Sent => "good",
            MailState::Failed => "bad",
        },
        why => mail.last_error.as_deref().unwrap_or_default(),
        created => visit.time(mail.created_at),
        is_open => mail.state != MailState::Sent,
    }
}

fn retry(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    visit.form(Fields::all(&[]))?;
    match delivery::retry(visit.app, &visit.caller, &[visit.parameter(0).to_owned()]) {
        Ok(_) => {
            let to = if visit.may("users:read") { LIST } else { "/auth/admin/" };
            Ok(visit.done(to, "mail_retried"))
        }
        // Sent since the page was made; whoever may not see the list is told in words.
        Err(Error::Refused(Refusal::Conflict { .. })) if visit.may("users:read") => {
            let complaint = visit.text("admin_mails.was_sent").to_owned();
            list(visit, Some(complaint))
        }
        Err(error) => Err(error.into()),
    }
}
