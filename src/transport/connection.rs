//! One connection: the HTTP crate between the guard and the lanes, and the change of types.

use super::guard::{Exchange, Guard};
use super::head;
use super::lanes::{self, Lanes, Pool};
use super::memory::{Memory, Share};
use super::message::{Body as AnswerBody, Head, Headers, Request, Response, Then};
use super::pressure::Pressure;
use super::seats::Seat;
use super::service::{Dispatch, Lane, Service, Trouble};
use super::settings::Settings;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderName, HeaderValue};
use hyper::http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::borrow::Cow;
use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, timeout_at};

/// The longest body taken, in bytes.
pub const BODY_MAX_BYTES: usize = 64 * 1024;
/// What the HTTP crate may buffer of what a connection sends, in bytes: a head of the longest, and a little.
const BUFFER_MAX_BYTES: usize = head::MAX_BYTES + 4 * 1024;

/// So many requests a thread answers without a rest, however busy it is.
const REST_AFTER: u32 = 1024;

/// What all connections of a thread share.
pub struct ThreadContext {
    /// Requests since the start.
    pub requests: Cell<u32>,
    pub service: Arc<dyn Service>,
    pub lanes: Arc<Lanes>,
    pub pressure: Arc<Pressure>,
    pub memory: Arc<Memory>,
    pub settings: Settings,
}

/// What a newcomer found.
pub enum Place {
    Seat(Seat),
    /// Too many are here: it is told so, and shown out. So many may wait for that at once.
    Lobby(OwnedSemaphorePermit),
}

/// Serves a connection to its end, or, once `stop` says so or somebody else needs its place, to the end of
/// the request under way.
pub async fn serve<S>(
    context: Rc<ThreadContext>,
    stream: S,
    peer: Option<IpAddr>,
    place: Place,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let deadlines = context.settings.deadlines;
    let (seat, lobby) = match place {
        Place::Seat(seat) => (Some(seat), None),
        Place::Lobby(place) => (None, Some(place)),
    };
    let exchange = Rc::new(Exchange::new(seat, context.memory.clone()));
    let mut guard = match lobby {
        None => Guard::new(stream, exchange.clone(), deadlines),
        Some(_) => Guard::refusing(stream, exchange.clone(), deadlines, Trouble::Crowded),
    };
    // What `wait_for` gives holds a lock on the value. Kept while the connection ends, it would lock out the
    // next thread that says stop, and that one everybody who looks: for ever.
    let told = stop.clone();
    let stopped = async { stop.wait_for(|stop| *stop).await.is_ok() };
    let needed = async {
        match &exchange.seat {
            Some(seat) => seat.is_needed().await,
            None => pending().await,
        }
    };
    let mut leave = pin!(async {
        tokio::select! {
            // An error says that the server itself has gone, which is a reason to stop, too.
            _ = stopped => {}
            () = needed => exchange.is_needed.set(true),
        }
    });
    loop {
        // Leaving first: once it was said, no request that waits behind the one under way is begun.
        let has_work = tokio::select! {
            biased;
            () = leave.as_mut() => false,
            has_work = guard.has_work() => has_work,
        };
        if !has_work || !converse(&context, &exchange, &mut guard, peer, &told, leave.as_mut()).await {
            return;
        }
    }
}

/// Has the crate answer what comes, until nothing does. `false`: the connection has come to its end.
async fn converse<S>(
    context: &Rc<ThreadContext>,
    exchange: &Rc<Exchange>,
    guard: &mut Guard<S>,
    peer: Option<IpAddr>,
    told: &watch::Receiver<bool>,
    leave: Pin<&mut impl Future<Output = ()>>,
) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| {
        let (context, exchange) = (context.clone(), exchange.clone());
        async move {
            let is_safe = request.method().is_safe();
            let response = answer(&context, &exchange, request, peer).await;
            // Told since this thread has looked last, between that and the answer.
            let is_told = told.has_changed().unwrap_or(true);
            let closes = response.then == Then::Close || is_told;
            let then = if closes { Then::Close } else { exchange.then.get() };
            let (response, share) = within_memory(&context, response, is_safe);
            Ok::<_, Infallible>(into_hyper(response.then(then), share))
        }
    });
    // With `half_close` the crate doesn't read on while a request is being answered. The guard
    // needs that: what it hands over next is always the next head.
    let mut connection = pin!(
        http1::Builder::new()
            .half_close(true)
            .header_read_timeout(None)
            .max_buf_size(BUFFER_MAX_BYTES)
            // Head and body in one system call, and the body where it is: large ones are not copied.
            .writev(true)
            .serve_connection(TokioIo::new(&mut *guard), service)
    );
    let (ended, stays) = tokio::select! {
        biased;
        () = leave => {
            connection.as_mut().graceful_shutdown();
            (connection.await, false)
        }
        ended = connection.as_mut() => (ended, true),
    };
    match ended {
        Ok(()) => stays && guard.is_resting(),
        Err(error) => {
            tracing::debug!(%error, "a connection broke");
            false
        }
    }
}

async fn answer(
    context: &ThreadContext,
    exchange: &Exchange,
    request: hyper::Request<Incoming>,
    peer: Option<IpAddr>,
) -> Response {
    context.requests.set(context.requests.get().wrapping_add(1));
    if context.requests.get().is_multiple_of(REST_AFTER) {
        context.service.before_wait();
    }
    if let Some(trouble) = exchange.refused.take() {
        return refuse(context, trouble, None);
    }
    let (head, body) = split(request, peer);
    let body = match read(context, body, exchange.deadline.get()).await {
        Ok(body) => body,
        Err(trouble) => return refuse(context, trouble, Some(&head)),
    };
    let Dispatch { lane, found } = context.service.dispatch(&head);
    let request = Request { head, body, waited: Duration::ZERO, found };
    let pool = match lane {
        Lane::Short => return lanes::answer(&*context.service, &request),
        Lane::Commit => return lanes::answer_later(&*context.service, &request).await,
        Lane::Read => Pool::Read,
        Lane::Write => Pool::Write,
        Lane::Hash => Pool::Hash,
        Lane::Outbound => Pool::Outbound,
    };
    match context.lanes.submit(pool, request) {
        // A worker answers whatever it took, even by a panic; without it there is nobody left to ask.
        Ok(response) => response.await.unwrap_or_else(|_| refuse(context, Trouble::Panicked, None)),
        Err(request) => refuse(context, Trouble::Overloaded, Some(&request.head)),
    }
}

fn refuse(context: &ThreadContext, trouble: Trouble, head: Option<&Head>) -> Response {
    context.service.refuse(trouble, head).then(trouble.then())
}

fn split(request: hyper::Request<Incoming>, peer: Option<IpAddr>) -> (Head, Incoming) {
    let (parts, body) = request.into_parts();
    let head = Head {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: Headers::from(parts.headers),
        peer,
    };
    (head, body)
}

/// Reads the whole body, or as much as it takes to know that it won't do. Memory for as much as was announced
/// is asked for first, so that a client that sends slowly holds none that wasn't there.
async fn read(context: &ThreadContext, body: Incoming, deadline: Instant) -> Result<Bytes, Trouble> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > BODY_MAX_BYTES as u64 {
        return Err(Trouble::BodyTooLarge);
    }
    let announced = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    let share = context.memory.take(announced.unwrap_or(BODY_MAX_BYTES)).ok_or(Trouble::Crowded)?;
    match timeout_at(deadline, Limited::new(body, BODY_MAX_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(share.of(body.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Trouble::BodyTooLarge),
        Ok(Err(_)) => Err(Trouble::BadRequest("the body is broken off, or its chunks are not well formed")),
        Err(_) => Err(Trouble::RequestTimeout),
    }
}

/// The answer with the share of memory that it keeps until its last byte has gone out. Where none is left,
/// who only wants to read comes again later. Whatever may have changed something is answered all the same
/// (`None`): a change that was made can't be refused any more, and these answers are short.
fn within_memory(context: &ThreadContext, response: Response, is_safe: bool) -> (Response, Option<Share>) {
    let bytes = match &response.body {
        AnswerBody::Own(bytes) => bytes.len(),
        AnswerBody::Shared(_) => 0,
    };
    match context.memory.take(bytes) {
        None if is_safe => (refuse(context, Trouble::Overloaded, None), None),
        share => (response, share),
    }
}

fn into_hyper(response: Response, share: Option<Share>) -> hyper::Response<Full<Bytes>> {
    try_into_hyper(response, share).unwrap_or_else(|error| {
        // Handlers build headers from checked values. Half an answer would be worse than none.
        tracing::error!(%error, "a response could not be sent");
        let mut bare = hyper::Response::new(Full::default());
        *bare.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        bare
    })
}

fn try_into_hyper(
    response: Response,
    share: Option<Share>,
) -> Result<hyper::Response<Full<Bytes>>, hyper::http::Error> {
    let body = match (response.body, share) {
        (AnswerBody::Shared(bytes), _) => Bytes::from_static(bytes),
        (AnswerBody::Own(bytes), Some(share)) => share.of(bytes.into()),
        (AnswerBody::Own(bytes), None) => bytes.into(),
    };
    let mut converted = hyper::Response::new(Full::new(body));
    *converted.status_mut() = StatusCode::from_u16(response.status)?;
    converted.headers_mut().reserve(response.headers.len());
    for (name, value) in response.headers {
        let value = match value {
            Cow::Borrowed(value) => HeaderValue::from_static(value),
            Cow::Owned(value) => HeaderValue::try_from(value)?,
        };
        converted.headers_mut().append(HeaderName::from_static(name), value);
    }
    if response.then == Then::Close {
        converted.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(converted)
}
