//! What is asked of a provider how often, for how long, and by how many at a time.

use super::{STATE, Stage};
use crate::world::TestClock;
use authd::config::ProviderKind;
use authd::ports::Clock;
use authd::ports::http_client::{HttpClient, HttpResponse, NoAnswer, OutboundRequest};
use authd::ports::web_client::WebClient;
use authd::usecase::app::{App, IfMissing, Ports};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const DISCOVERY: &str = "openid-configuration";

#[test]
fn documents_are_asked_for_once_an_hour() {
    let stage = Stage::new(ProviderKind::Oidc);
    for _ in 0..5 {
        assert!(stage.url().unwrap().contains(STATE));
        stage.sign_in().unwrap();
    }
    assert_eq!((stage.stand_in.count(DISCOVERY), stage.stand_in.count("/jwks")), (1, 1));
    stage.world.advance(Duration::from_secs(3600));
    stage.sign_in().unwrap();
    assert_eq!((stage.stand_in.count(DISCOVERY), stage.stand_in.count("/jwks")), (2, 2));
}

#[test]
fn a_new_key_counts_at_once_and_unknown_ones_are_asked_for_once_a_minute() {
    let stage = Stage::new(ProviderKind::Oidc);
    stage.sign_in().unwrap();
    stage.stand_in.rotate("key-2");
    stage.sign_in().expect("the first fetch doesn't count");
    assert_eq!(stage.stand_in.count("/jwks"), 2);
    stage.stand_in.set(|script| drop(script.header.insert("kid".into(), json!("nobody's"))));
    for _ in 0..20 {
        assert_eq!(stage.sign_in().unwrap_err().reason(), "id_token_unknown_key");
    }
    assert_eq!(stage.stand_in.count("/jwks"), 2, "whoever sends tokens with made-up kids causes nothing");
    stage.world.advance(Duration::from_secs(59));
    stage.sign_in().unwrap_err();
    assert_eq!(stage.stand_in.count("/jwks"), 2);
    stage.world.advance(Duration::from_secs(1));
    stage.sign_in().unwrap_err();
    stage.sign_in().unwrap_err();
    assert_eq!(stage.stand_in.count("/jwks"), 3);
}

#[test]
fn a_key_that_was_taken_back_counts_for_two_hours_at_most() {
    let stage = Stage::new(ProviderKind::Oidc);
    stage.sign_in().unwrap();
    stage.stand_in.set(|script| drop(script.instead.insert("/jwks", (503, String::new()))));
    stage.world.advance(Duration::from_secs(3600));
    stage.sign_in().expect("an old copy does while the provider is ill");
    stage.world.advance(Duration::from_secs(3600));
    assert_eq!(stage.sign_in().unwrap_err().reason(), "status");
}

#[test]
fn a_failing_provider_is_not_asked_by_every_request() {
    let stage = Stage::new(ProviderKind::Oidc);
    stage.stand_in.set(|script| drop(script.instead.insert(DISCOVERY, (503, String::new()))));
    for _ in 0..20 {
        assert_eq!(stage.url().unwrap_err().reason(), "status");
    }
    assert_eq!(stage.stand_in.count(DISCOVERY), 1);
    stage.stand_in.set(|script| drop(script.instead.remove(DISCOVERY)));
    stage.world.advance(Duration::from_secs(30));
    assert!(stage.url().is_ok());
}

#[test]
fn of_many_at_once_one_asks() {
    let stage = Stage::new(ProviderKind::Oidc);
    let good = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| good.fetch_add(usize::from(stage.url().is_ok()), Ordering::SeqCst));
        }
    });
    assert_eq!(good.load(Ordering::SeqCst), 12, "a burst is served");
    assert_eq!(stage.stand_in.count(DISCOVERY), 1);
}

/// Asks for real, but lets time pass, or waits for a word first.
#[derive(Debug)]
struct Slow {
    clock: Arc<TestClock>,
    takes: Duration,
    /// How long each request was given.
    given: Mutex<Vec<Duration>>,
    begun: Sender<()>,
    /// Holds every request until it is let go.
    held: Mutex<Option<Receiver<()>>>,
    real: WebClient,
}

impl Slow {
    /// With whatever tells that a request has begun.
    fn new(stage: &Stage, takes: Duration) -> (Arc<Self>, Receiver<()>) {
        let (begun, has_begun) = channel();
        let slow = Self {
            clock: Arc::clone(&stage.world.clock),
            takes,
            given: Mutex::default(),
            begun,
            held: Mutex::default(),
            real: WebClient::new(),
        };
        (Arc::new(slow), has_begun)
    }

    /// From now on each request waits until what this gives is let go.
    fn hold(&self) -> Sender<()> {
        let (holds, held) = channel();
        *self.held.lock().unwrap() = Some(held);
        holds
    }
}

impl HttpClient for Slow {
    fn send(&self, request: &OutboundRequest) -> Result<HttpResponse, NoAnswer> {
        self.given.lock().unwrap().push(request.patience);
        let _ = self.begun.send(());
        if let Some(held) = self.held.lock().unwrap().as_ref() {
            let _ = held.recv();
        }
        self.clock.set(self.clock.now().plus(self.takes));
        self.real.send(request)
    }
}

fn app_with(stage: &Stage, http: Arc<Slow>) -> Arc<App> {
    let ports = Ports { http, ..stage.world.ports() };
    Arc::new(App::open(stage.world.app.config.clone(), ports, IfMissing::Refuse).unwrap())
}

#[test]
fn ten_seconds_are_for_all_that_one_sign_in_asks() {
    let mut stage = Stage::new(ProviderKind::Oidc);
    stage.stand_in.set(|script| drop(script.claims.insert("name".into(), Value::Null)));
    let returned = stage.returned().unwrap();
    let (slow, _) = Slow::new(&stage, Duration::from_secs(4));
    stage.world.app = app_with(&stage, Arc::clone(&slow));
    let fault = stage.claimed(&returned).unwrap_err();
    assert_eq!(fault.reason(), "no_answer", "{fault}");
    let given = slow.given.lock().unwrap().clone();
    assert_eq!(
        given,
        [10, 6, 2].map(Duration::from_secs),
        "metadata, token, keys, and none left for userinfo"
    );
    assert_eq!(stage.stand_in.count("/userinfo"), 0);
}

#[test]
fn a_provider_that_hangs_holds_four_threads_and_no_more() {
    let mut stage = Stage::new(ProviderKind::Oidc);
    let (slow, has_begun) = Slow::new(&stage, Duration::ZERO);
    stage.world.app = app_with(&stage, Arc::clone(&slow));
    let returned: Vec<_> = (0..5).map(|_| stage.returned().unwrap()).collect();
    has_begun.recv().unwrap();
    let holds = slow.hold();
    let (stage, fifth) = (&stage, &returned[4]);
    std::thread::scope(|scope| {
        let four = returned[..4].iter();
        let four: Vec<_> = four.map(|returned| scope.spawn(|| stage.claimed(returned).is_ok())).collect();
        for _ in 0..4 {
            has_begun.recv().unwrap();
        }
        let busy = || stage.claimed(fifth).unwrap_err().reason();
        assert_eq!(busy(), "busy", "after a second's wait");
        stage.world.advance(Duration::from_secs(2));
        for _ in 0..100 {
            assert_eq!(busy(), "busy", "at once, since nobody comes back soon");
        }
        assert!(stage.url().is_ok(), "what is at hand takes no turn");
        drop(holds);
        assert!(four.into_iter().all(|one| one.join().unwrap()));
    });
    assert!(stage.claimed(fifth).is_ok());
}
