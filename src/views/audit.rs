//! Lines of the audit log, and what checking and pruning it came to.

use super::page::PageItem;
use super::text::{Id, Named, Text, Time};
use crate::domain::audit::{ChainError, Line, Mark};
use crate::usecase::account::admin::Paged;
use crate::usecase::audit::prune::Plan;
use crate::usecase::audit::verify;
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::Serialize;

/// A line of the audit log as the account's owner sees it: without the names of operators.
#[derive(Serialize, JsonSchema, Debug)]
#[expect(clippy::struct_field_names, reason = "the member's name is what clients know")]
pub struct Event<'a> {
    /// UTC.
    at: Time,
    /// What happened, such as `LoginSucceeded`.
    event: &'a str,
    /// In which session. Null: in none.
    session_id: Option<Id<&'a str>>,
    /// Where it came from. Null: from the operator, or unknown.
    ip: Option<&'a str>,
    /// What there is to say besides, as strings by name.
    details: Named<'a, String, String>,
}

/// A page of the caller's own events.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Events<'a> {
    /// Newest first.
    events: Vec<Event<'a>>,
    /// For `before`, to go on. Null: these were the last.
    next: Option<&'a str>,
}

/// Shows a page of the caller's own events.
#[must_use]
pub fn own_events(page: &Paged<Line, String>) -> Events<'_> {
    Events { events: page.items.iter().map(own_event).collect(), next: page.next.as_deref() }
}

fn own_event(line: &Line) -> Event<'_> {
    Event {
        at: Time(line.at),
        event: &line.event,
        session_id: line.session.as_deref().map(Id),
        ip: line.ip.as_deref(),
        details: Named(&line.details),
    }
}

/// A line of the audit log.
#[derive(Serialize, JsonSchema, Debug)]
pub struct AuditLine<'a> {
    /// From 1 on, without a gap.
    seq: i64,
    /// UTC.
    at: Time,
    /// What happened, such as `LoginSucceeded`.
    event: &'a str,
    /// `user:<id>`, `api_key:<name>:<id>`, `operator:<login name>`, `anonymous` or `system`.
    actor: &'a str,
    /// Whom it is about. Null: nobody, or unknown.
    user_id: Option<Id<&'a str>>,
    /// Null: none.
    session_id: Option<Id<&'a str>>,
    /// Where it came from. Null: from the operator, or unknown.
    ip: Option<&'a str>,
    /// Null: outside HTTP.
    request_id: Option<&'a str>,
    /// What there is to say besides, as strings by name.
    details: Named<'a, String, String>,
}

/// Shows a line of the audit log.
#[must_use]
pub fn audit_line(line: &Line) -> AuditLine<'_> {
    AuditLine {
        seq: line.seq,
        at: Time(line.at),
        event: &line.event,
        actor: &line.actor,
        user_id: line.user.as_deref().map(Id),
        session_id: line.session.as_deref().map(Id),
        ip: line.ip.as_deref(),
        request_id: line.request_id.as_deref(),
        details: Named(&line.details),
    }
}

impl PageItem for AuditLine<'_> {
    const PAGE: &'static str = "AuditPage";
    const ORDER: &'static str = "Newest first.";
}

/// A line of the audit log with its hash.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ExportedLine<'a> {
    #[serde(flatten)]
    line: AuditLine<'a>,
    /// In hexadecimal digits.
    hash: String,
}

/// Shows a line of the audit log with its hash.
#[must_use]
pub fn exported_line(line: &Line) -> ExportedLine<'_> {
    ExportedLine { line: audit_line(line), hash: HEXLOWER.encode(&line.hash) }
}

/// What `audit verify` found.
#[derive(Serialize, JsonSchema, Debug)]
pub struct AuditCheck<'a> {
    ok: bool,
    /// How many lines are good.
    lines: i64,
    first: i64,
    last: i64,
    /// The last line that is good, as `--head` takes it.
    head: Text<&'a Mark>,
    /// The first line that is not as authd wrote it. Null: all are, or no single one is to blame.
    seq: Option<i64>,
    /// What is wrong. Null: nothing.
    problem: Option<String>,
}

/// Shows what `audit verify` found.
#[must_use]
pub fn audit_check(found: &verify::Verification) -> AuditCheck<'_> {
    AuditCheck {
        ok: found.flaw.is_none(),
        lines: found.lines(),
        first: found.first,
        last: found.last.seq,
        head: Text(&found.last),
        seq: found.flaw.as_ref().and_then(ChainError::seq),
        problem: found.flaw.as_ref().map(ToString::to_string),
    }
}

/// What `audit prune` deletes.
#[derive(Serialize, JsonSchema, Debug)]
pub struct AuditPruning {
    /// How many lines are gone.
    pruned: i64,
    /// How many lines are old enough.
    lines: i64,
    /// Null: none is.
    first: Option<i64>,
    through: Option<i64>,
    /// Only lines older than that.
    before: Time,
}

/// Shows what `audit prune` deletes. `pruned`: how many lines are gone already.
#[must_use]
pub fn audit_pruning(plan: &Plan, pruned: i64) -> AuditPruning {
    let (first, through) =
        if plan.lines() > 0 { (Some(plan.first), Some(plan.through)) } else { (None, None) };
    AuditPruning { pruned, lines: plan.lines().max(0), first, through, before: Time(plan.before) }
}
