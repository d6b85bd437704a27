//! The daemon's face to Prometheus: `GET /metrics` on an address of its own, and nothing else there. It
//! asks for no proof of who is asking, so it tells how many and how often, and never who.
//!
//! The rooms below count without knowing that anybody looks (see `counters`); `usecase::figures` reads them
//! out, and `text` writes that down.

mod text;

use crate::config::Listen;
use crate::error::Fault;
use crate::transport::message::{Head, Request, Response};
use crate::transport::pressure::Pressure;
use crate::transport::{Deadlines, Dispatch, Lane, Running, Server, Service, Settings, Threads, Trouble};
use crate::usecase::app::App;
use crate::usecase::operator::figures;
use std::sync::Arc;

/// The text format of Prometheus, version 0.0.4, which every scraper reads.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// On all answers, as the API has them: a browser that is led here shows nothing and keeps nothing.
const HEADERS: [(&str, &str); 4] = [
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ("referrer-policy", "no-referrer"),
];

/// The figures of one app, and of the server in front of it.
#[derive(Debug)]
pub struct Metrics {
    app: Arc<App>,
    pressure: Arc<Pressure>,
}

impl Metrics {
    /// Serves the figures where the configuration says. `None`: it says nowhere. `pressure` is that of the
    /// server that clients talk to.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start(app: &Arc<App>, pressure: Arc<Pressure>) -> Result<Option<Running>, Fault> {
        let Some(address) = app.config.metrics.listen else {
            return Ok(None);
        };
        let metrics = Arc::new(Self { app: Arc::clone(app), pressure });
        Server::start(&Listen::Tcp(address), settings(), metrics).map(Some).map_err(named)
    }
}

/// One scraper asks a few times a minute; more come by mistake. All they ask for is read.
fn settings() -> Settings {
    Settings {
        max_connections: 64,
        max_connections_per_network: Some(64),
        trusted: Vec::new(),
        memory_bytes: Settings::MEMORY_BYTES,
        threads: Threads { io: 1, read: 2, write: 0, hash: 0, outbound: 0 },
        hash_queue: 0,
        deadlines: Deadlines::default(),
    }
}

/// Says which of the two addresses it is that can't be had.
fn named(fault: Fault) -> Fault {
    match fault {
        Fault::Config(text) => Fault::Config(format!("metrics.listen: {text}")),
        Fault::Permission(text) => Fault::Permission(format!("metrics.listen: {text}")),
        other => other,
    }
}

impl Service for Metrics {
    fn dispatch(&self, _: &Head) -> Dispatch {
        Dispatch::to(Lane::Read)
    }

    fn handle(&self, request: &Request) -> Response {
        let Head { method, path, .. } = &request.head;
        if path != "/metrics" || !["GET", "HEAD"].contains(&method.as_str()) {
            return plain(404, "not found: GET /metrics is all there is");
        }
        let text = text::write(figures::read(&self.app), Arc::clone(&self.pressure));
        dressed(Response::with_body(200, CONTENT_TYPE, text.into_bytes()))
    }

    fn refuse(&self, trouble: Trouble, _: Option<&Head>) -> Response {
        match trouble {
            Trouble::BadRequest(why) => plain(400, why),
            Trouble::MethodRefused => plain(404, "not found: GET /metrics is all there is"),
            Trouble::RequestTimeout => plain(408, "the request did not come in time"),
            Trouble::BodyTooLarge => plain(413, "the body is too large"),
            Trouble::ExpectationFailed => plain(417, "only 100-continue can be expected"),
            Trouble::HeadersTooLarge => plain(431, "the headers are too large"),
            Trouble::Panicked => plain(500, "the figures can't be read; the log says why"),
            Trouble::Crowded | Trouble::Overloaded => plain(503, "too many ask at once"),
        }
    }
}

fn plain(status: u16, text: &str) -> Response {
    dressed(Response::with_body(status, "text/plain; charset=utf-8", format!("{text}\n").into_bytes()))
}

fn dressed(response: Response) -> Response {
    HEADERS.into_iter().fold(response, |response, (name, value)| response.header(name, value))
}
