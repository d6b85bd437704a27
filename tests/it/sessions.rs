//! The session state machine against a model: random sequences of login, refresh, reuse, logout,
//! revocation, disabling and time, through the use-cases and the real database.

use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::domain::password::Password;
use authd::error::{Error, Refusal};
use authd::usecase::account::admin;
use authd::usecase::session::refresh::refresh;
use authd::usecase::session::tokens::{Target, revoke};
use authd::usecase::session::{list, logout};
use authd::usecase::signin::login::Tokens;
use proptest::prelude::*;
use std::time::Duration;

const IDLE: Duration = Duration::from_secs(7 * 24 * 3600);
const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
const ACCESS: Duration = Duration::from_secs(900);

#[derive(Clone, Debug)]
enum Step {
    Login(usize),
    /// Uses the `back`th newest refresh token of a session: 0 is the newest.
    Refresh {
        session: usize,
        back: usize,
    },
    Logout(usize),
    LogoutEverywhere(usize),
    EndFromAnother {
        session: usize,
        by: usize,
    },
    RevokeSession(usize),
    RevokeUser(usize),
    RevokeAccess(usize),
    SetPassword(usize),
    Disable(usize),
    Enable(usize),
    Wait(Duration),
}

fn step() -> impl Strategy<Value = Step> {
    let at = 0usize..8;
    let person = 0usize..2;
    prop_oneof![
        4 => person.clone().prop_map(Step::Login),
        8 => (at.clone(), prop_oneof![5 => Just(0usize), 1 => 1usize..3])
            .prop_map(|(session, back)| Step::Refresh { session, back }),
        1 => at.clone().prop_map(Step::Logout),
        1 => at.clone().prop_map(Step::LogoutEverywhere),
        1 => (at.clone(), at.clone()).prop_map(|(session, by)| Step::EndFromAnother { session, by }),
        1 => at.clone().prop_map(Step::RevokeSession),
        1 => person.clone().prop_map(Step::RevokeUser),
        1 => at.prop_map(Step::RevokeAccess),
        1 => person.clone().prop_map(Step::SetPassword),
        1 => person.clone().prop_map(Step::Disable),
        1 => person.prop_map(Step::Enable),
        4 => prop_oneof![
            Just(0u64), 1u64..1000, Just(899), Just(900),
            Just(7 * 86400 - 1), Just(7 * 86400), 86400u64..1_000_000,
        ]
        .prop_map(|secs| Step::Wait(Duration::from_secs(secs))),
    ]
}

/// What the model knows of a session.
struct Known {
    person: usize,
    /// Every refresh token it gave, oldest first.
    refresh: Vec<String>,
    newest: Tokens,
    access_issued: Duration,
    access_revoked: bool,
    started: Duration,
    used: Duration,
    ended: bool,
}

struct Model {
    world: World,
    now: Duration,
    sessions: Vec<Known>,
    disabled: [bool; 2],
}

const PEOPLE: [&str; 2] = ["ann@example.com", "bob@example.com"];

impl Model {
    fn new() -> Self {
        let world = World::new();
        for person in PEOPLE {
            world.add_user(person, &[]);
        }
        Self { world, now: Duration::ZERO, sessions: Vec::new(), disabled: [false; 2] }
    }

    fn lives(&self, at: usize) -> bool {
        let known = &self.sessions[at];
        !known.ended && self.now < known.started + LIFE && self.now < known.used + IDLE
    }

    fn access_is_good(&self, at: usize) -> bool {
        let known = &self.sessions[at];
        self.lives(at)
            && !known.access_revoked
            && self.now < known.access_issued + ACCESS
            && !self.disabled[known.person]
    }

    fn end_all_of(&mut self, person: usize) {
        self.sessions.iter_mut().filter(|known| known.person == person).for_each(|known| known.ended = true);
    }

    fn run(&mut self, step: &Step) {
        // Steps name sessions by number; those that don't exist (yet) are skipped.
        let count = self.sessions.len();
        let (app, now) = (std::sync::Arc::clone(&self.world.app), self.now);
        match *step {
            Step::Wait(span) => {
                self.world.advance(span);
                self.now += span;
            }
            Step::Login(person) => match self.world.login(PEOPLE[person]) {
                Ok(tokens) => {
                    assert!(!self.disabled[person]);
                    self.sessions.push(Known {
                        person,
                        refresh: vec![tokens.refresh_token.expose().clone()],
                        newest: tokens,
                        access_issued: now,
                        access_revoked: false,
                        started: now,
                        used: now,
                        ended: false,
                    });
                }
                Err(error) => {
                    assert!(self.disabled[person]);
                    assert_eq!(error, Error::Refused(Refusal::AccountDisabled));
                }
            },
            Step::Refresh { session, back }
                if session < count && back < self.sessions[session].refresh.len() =>
            {
                self.refresh(session, back);
            }
            Step::Logout(at) if at < count && self.access_is_good(at) => {
                logout::logout(&app, &self.world.caller(&self.sessions[at].newest)).unwrap();
                self.sessions[at].ended = true;
            }
            Step::LogoutEverywhere(at) if at < count && self.access_is_good(at) => {
                logout::everywhere(&app, &self.world.caller(&self.sessions[at].newest)).unwrap();
                self.end_all_of(self.sessions[at].person);
            }
            Step::EndFromAnother { session: at, by }
                if at < count && by < count && self.access_is_good(by) =>
            {
                let caller = self.world.caller(&self.sessions[by].newest);
                let outcome = list::end_own(&app, &caller, &self.sessions[at].newest.session.to_string());
                let may = self.sessions[at].person == self.sessions[by].person && !self.sessions[at].ended;
                assert_eq!(outcome.is_ok(), may, "{outcome:?}");
                self.sessions[at].ended |= may;
            }
            Step::RevokeSession(at) if at < count => {
                revoke(&app, &operator(), &Target::Session(self.sessions[at].newest.session.to_string()))
                    .unwrap();
                self.sessions[at].ended = true;
            }
            Step::RevokeUser(person) => {
                revoke(&app, &operator(), &Target::User(user_ref(PEOPLE[person]))).unwrap();
                self.end_all_of(person);
            }
            Step::RevokeAccess(at) if at < count && self.access_is_good(at) => {
                let token = self.sessions[at].newest.access_token.expose().clone();
                assert_eq!(revoke(&app, &operator(), &Target::Token(token)).unwrap(), 1);
                self.sessions[at].access_revoked = true;
            }
            Step::SetPassword(person) => {
                let password = Password::new(PASSWORD).unwrap();
                admin::set_password(
                    &app,
                    &operator(),
                    &user_ref(PEOPLE[person]),
                    &password,
                    admin::Term::Lasting,
                )
                .unwrap();
                self.end_all_of(person);
            }
            Step::Disable(person) => {
                admin::disable(&app, &operator(), &user_ref(PEOPLE[person])).unwrap();
                self.disabled[person] = true;
                self.end_all_of(person);
            }
            Step::Enable(person) => {
                admin::enable(&app, &operator(), &user_ref(PEOPLE[person])).unwrap();
                self.disabled[person] = false;
            }
            _ => {}
        }
        for at in 0..self.sessions.len() {
            let says = self.world.is_signed_in(&self.sessions[at].newest);
            assert_eq!(says, self.access_is_good(at), "session {at} after {step:?}");
        }
    }

    fn refresh(&mut self, at: usize, back: usize) {
        let tokens = &self.sessions[at].refresh;
        let token = tokens[tokens.len() - 1 - back].clone();
        let lived = self.lives(at);
        let outcome = refresh(&self.world.app, &anonymous(), &token);
        if lived && back == 0 {
            let tokens = outcome.expect("the newest token of a living session rotates");
            let now = self.now;
            let known = &mut self.sessions[at];
            known.refresh.push(tokens.refresh_token.expose().clone());
            known.newest = tokens;
            known.access_issued = now;
            known.access_revoked = false;
            known.used = now;
        } else {
            assert_eq!(outcome.unwrap_err(), Error::Refused(Refusal::InvalidToken));
            // A token used before ends its family; a dead one has nothing left to end.
            self.sessions[at].ended |= lived;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn sessions_do_what_the_model_does(steps in prop::collection::vec(step(), 1..40)) {
        let mut model = Model::new();
        for step in &steps {
            model.run(step);
        }
    }
}
