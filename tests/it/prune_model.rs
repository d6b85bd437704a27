//! Pruning changes no answer: two worlds live the same random life, one of them is pruned after every
//! step, and nobody can tell them apart.

use crate::database::worlds;
use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::domain::caller::Caller;
use authd::domain::email::Email;
use authd::domain::link::LinkKind;
use authd::domain::password::Password;
use authd::ports::progress::Progress;
use authd::usecase::account::admin::unlock;
use authd::usecase::account::{link, password};
use authd::usecase::operator::prune::prune;
use authd::usecase::session::tokens::{Target, revoke};
use authd::usecase::session::{authenticate, refresh};
use authd::usecase::signin::login::Tokens;
use authd::views;
use proptest::prelude::*;
use std::time::Duration;

/// The first is somebody's, the second nobody's.
const ACCOUNTS: [&str; 2] = ["ann@example.com", "nobody@example.com"];
const NETWORKS: [&str; 2] = ["192.0.2.1", "198.51.100.1"];
const DAY: u64 = 24 * 3600;

#[derive(Clone, Debug)]
enum Step {
    Fail {
        account: usize,
        network: usize,
    },
    Succeed {
        network: usize,
    },
    Unlock,
    /// The token counts from the newest backwards.
    Refresh(usize),
    ShowAccess(usize),
    RevokeAccess(usize),
    EndSession(usize),
    AskForLink,
    LookAtLink(usize),
    Reset(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..2, 0usize..2).prop_map(|(account, network)| Step::Fail { account, network }),
        4 => (0usize..2).prop_map(|network| Step::Succeed { network }),
        1 => Just(Step::Unlock),
        4 => (0usize..6).prop_map(Step::Refresh),
        3 => (0usize..6).prop_map(Step::ShowAccess),
        1 => (0usize..4).prop_map(Step::RevokeAccess),
        1 => (0usize..4).prop_map(Step::EndSession),
        1 => Just(Step::AskForLink),
        1 => (0usize..3).prop_map(Step::LookAtLink),
        1 => (0usize..3).prop_map(Step::Reset),
        6 => prop_oneof![1u64..120, 600u64..4000, Just(DAY), Just(7 * DAY), Just(30 * DAY), Just(31 * DAY)]
            .prop_map(Step::Wait),
    ]
}

/// A world, and what its people hold.
struct Life {
    world: World,
    tokens: Vec<Tokens>,
    links: Vec<String>,
    password: &'static str,
}

fn from(network: usize) -> Caller {
    Caller { ip: Some(NETWORKS[network].parse().unwrap()), ..anonymous() }
}

impl Life {
    fn new() -> Self {
        let world = World::with(&[
            ("lockout.pair_failures", "3"),
            ("lockout.account_failures", "5"),
            ("lockout.pair_lock_max", "40d"),
        ]);
        world.add_user(ACCOUNTS[0], &[]);
        Self { world, tokens: Vec::new(), links: Vec::new(), password: PASSWORD }
    }

    fn held<T>(all: &[T], back: usize) -> Option<&T> {
        all.iter().rev().nth(back)
    }

    /// Everything that anybody is told.
    fn play(&mut self, step: &Step) -> String {
        let app = &self.world.app;
        match *step {
            Step::Fail { account, network } => {
                format!(
                    "{:?}",
                    self.world.first_step(&from(network), ACCOUNTS[account], "not the password at all").err()
                )
            }
            Step::Succeed { network } => {
                let outcome = self.world.first_step(&from(network), ACCOUNTS[0], self.password);
                let told = format!("{:?}", outcome.as_ref().err());
                if let Ok(authd::usecase::signin::login::LoggedIn::Started(started)) = outcome {
                    self.tokens.push(started.tokens(app).unwrap());
                }
                format!("{told}, mails: {:?}", self.kinds())
            }
            Step::Unlock => format!("{:?}", unlock(app, &operator(), &user_ref(ACCOUNTS[0])).map(drop)),
            Step::Refresh(back) => {
                let Some(held) = Self::held(&self.tokens, back) else {
                    return String::new();
                };
                let outcome = refresh::refresh(app, &anonymous(), held.refresh_token.expose());
                let told = format!("{:?}", outcome.as_ref().err());
                self.tokens.extend(outcome);
                told
            }
            Step::ShowAccess(back) => {
                let shown = Self::held(&self.tokens, back);
                let seen = shown.map(|held| authenticate::bearer(app, held.access_token.expose()));
                // A lock that is over is as good as none, and nobody sees it.
                let seen = seen.map(|seen| {
                    seen.map(|me| {
                        (me.session, me.auth_time, format!("{:?}", views::user(&me.account, app.now())))
                    })
                });
                format!("{seen:?}")
            }
            Step::RevokeAccess(back) => {
                if let Some(held) = Self::held(&self.tokens, back) {
                    // How many it were is for the operator alone.
                    let _ = revoke(app, &operator(), &Target::Token(held.access_token.expose().clone()));
                }
                String::new()
            }
            Step::EndSession(back) => {
                let Some(held) = Self::held(&self.tokens, back) else {
                    return String::new();
                };
                let target = Target::Token(held.refresh_token.expose().clone());
                let _ = revoke(app, &operator(), &target);
                String::new()
            }
            Step::AskForLink => {
                let email = Email::parse(ACCOUNTS[0]).unwrap();
                password::request_reset(app, &anonymous(), &email).unwrap();
                let mails = self.world.mails(ACCOUNTS[0]);
                if let Some(mail) = mails.iter().find(|mail| mail.kind == "reset_password") {
                    self.links.push(self.world.token_in(mail));
                }
                format!("{:?}", self.kinds())
            }
            Step::LookAtLink(back) => {
                let held = Self::held(&self.links, back);
                format!("{:?}", held.map(|token| link::peek(app, LinkKind::ResetPassword, token)))
            }
            Step::Reset(back) => {
                let Some(token) = Self::held(&self.links, back) else {
                    return String::new();
                };
                let new = if self.password == PASSWORD { "another good long password" } else { PASSWORD };
                let outcome = password::reset(app, &anonymous(), token, &Password::new(new).unwrap());
                if outcome.is_ok() {
                    self.password = new;
                }
                format!("{outcome:?}")
            }
            Step::Wait(secs) => {
                self.world.advance(Duration::from_secs(secs));
                String::new()
            }
        }
    }

    /// All mails are queued still, so none is over.
    fn kinds(&self) -> Vec<String> {
        self.world.mails(ACCOUNTS[0]).into_iter().map(|mail| mail.kind).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: worlds::cases(40), ..ProptestConfig::default() })]

    #[test]
    fn nobody_can_tell_a_pruned_world_from_another(steps in prop::collection::vec(step(), 1..60)) {
        let (mut plain, mut pruned) = (Life::new(), Life::new());
        for step in &steps {
            prop_assert_eq!(plain.play(step), pruned.play(step), "{:?}", step);
            prune(&pruned.world.app, &operator(), &Progress::default()).unwrap();
        }
    }
}
