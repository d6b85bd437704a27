//! Problem documents (RFC 9457).

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
