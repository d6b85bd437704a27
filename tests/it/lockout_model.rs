//! The lockout against a model: random failures, successes, unlocks and waits of two accounts, one of
//! which nobody has, from three networks, through the use-cases and the real database.

use crate::database::worlds;
use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::domain::caller::Caller;
use authd::error::{Error, Refusal};
use authd::usecase::account::admin::unlock;
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

/// The first is somebody's, the second nobody's.
const ACCOUNTS: [&str; 2] = ["ann@example.com", "nobody@example.com"];
const NETWORKS: [&str; 3] = ["192.0.2.1", "198.51.100.1", "2001:db8::1"];

const PAIR_FAILURES: u32 = 3;
const PAIR_LOCK: u64 = 10;
const PAIR_LOCK_MAX: u64 = 60;
const ACCOUNT_FAILURES: u32 = 8;
const ACCOUNT_LOCK: u64 = 100;
const KNOWN: u64 = 300;

const SETTINGS: [(&str, &str); 6] = [
    ("lockout.pair_failures", "3"),
    ("lockout.pair_lock", "10s"),
    ("lockout.pair_lock_max", "60s"),
    ("lockout.account_failures", "8"),
    ("lockout.account_lock", "100s"),
    ("lockout.known_network", "300s"),
];

#[derive(Clone, Debug)]
enum Step {
    Fail {
        account: usize,
        network: usize,
    },
    /// With Ann's password.
    Succeed {
        network: usize,
    },
    Unlock,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0usize..2, 0usize..3).prop_map(|(account, network)| Step::Fail { account, network }),
        3 => (0usize..3).prop_map(|network| Step::Succeed { network }),
        1 => Just(Step::Unlock),
        3 => prop_oneof![Just(9u64), Just(10), 1u64..70, Just(100), Just(300)].prop_map(Step::Wait),
    ]
}

/// The rules in their plainest form. Times are seconds since the beginning.
#[derive(Default)]
struct Model {
    now: u64,
    /// Failures since the last lock, locks, and the end of the last one.
    pairs: HashMap<(usize, usize), (u32, u32, u64)>,
    /// Failures since the last lock, and the end of the last one.
    accounts: HashMap<usize, (u32, u64)>,
    /// When Ann last came in from a network.
    seen: HashMap<usize, u64>,
}

impl Model {
    /// How long an attempt has to wait still.
    fn wait(&self, account: usize, network: usize) -> Option<u64> {
        let pair = self.pairs.get(&(account, network)).map_or(0, |pair| pair.2);
        let known = account == 0 && self.seen.get(&network).is_some_and(|at| self.now < at + KNOWN);
        let whole = if known { 0 } else { self.accounts.get(&account).map_or(0, |state| state.1) };
        pair.max(whole).checked_sub(self.now).filter(|wait| *wait > 0)
    }

    fn fail(&mut self, account: usize, network: usize) {
        let (failures, locks, until) = self.pairs.entry((account, network)).or_default();
        *failures += 1;
        if *failures == PAIR_FAILURES {
            let doubled = (0..*locks).fold(PAIR_LOCK, |lock, _| (lock * 2).min(PAIR_LOCK_MAX));
            (*failures, *locks, *until) = (0, *locks + 1, self.now + doubled);
        }
        let (failures, until) = self.accounts.entry(account).or_default();
        *failures += 1;
        if *failures == ACCOUNT_FAILURES {
            (*failures, *until) = (0, self.now + ACCOUNT_LOCK);
        }
    }

    fn succeed(&mut self, network: usize) {
        self.pairs.remove(&(0, network));
        self.accounts.remove(&0);
        self.seen.insert(network, self.now);
    }

    fn unlock(&mut self) {
        self.pairs.retain(|(account, _), _| *account != 0);
        self.accounts.remove(&0);
    }
}

fn from(network: usize) -> Caller {
    Caller { ip: Some(NETWORKS[network].parse().unwrap()), ..anonymous() }
}

/// Logs in; gives the refusal, or `None` for a success.
fn attempt(world: &World, account: usize, network: usize, password: &str) -> Option<Refusal> {
    match world.first_step(&from(network), ACCOUNTS[account], password) {
        Ok(_) => None,
        Err(Error::Refused(refusal)) => Some(refusal),
        Err(Error::Failed(fault)) => panic!("{fault}"),
    }
}

fn too_many(wait: u64) -> Option<Refusal> {
    Some(Refusal::TooManyAttempts { retry_after: Duration::from_secs(wait) })
}

fn play(steps: &[Step]) -> Result<(), TestCaseError> {
    let world = World::with(&SETTINGS);
    world.add_user(ACCOUNTS[0], &[]);
    let mut model = Model::default();
    for step in steps {
        match *step {
            Step::Wait(secs) => {
                world.advance(Duration::from_secs(secs));
                model.now += secs;
            }
            Step::Unlock => {
                unlock(&world.app, &operator(), &user_ref(ACCOUNTS[0])).unwrap();
                model.unlock();
            }
            Step::Fail { account, network } => {
                let expected = model.wait(account, network);
                let found = attempt(&world, account, network, "not the password at all");
                prop_assert_eq!(
                    found,
                    expected.map_or(Some(Refusal::InvalidCredentials), too_many),
                    "{:?}",
                    step
                );
                if expected.is_none() {
                    model.fail(account, network);
                }
            }
            Step::Succeed { network } => {
                let expected = model.wait(0, network);
                prop_assert_eq!(
                    attempt(&world, 0, network, PASSWORD),
                    expected.and_then(too_many),
                    "{:?}",
                    step
                );
                if expected.is_none() {
                    model.succeed(network);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: worlds::cases(40), ..ProptestConfig::default() })]

    #[test]
    fn the_lockout_does_what_its_rules_say(steps in prop::collection::vec(step(), 1..120)) {
        play(&steps)?;
    }
}
