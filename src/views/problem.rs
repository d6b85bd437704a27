//! Problem documents (RFC 9457), as HTTP answers with them and as commands print them.

use crate::error;
use schemars::JsonSchema;
use serde::Serialize;

/// A problem document (RFC 9457).
#[derive(Serialize, JsonSchema, Debug)]
pub struct Problem<'a> {
    /// `urn:authd:problem:` and the code.
    #[serde(rename = "type")]
    #[schemars(url)]
    pub kind: String,
    /// The same for every problem with this code.
    pub title: &'a str,
    /// The same as the status of the answer.
    pub status: u16,
    /// For people: what happened, and what to do next.
    pub detail: &'a str,
    /// Stable, snake_case: for programs.
    pub code: &'a str,
    /// As in X-Request-Id: for asking the operator.
    pub request_id: &'a str,
    /// What is wrong with which field. Left out where no field is to blame.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError<'a>>,
    /// As in Retry-After, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    pub retry_after_s: Option<u32>,
}

/// A problem document (RFC 9457) on stderr: why a command didn't do what it was asked for.
#[derive(Serialize, JsonSchema, Debug)]
pub struct CommandProblem<'a> {
    /// `urn:authd:problem:` and the code.
    #[serde(rename = "type")]
    #[schemars(url)]
    kind: String,
    /// The same for every problem with this code.
    title: &'a str,
    /// The status that HTTP answers the same with; 400 for what can't be asked for, 500 for a check that
    /// failed.
    status: u16,
    /// For people: what happened, and what to do next in a shell.
    detail: String,
    /// Stable, snake_case: for programs. Besides those of HTTP: `usage` (exit 2), `declined` (1),
    /// `check_failed` (5), `permission` (77), `config` (78).
    code: &'a str,
    /// What is wrong with which field or argument. Left out where none is to blame, as over HTTP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError<'a>>,
    /// In seconds: how long to wait before trying again. Left out where waiting doesn't help, as over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    pub retry_after_s: Option<u32>,
}

/// Says why a command didn't do what it was asked for. No field is to blame, and waiting doesn't help, until
/// the caller says so.
#[must_use]
pub fn command_problem<'a>(code: &'a str, title: &'a str, status: u16, detail: String) -> CommandProblem<'a> {
    let kind = format!("urn:authd:problem:{code}");
    CommandProblem { kind, title, status, detail, code, errors: Vec::new(), retry_after_s: None }
}

/// What is wrong with one field of a request.
#[derive(Serialize, JsonSchema, Debug)]
pub struct FieldError<'a> {
    /// The field's name; empty for the body as a whole.
    field: &'a str,
    /// Stable, snake_case.
    code: &'a str,
    /// For people.
    message: &'a str,
}

/// Shows what is wrong with one field.
#[must_use]
pub fn field_error(error: &error::FieldError) -> FieldError<'_> {
    FieldError { field: &error.field, code: error.code, message: &error.message }
}
