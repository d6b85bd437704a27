//! The web origins that may read answers.

use crate::transport::message::Headers;

/// The origin of a request from a web page, when `origins` lists it to the letter.
pub fn allowed<'a>(headers: &'a Headers, origins: &[String]) -> Option<&'a str> {
    let origin = headers.single("origin").ok()??;
    origins.iter().any(|allowed| allowed == origin).then_some(origin)
}
