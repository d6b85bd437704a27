//! What an answer tells of the caller's budget (draft-ietf-httpapi-ratelimit-headers-10).

use crate::error::whole_secs;
use crate::transport::message::Response;
use crate::usecase::rate_limit::Spent;

/// Adds `RateLimit-Policy`, of how many requests in how many seconds, and `RateLimit`: how many are
/// left now, and in how many seconds all of them will be.
#[must_use]
pub fn tell(response: Response, spent: &Spent) -> Response {
    let name = spent.budget.name();
    let policy = format!("\"{name}\";q={};w={}", spent.rate.events, whole_secs(spent.rate.window));
    let state = format!("\"{name}\";r={};t={}", spent.remaining, whole_secs(spent.reset));
    response.header("ratelimit-policy", policy).header("ratelimit", state)
}
