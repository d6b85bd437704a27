//! The second factor against a model: random set-ups, logins, codes of any step, recovery codes, resets
//! and waits, through the use-cases and the real database.

use crate::authenticator::Authenticator;
use crate::database::worlds;
use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::domain::caller::Caller;
use authd::domain::password::Password;
use authd::domain::secret::Secret;
use authd::error::{Error, Refusal};
use authd::usecase::account::{admin_two_factor, two_factor};
use authd::usecase::signin::factor::Factor;
use authd::usecase::signin::login::LoggedIn;
use authd::usecase::signin::second_factor;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const FRESH: i64 = 300;
const TICKET: i64 = 300;

#[derive(Clone, Copy, Debug)]
enum Shown {
    /// The code of so many steps from now.
    Code(i64),
    WrongCode,
    /// One of the newest ten, used or not.
    Recovery(usize),
    WrongRecovery,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Turns the factor on, with the code of so many steps from now.
    TurnOn(i64),
    Login,
    /// Shows a factor with one of the tickets.
    Verify {
        ticket: usize,
        shown: Shown,
    },
    /// As many wrong codes, with new tickets where the old are burnt.
    Guess(u32),
    TurnOff(Shown),
    NewRecoveryCodes(i64),
    Reset,
    Wait(i64),
}

fn shown() -> impl Strategy<Value = Shown> {
    prop_oneof![
        8 => (-2i64..=2).prop_map(Shown::Code),
        2 => Just(Shown::WrongCode),
        2 => (0usize..10).prop_map(Shown::Recovery),
        1 => Just(Shown::WrongRecovery),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (-2i64..=2).prop_map(Step::TurnOn),
        5 => Just(Step::Login),
        12 => (0usize..4, shown()).prop_map(|(ticket, shown)| Step::Verify { ticket, shown }),
        2 => prop_oneof![1u32..6, 44u32..52, 97u32..102].prop_map(Step::Guess),
        1 => shown().prop_map(Step::TurnOff),
        1 => (-1i64..=1).prop_map(Step::NewRecoveryCodes),
        1 => Just(Step::Reset),
        5 => prop_oneof![Just(30i64), 1i64..90, Just(299), Just(300)].prop_map(Step::Wait),
    ]
}

/// A login that waits.
struct Ticket {
    text: String,
    made: i64,
    failures: u32,
    dead: bool,
}

/// The factor as it must stand. `None` of it: off.
struct Factors {
    app: Authenticator,
    last_step: i64,
    failures: u32,
    recovery_codes: Vec<String>,
    spent: BTreeSet<usize>,
}

/// Who is signed in, and since when with all factors. `None` of it: nobody.
struct Session {
    caller: Caller,
    proved: i64,
}

struct Model {
    world: World,
    factors: Option<Factors>,
    tickets: Vec<Ticket>,
    session: Option<Session>,
}

impl Model {
    fn now(&self) -> i64 {
        self.world.now().as_secs()
    }

    fn code_in(&self, app: &Authenticator, steps: i64) -> String {
        app.code_at(self.now() + 30 * steps)
    }

    /// A code of no step near.
    fn wrong_code(&self) -> String {
        let app = &self.factors.as_ref().unwrap().app;
        let near: Vec<_> = (-4..=4).map(|steps| self.code_in(app, steps)).collect();
        (0..10).map(|digits| format!("{digits:06}")).find(|code| !near.contains(code)).unwrap()
    }

    /// What a person types.
    fn factor(&self, shown: Shown) -> Factor {
        let factors = self.factors.as_ref().unwrap();
        match shown {
            Shown::Code(steps) => Factor::Code(Secret::new(self.code_in(&factors.app, steps))),
            Shown::WrongCode => Factor::Code(Secret::new(self.wrong_code())),
            Shown::Recovery(at) => Factor::RecoveryCode(Secret::new(factors.recovery_codes[at].clone())),
            Shown::WrongRecovery => Factor::RecoveryCode(Secret::new("aaaa-aaaa-aaaa-aaaa".into())),
        }
    }

    /// Whether the factor is right, by the rules; and what it spends or counts.
    fn judge(&mut self, shown: Shown) -> bool {
        let current = self.now() / 30;
        let Some(factors) = &mut self.factors else {
            return false;
        };
        if factors.failures == 100 {
            return false;
        }
        let right = match shown {
            Shown::Code(steps) => steps.abs() <= 1 && current + steps > factors.last_step,
            Shown::Recovery(at) => factors.spent.insert(at),
            Shown::WrongCode | Shown::WrongRecovery => false,
        };
        if let (true, Shown::Code(steps)) = (right, shown) {
            factors.last_step = current + steps;
        }
        factors.failures = if right { 0 } else { factors.failures + 1 };
        right
    }

    fn fresh(&self) -> Option<Caller> {
        let session = self.session.as_ref()?;
        (self.now() < session.proved + FRESH).then(|| session.caller.clone())
    }

    fn login(&mut self) {
        match self.world.first_step(&anonymous(), ANN, PASSWORD).unwrap() {
            LoggedIn::Started(started) => {
                let tokens = started.tokens(&self.world.app).unwrap();
                assert!(self.factors.is_none(), "a factor is on, and was not asked for");
                self.session = Some(Session { caller: self.world.caller(&tokens), proved: self.now() });
            }
            LoggedIn::SecondStep(ticket, _) => {
                assert!(self.factors.is_some(), "no factor is on");
                let text = ticket.expose().clone();
                self.tickets.push(Ticket { text, made: self.now(), failures: 0, dead: false });
            }
            LoggedIn::PasswordChange(_) => panic!("nobody made this password for her"),
        }
    }

    /// Shows a factor with the `at`th newest ticket.
    fn verify(&mut self, at: usize, shown: Shown) -> Result<(), TestCaseError> {
        if self.factors.is_none() || self.tickets.len() <= at {
            return Ok(());
        }
        let at = self.tickets.len() - 1 - at;
        let now = self.now();
        let typed = self.factor(shown);
        let open =
            !self.tickets[at].dead && now < self.tickets[at].made + TICKET && self.tickets[at].failures < 5;
        let right = open && self.judge(shown);
        let ticket = &mut self.tickets[at];
        ticket.dead |= right;
        ticket.failures += u32::from(open && !right);
        let found = second_factor::verify(&self.world.app, &anonymous(), &ticket.text, &typed);
        if right {
            let found =
                found.map_err(|error| TestCaseError::fail(format!("{shown:?} is refused: {error:?}")))?;
            let tokens = found.started().unwrap().tokens(&self.world.app).unwrap();
            self.session = Some(Session { caller: self.world.caller(&tokens), proved: now });
        } else {
            prop_assert_eq!(found.map(drop), Err(Error::Refused(Refusal::InvalidCode)), "{:?}", shown);
        }
        Ok(())
    }

    fn turn_on(&mut self, steps: i64) -> Result<(), TestCaseError> {
        let Some(caller) = self.fresh() else {
            return Ok(());
        };
        let setup = two_factor::setup(&self.world.app, &caller);
        if self.factors.is_some() {
            prop_assert_eq!(setup.map(drop), Err(Error::Refused(Refusal::AlreadyEnabled)));
            return Ok(());
        }
        let app = Authenticator::new(setup.unwrap().secret.expose());
        let code = Secret::new(self.code_in(&app, steps));
        let enabled = two_factor::enable(&self.world.app, &caller, &code);
        if steps.abs() > 1 {
            prop_assert_eq!(enabled.map(drop), Err(Error::Refused(Refusal::InvalidCode)));
            return Ok(());
        }
        let recovery_codes = enabled.unwrap().codes.iter().map(|code| code.expose().clone()).collect();
        let last_step = self.now() / 30 + steps;
        self.factors = Some(Factors { app, last_step, failures: 0, recovery_codes, spent: BTreeSet::new() });
        self.session = Some(Session { caller, proved: self.now() });
        Ok(())
    }

    fn turn_off(&mut self, shown: Shown) -> Result<(), TestCaseError> {
        let (Some(caller), true) = (self.fresh(), self.factors.is_some()) else {
            return Ok(());
        };
        let typed = self.factor(shown);
        let right = self.judge(shown);
        let password = Password::new(PASSWORD).unwrap();
        let found = two_factor::disable(&self.world.app, &caller, Some(&password), &typed);
        prop_assert_eq!(
            found.map(drop),
            if right { Ok(()) } else { Err(Error::Refused(Refusal::InvalidCode)) },
            "{:?}",
            shown
        );
        if right {
            self.off();
        }
        Ok(())
    }

    fn new_recovery_codes(&mut self, steps: i64) -> Result<(), TestCaseError> {
        let (Some(caller), true) = (self.fresh(), self.factors.is_some()) else {
            return Ok(());
        };
        let code = Secret::new(self.code_in(&self.factors.as_ref().unwrap().app, steps));
        let right = self.judge(Shown::Code(steps));
        let found = two_factor::new_recovery_codes(&self.world.app, &caller, &code);
        prop_assert_eq!(found.is_ok(), right);
        if let (Ok(given), Some(factors)) = (found, &mut self.factors) {
            factors.recovery_codes = given.codes.iter().map(|code| code.expose().clone()).collect();
            factors.spent.clear();
        }
        Ok(())
    }

    fn off(&mut self) {
        self.factors = None;
        self.tickets.clear();
    }

    fn apply(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::TurnOn(steps) => self.turn_on(steps)?,
            Step::Login => self.login(),
            Step::Verify { ticket, shown } => self.verify(ticket, shown)?,
            Step::Guess(times) if self.factors.is_some() => {
                for at in 0..times {
                    if at % 5 == 0 {
                        self.login();
                    }
                    self.verify(0, Shown::WrongCode)?;
                }
            }
            Step::Guess(_) => {}
            Step::TurnOff(shown) => self.turn_off(shown)?,
            Step::NewRecoveryCodes(steps) => self.new_recovery_codes(steps)?,
            Step::Reset => {
                let of = user_ref(ANN);
                let reset = admin_two_factor::reset_second_factor(&self.world.app, &operator(), &of).unwrap();
                let had = reset == admin_two_factor::FactorReset::Taken;
                prop_assert_eq!(had, self.factors.is_some());
                if had {
                    self.off();
                    self.session = None;
                }
            }
            Step::Wait(secs) => self.world.advance(Duration::from_secs(secs.unsigned_abs())),
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: worlds::cases(40), ..ProptestConfig::default() })]

    #[test]
    fn the_second_factor_does_what_its_rules_say(steps in prop::collection::vec(step(), 1..80)) {
        let world = World::new();
        world.add_user(ANN, &[]);
        let mut model = Model { world, factors: None, tickets: Vec::new(), session: None };
        model.login();
        model.turn_on(0)?;
        for step in steps {
            model.apply(step)?;
        }
    }
}
