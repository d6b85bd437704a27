//! Rate limits: what is counted together, what an answer tells, and when one may ask again (S7).

use crate::daemon::{Answer, Daemon, JSON};
use authd::api::route::Access;
use authd::api::table::routes;
use authd::config::Rate;
use authd::domain::network::Network;
use authd::usecase::app::rate_limit::{Budget, BudgetState, RateDecision, RateLimits};
use proptest::prelude::*;
use std::net::Ipv4Addr;
use std::time::Duration;

const LOGIN: &str = r#"{"email":"nobody@example.com","password":"not the password at all"}"#;

fn daemon(settings: &[(&str, &str)]) -> Daemon {
    // The lockout is another matter.
    let all = [
        ("rate_limit.enabled", "true"),
        ("lockout.pair_failures", "1000"),
        ("proxy.trusted", "127.0.0.1/32"),
    ];
    Daemon::with(&[&all, settings].concat())
}

fn login_from(daemon: &Daemon, ip: &str) -> Answer {
    daemon.send("POST", "/api/auth/login", &[JSON, ("x-forwarded-for", ip)], LOGIN.as_bytes())
}

#[test]
fn a_network_that_asks_too_much_is_told_when_to_come_back() {
    let daemon = daemon(&[("rate_limit.login", "3/1m")]);
    let login = || login_from(&daemon, "192.0.2.1");
    for (left, reset) in [(2, 20), (1, 40), (0, 60)] {
        let answer = login();
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(answer.header("ratelimit-policy"), "\"login\";q=3;w=60");
        assert_eq!(answer.header("ratelimit"), format!("\"login\";r={left};t={reset}"));
    }
    let before = daemon.world.events();
    let refused = login();
    assert_eq!((refused.status, refused.problem().as_str()), (429, "rate_limited"));
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit")), ("20", "\"login\";r=0;t=60"));
    assert_eq!(daemon.world.events(), before, "nothing was looked at");

    daemon.world.advance(Duration::from_millis(19_500));
    assert_eq!(login().header("retry-after"), "1");
    daemon.world.advance(Duration::from_secs(1));
    assert_eq!(login().status, 401, "who waited that long is heard");
    assert_eq!(login().status, 429);
    daemon.world.advance(Duration::from_secs(60));
    assert_eq!([login().status, login().status, login().status, login().status], [401, 401, 401, 429]);
}

#[test]
fn a_network_is_an_address_or_a_v6_prefix_and_spends_for_itself() {
    let daemon = daemon(&[("rate_limit.login", "1/1m")]);
    assert_eq!(login_from(&daemon, "192.0.2.1").status, 401);
    assert_eq!(login_from(&daemon, "192.0.2.1").status, 429);
    assert_eq!(login_from(&daemon, "::ffff:192.0.2.1").status, 429, "the same host by another spelling");
    assert_eq!(login_from(&daemon, "192.0.2.2").status, 401);
    assert_eq!(login_from(&daemon, "2001:db8:1:2::1").status, 401);
    assert_eq!(login_from(&daemon, "2001:db8:1:2:ffff::2").status, 429);
    assert_eq!(login_from(&daemon, "2001:db8:1:3::1").status, 401);
    assert_eq!(login_from(&daemon, "6.6.6.6, 192.0.2.1").status, 429, "what a stranger wrote doesn't count");
}

#[test]
fn whoever_has_many_v6_networks_has_few_budgets() {
    let daemon = daemon(&[("rate_limit.login", "2/1m")]);
    let admitted = |networks: std::ops::Range<u32>, prefix: &str| {
        let answers = networks.map(|network| login_from(&daemon, &format!("{prefix}{network:02x}::1")));
        answers.filter(|answer| answer.status == 401).count()
    };
    assert_eq!(admitted(0..100, "2001:db8:1:10"), 8, "a /56 has four budgets");
    let refused = login_from(&daemon, "2001:db8:1:10ff::1");
    assert_eq!((refused.status, refused.header("ratelimit-policy")), (429, "\"login\";q=8;w=60"));
    assert_eq!(refused.header("retry-after"), "8", "one of eight in a minute");
    let others: usize = (0x11..0x30).map(|site| admitted(0..4, &format!("2001:db8:1:{site:x}"))).sum();
    assert_eq!(others, 24, "a /48 has sixteen");
    assert_eq!(login_from(&daemon, "2001:db8:1:ffff::1").header("ratelimit-policy"), "\"login\";q=32;w=60");
    let neighbour = login_from(&daemon, "2001:db8:2::1");
    assert_eq!((neighbour.status, neighbour.header("ratelimit-policy")), (401, "\"login\";q=2;w=60"));
    assert_eq!(login_from(&daemon, "32.1.13.184").status, 401, "an IPv4 address has nothing to do with it");

    daemon.world.advance(Duration::from_secs(60));
    assert_eq!(admitted(0..100, "2001:db8:1:10"), 8);
}

/// Every route with its budget, as the contract has them.
fn budget_of(id: &str) -> Option<Budget> {
    match id {
        "login"
        | "verify_second_step"
        | "change_password"
        | "change_required_password"
        | "reauthenticate"
        | "finish_passkey_login"
        | "start_passkey_second_step"
        | "recover_account"
        | "delete_me"
        | "enable_two_factor"
        | "disable_two_factor"
        | "replace_recovery_codes"
        | "confirm_password_reset"
        | "confirm_email_verification"
        | "start_sign_in"
        | "finish_sign_in"
        | "exchange_code"
        | "confirm_email_change"
        | "confirm_magic_link" => Some(Budget::Login),
        "register" => Some(Budget::Register),
        "request_email_verification"
        | "request_password_reset"
        | "request_email_change"
        | "request_magic_link" => Some(Budget::Mail),
        "refresh" | "make_session_token" | "introspect" | "revoke" => Some(Budget::Token),
        "health" | "readiness" | "verify" => None,
        _ => Some(Budget::Default),
    }
}

#[test]
fn every_route_spends_its_budget_together_with_its_like() {
    for budget in ["login", "register", "mail", "token", "default"] {
        let key = format!("rate_limit.{budget}");
        let daemon = daemon(&[(&key, "1/1h")]);
        let its = || routes().filter(|route| budget_of(route.id).is_some_and(|own| own.name() == budget));
        for first in its() {
            daemon.world.advance(Duration::from_secs(3600));
            let ask = |method: &str, path: &str| daemon.send(method, path, &[], b"").status;
            assert_ne!(ask(first.method.name(), first.path), 429, "{first:?}");
            for other in its() {
                assert_eq!(ask(other.method.name(), other.path), 429, "{other:?} after {first:?}");
            }
        }
        for route in routes().filter(|route| budget_of(route.id).is_none_or(|other| other.name() != budget)) {
            let answer = daemon.send(route.method.name(), route.path, &[], b"");
            assert_ne!(answer.status, 429, "{route:?} has nothing to do with {budget}");
            assert_eq!(answer.header("ratelimit").is_empty(), budget_of(route.id).is_none(), "{route:?}");
        }
    }
}

#[test]
fn health_and_verify_are_never_refused_and_a_preflight_spends_nothing() {
    let daemon = daemon(&[("rate_limit.default", "1/1h"), ("cors.origins", "https://app.example.com")]);
    for route in routes().filter(|route| route.limit.is_none()) {
        assert!(route.method.is_safe(), "{route:?}");
        let expected = if route.access == Access::Public { 200 } else { 401 };
        assert_eq!(
            [daemon.get(route.path).status, daemon.get(route.path).status],
            [expected; 2],
            "{route:?}"
        );
    }
    let asks = [("origin", "https://app.example.com"), ("access-control-request-method", "GET")];
    for _ in 0..3 {
        assert_eq!(daemon.send("OPTIONS", "/api/auth/me", &asks, b"").status, 204);
        assert_eq!(daemon.get("/nowhere").status, 404);
    }
    let answer = daemon.send("GET", "/api/auth/me", &asks[..1], b"");
    assert_eq!(answer.status, 401);
    assert!(answer.header("access-control-expose-headers").contains("RateLimit"));
}

/// What the OpenAPI document and docs/verifying-tokens.md say.
#[test]
fn what_is_not_counted_tells_of_no_budget() {
    let daemon = daemon(&[("rate_limit.default", "1/1h")]);
    let told = |method: &str, path: &str| {
        let answer = daemon.send(method, path, &[], b"");
        (answer.status, answer.header("ratelimit").to_owned() + answer.header("ratelimit-policy"))
    };
    let counted = "\"default\";r=0;t=3600\"default\";q=1;w=3600".to_owned();
    for _ in 0..2 {
        assert_eq!(told("GET", "/api/auth/nowhere"), (404, String::new()), "a path that isn't served");
        assert_eq!(told("PUT", "/api/auth/me"), (405, String::new()), "a method that isn't");
        assert_eq!(told("TRACE", "/api/auth/me"), (405, String::new()), "what the transport refuses");
        assert_eq!(told("GET", "/api/auth/verify"), (401, String::new()));
        assert_eq!(told("GET", "/healthz"), (200, String::new()));
        assert_eq!(told("GET", "/readyz"), (200, String::new()));
    }
    assert_eq!(told("GET", "/api/auth/me"), (401, counted.clone()), "none of it was counted");
    assert_eq!(told("GET", "/api/auth/me"), (429, counted));
    assert_eq!(told("GET", "/api/auth/nowhere"), (404, String::new()), "nor is it refused with the others");

    let document: serde_json::Value = serde_json::from_str(authd::api::openapi::document()).unwrap();
    let about = document["info"]["description"].as_str().unwrap();
    for said in ["`RateLimit`", "`/verify`", "404, 405"] {
        assert!(about.contains(said), "{about}");
    }
    for route in routes() {
        let operation = &document["paths"][route.path][route.method.name().to_ascii_lowercase()];
        let says = operation["description"].as_str().is_some_and(|text| text.contains("no `RateLimit`"));
        assert_eq!(says, route.limit.is_none(), "{route:?}");
    }
}

#[test]
fn limits_can_be_turned_off_and_are_then_not_told_of() {
    let daemon = daemon(&[("rate_limit.enabled", "false"), ("rate_limit.login", "1/1h")]);
    for _ in 0..5 {
        let answer = login_from(&daemon, "192.0.2.1");
        assert_eq!(
            (answer.status, answer.header("ratelimit"), answer.header("ratelimit-policy")),
            (401, "", "")
        );
    }
}

/// A bucket of `events` tokens of which `window` fills all: what the algorithm must come to.
struct Bucket {
    /// In nanoseconds of filling.
    level: u128,
    at: Duration,
}

impl Bucket {
    fn spend(&mut self, rate: Rate, now: Duration) -> Option<Duration> {
        let token = rate.window.as_nanos().div_ceil(rate.events.into());
        self.level =
            (self.level + now.saturating_sub(self.at).as_nanos()).min(token * u128::from(rate.events));
        self.at = now;
        match self.level.checked_sub(token) {
            Some(rest) => {
                self.level = rest;
                None
            }
            None => Some(Duration::from_nanos(u64::try_from(token - self.level).unwrap())),
        }
    }
}

fn ask(limits: &RateLimits, rate: Rate, host: u32, now: Duration) -> BudgetState {
    limits.spend(Budget::Login, rate, Network::V4(Ipv4Addr::from(host)), now)
}

proptest! {
    #[test]
    fn the_limit_is_a_bucket_that_fills_evenly(
        events in 1u32..50,
        window_ms in 1u64..100_000_000,
        steps in prop::collection::vec(
            (0u32..3, prop_oneof![Just(0u64), 0u64..2_000, 0u64..200_000_000]),
            1..200,
        ),
    ) {
        let rate = Rate { events, window: Duration::from_millis(window_ms) };
        let limits = RateLimits::default();
        let mut now = Duration::from_secs(1);
        let token = rate.window.as_nanos().div_ceil(events.into());
        let full = || Bucket { level: token * u128::from(events), at: Duration::ZERO };
        let mut buckets = [full(), full(), full()];
        for (host, wait_ms) in steps {
            now += Duration::from_millis(wait_ms);
            let bucket = &mut buckets[host as usize];
            let expected = bucket.spend(rate, now);
            let spent = ask(&limits, rate, host, now);
            match expected {
                None => prop_assert_eq!(spent.decision, RateDecision::Admitted),
                Some(retry_after) => prop_assert_eq!(spent.decision, RateDecision::Refused { retry_after }),
            }
            prop_assert_eq!(u128::from(spent.remaining), bucket.level / token);
            prop_assert_eq!(spent.reset.as_nanos(), token * u128::from(events) - bucket.level);
        }
    }

    #[test]
    fn a_v6_network_is_admitted_where_it_and_what_lies_around_it_have_room(
        events in 1u32..10,
        steps in prop::collection::vec((0u64..3, 0u64..3, prop_oneof![Just(0u64), 0u64..30_000]), 1..300),
    ) {
        let rate = Rate { events, window: Duration::from_secs(60) };
        let wider = |factor| Rate { events: events * factor, ..rate };
        let limits = RateLimits::default();
        let mut now = Duration::from_secs(1);
        let mut buckets = std::collections::HashMap::new();
        for (site, host, wait_ms) in steps {
            now += Duration::from_millis(wait_ms);
            let prefix = 0x2001_0db8_0001_0000 | site << 8 | host;
            let mut spent = Vec::new();
            for (bits, factor) in [(64, 1), (56, 4), (48, 16)] {
                let (key, rate) = ((bits, prefix >> (64 - bits)), wider(factor));
                let token = rate.window.as_nanos().div_ceil(rate.events.into());
                let full = || Bucket { level: token * u128::from(rate.events), at: Duration::ZERO };
                let bucket: &mut Bucket = buckets.entry(key).or_insert_with(full);
                spent.push((key, token, bucket.spend(rate, now)));
            }
            let expected = spent.iter().filter_map(|(_, _, wait)| *wait).max();
            if expected.is_some() {
                // One that had room gives it back.
                for (key, token, wait) in &spent {
                    buckets.get_mut(key).unwrap().level += if wait.is_none() { *token } else { 0 };
                }
            }
            let found = limits.spend(Budget::Login, rate, Network::V6(prefix), now).decision;
            match expected {
                None => prop_assert_eq!(found, RateDecision::Admitted),
                Some(retry_after) => prop_assert_eq!(found, RateDecision::Refused { retry_after }),
            }
        }
    }

    #[test]
    fn waiting_as_long_as_told_works_and_a_nanosecond_less_does_not(
        events in 1u32..50,
        window_ms in 1u64..100_000_000,
    ) {
        let rate = Rate { events, window: Duration::from_millis(window_ms) };
        let limits = RateLimits::default();
        let start = Duration::from_secs(1);
        let wait = loop {
            if let RateDecision::Refused { retry_after } = ask(&limits, rate, 1, start).decision {
                break retry_after;
            }
        };
        let early = ask(&limits, rate, 1, start + wait.saturating_sub(Duration::from_nanos(1))).decision;
        prop_assert_eq!(early, RateDecision::Refused { retry_after: Duration::from_nanos(1) });
        prop_assert_eq!(ask(&limits, rate, 1, start + wait).decision, RateDecision::Admitted);
    }
}
