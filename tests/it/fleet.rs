//! Two daemons on one database: what is used once is used once by both together, and what one has done
//! counts at the other's next request. It takes a server of PostgreSQL's, see tests/postgres/run.

use crate::daemon::Daemon;
use crate::database::worlds;
use crate::mail::Told;
use crate::missing::missing;
use crate::races::{
    ANN, RACERS, Track, race_for_a_link, race_for_a_recovery_code, race_for_a_refresh_token, race_for_a_step,
    race_for_a_ticket, race_of_guesses, rounds,
};
use crate::store::assert_chained;
use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::api::router::Router;
use authd::error::Error;
use authd::transport::{Running, Server, Settings};
use authd::usecase::account::{admin, roles};
use authd::usecase::app::App;
use authd::usecase::keys::signing_keys::{self, RetireMode};
use authd::usecase::mail::delivery::Delivery;
use authd::usecase::session::tokens::{Target, revoke};
use authd::usecase::session::{authenticate, refresh};
use serde_json::json;
use std::sync::{Arc, Barrier};
use std::time::Duration;

/// Whether there is a server that several can share; says so where there is none.
fn is_there() -> bool {
    let there = worlds::are_on_a_server();
    if !there {
        missing("postgres");
    }
    there
}

#[test]
fn a_ticket_gives_one_session_by_either() {
    if is_there() {
        race_for_a_ticket(Track::of_two);
    }
}

#[test]
fn a_step_of_the_app_gives_one_session_by_either() {
    if is_there() {
        race_for_a_step(Track::of_two);
    }
}

#[test]
fn a_recovery_code_gives_one_session_by_either() {
    if is_there() {
        race_for_a_recovery_code(Track::of_two);
    }
}

#[test]
fn a_link_works_once_by_either() {
    if is_there() {
        race_for_a_link(Track::of_two);
    }
}

#[test]
fn a_refresh_token_is_exchanged_once_by_either() {
    if is_there() {
        race_for_a_refresh_token(Track::of_two);
    }
}

#[test]
fn guesses_at_both_are_counted_together() {
    if is_there() {
        race_of_guesses(Track::of_two);
    }
}

/// Takes an admin away.
type Change = fn(&App, &str) -> Result<(), Error>;

#[test]
fn the_last_admin_stays_whoever_is_asked() {
    if !is_there() {
        return;
    }
    let changes: [Change; 3] = [
        |app, email| admin::disable(app, &operator(), &user_ref(email)).map(drop),
        |app, email| admin::delete(app, &operator(), &user_ref(email)).map(drop),
        |app, email| {
            let role = authd::domain::role::RoleName::parse("admin").unwrap();
            roles::unassign(app, &operator(), &user_ref(email), &[role]).map(drop)
        },
    ];
    for take_away in changes {
        for _ in 0..rounds() {
            let track = Track::of_two(World::new());
            let admins: Vec<String> =
                (0..RACERS).map(|number| format!("admin{number}@example.com")).collect();
            for email in &admins {
                track.world.add_user(email, &["admin"]);
            }
            let start = Barrier::new(RACERS);
            let gone = std::thread::scope(|scope| {
                let racers = admins.iter().enumerate().map(|(number, email)| {
                    let (start, track) = (&start, &track);
                    scope.spawn(move || {
                        start.wait();
                        take_away(track.app(number), email).is_ok()
                    })
                });
                let racers: Vec<_> = racers.collect();
                racers.into_iter().map(|racer| racer.join().unwrap()).filter(|gone| *gone).count()
            });
            assert_eq!(gone, RACERS - 1, "all but one");
        }
    }
}

/// Two apps whose tokens and clocks are the same, as behind a balancer.
fn both() -> (World, App) {
    let world = World::new();
    world.add_user(ANN, &[]);
    let other = world.another_app();
    (world, other)
}

#[test]
fn what_is_revoked_at_one_is_refused_by_the_other_at_once() {
    if !is_there() {
        return;
    }
    let (world, other) = both();
    let counts = |token: &str| authenticate::bearer(&other, token).is_ok();
    for _ in 0..10 {
        let tokens = world.login(ANN).unwrap();
        let token = tokens.access_token.expose();
        assert!(counts(token), "what one has signed, the other knows");
        revoke(&world.app, &operator(), &Target::Token(token.clone())).unwrap();
        assert!(!counts(token), "a token");

        let tokens = world.login(ANN).unwrap();
        assert!(counts(tokens.access_token.expose()));
        revoke(&world.app, &operator(), &Target::Token(tokens.refresh_token.expose().clone())).unwrap();
        assert!(!counts(tokens.access_token.expose()), "a session");
        assert!(refresh::refresh(&other, &anonymous(), tokens.refresh_token.expose()).is_err());

        let tokens = world.login(ANN).unwrap();
        assert!(counts(tokens.access_token.expose()));
        admin::disable(&world.app, &operator(), &user_ref(ANN)).unwrap();
        assert!(!counts(tokens.access_token.expose()), "an account");
        admin::enable(&world.app, &operator(), &user_ref(ANN)).unwrap();
    }
}

#[test]
fn a_key_that_is_retired_at_one_is_none_to_the_other_at_once() {
    if !is_there() {
        return;
    }
    let (world, other) = both();
    for _ in 0..3 {
        let tokens = world.login(ANN).unwrap();
        let token = tokens.access_token.expose();
        assert!(authenticate::bearer(&other, token).is_ok());
        let rotated = signing_keys::rotate(&world.app, &operator()).unwrap();
        let old = rotated.previous.unwrap().kid;
        assert!(authenticate::bearer(&other, token).is_ok(), "until then it counts");
        // The other signs with the new one from its next token on.
        let next = refresh::refresh(&other, &anonymous(), tokens.refresh_token.expose()).unwrap();
        assert!(authenticate::bearer(&world.app, next.access_token.expose()).is_ok());
        signing_keys::retire(&world.app, &operator(), &old, RetireMode::AtOnce).unwrap();
        assert!(authenticate::bearer(&other, token).is_err());
        assert!(authenticate::bearer(&other, next.access_token.expose()).is_ok());
    }
}

/// The same over HTTP, and that both publish the same keys.
#[test]
fn over_http_too_each_knows_what_the_other_has_done() {
    if !is_there() {
        return;
    }
    let one = Daemon::new();
    one.world.add_user(ANN, &[]);
    let other = beside(&one);
    let ask = |method: &str, path: &str, token: &str, body: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), crate::daemon::JSON];
        let request = crate::daemon::request(method, path, &headers, body.as_bytes());
        crate::daemon::exchange(other.address().tcp().unwrap(), &request)
    };
    for _ in 0..5 {
        let login = one.login(ANN);
        let token = login["access_token"].as_str().unwrap();
        assert_eq!(ask("GET", "/api/auth/me", token, "").status, 200);
        // Used there, the token is spent here.
        let body = json!({"refresh_token": login["refresh_token"]}).to_string();
        assert_eq!(ask("POST", "/api/auth/refresh", "", &body).status, 200);
        assert_eq!(one.post("/api/auth/refresh", &body).status, 401);
        assert_eq!(ask("GET", "/api/auth/me", token, "").status, 401, "used twice, it has ended the session");
    }
    let keys = "/api/auth/.well-known/jwks.json";
    assert_eq!(ask("GET", keys, "", "").json(), one.get(keys).json());
}

/// Another daemon of the same world.
fn beside(daemon: &Daemon) -> Running {
    let app = Arc::new(daemon.world.another_app());
    let (listen, settings) = (app.config.listen.clone(), Settings::from(&app.config));
    Server::start(&listen, settings, Arc::new(Router::new(app))).unwrap()
}

#[test]
fn each_mail_is_sent_by_one_of_them() {
    const MAILS: usize = 30;
    if !is_there() {
        return;
    }
    let world = World::new();
    let other = world.another_app();
    for number in 0..MAILS {
        world.register(&format!("user{number}@example.com")).unwrap();
    }
    let (told, start) = (Told::default(), Barrier::new(2));
    let deliver = |app: &App| {
        let mut delivery = Delivery::new(app, &told);
        start.wait();
        while delivery.deliver_due().unwrap() > 0 {}
    };
    std::thread::scope(|scope| {
        scope.spawn(|| deliver(&world.app));
        scope.spawn(|| deliver(&other));
    });
    let mut sent: Vec<String> = told.taken().into_iter().map(|(to, _)| to).collect();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!((sent.len(), told.taken().len()), (MAILS, MAILS));
}

#[test]
fn the_log_of_both_is_one_chain() {
    if !is_there() {
        return;
    }
    let world = World::new();
    let track = Track::of_two(world);
    let start = Barrier::new(16);
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (start, track) = (&start, &track);
            scope.spawn(move || {
                start.wait();
                for time in 0..10 {
                    let role = authd::domain::role::Role {
                        name: authd::domain::role::RoleName::parse(&format!("role-{number}-{time}")).unwrap(),
                        description: String::new(),
                        permissions: Vec::new(),
                    };
                    roles::add(track.app(number), &operator(), &role).unwrap();
                }
            });
        }
    });
    // Whoever reads it has it sealed before.
    let made = track.world.events().iter().filter(|event| *event == "RoleCreated").count();
    assert_eq!(made, 160);
    assert_chained(&track.world);
}

#[test]
fn two_starts_at_once_make_one_database() {
    if !is_there() {
        return;
    }
    for _ in 0..rounds() {
        let world = World::new();
        // The key file is there already, as every daemon of a fleet has it.
        let mut config = world.app.config.clone();
        config.database = world.elsewhere();
        let start = Barrier::new(2);
        let open = || {
            start.wait();
            App::open(config.clone(), world.ports(), authd::usecase::app::IfMissing::Create)
        };
        let apps: Vec<App> = std::thread::scope(|scope| {
            let both = [scope.spawn(open), scope.spawn(open)];
            both.into_iter().map(|one| one.join().unwrap().unwrap()).collect()
        });
        assert_eq!(apps.iter().filter(|app| app.created.database).count(), 1);
        let keys = signing_keys::page(&apps[0], &operator(), 10, None).unwrap().items;
        assert_eq!(keys.len(), 1, "{keys:?}");
    }
}

/// Whoever works with another one's tokens must have the same key file.
#[test]
fn one_with_another_key_file_is_refused() {
    if !is_there() {
        return;
    }
    let world = World::new();
    let mut config = world.app.config.clone();
    config.key_file = world.folder.join("other.key");
    let other = std::fs::read_to_string(world.folder.join("authd.key")).unwrap().replace('a', "b");
    std::fs::write(&config.key_file, other).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&config.key_file, mode).unwrap();
    let refused = App::open(config, world.ports(), authd::usecase::app::IfMissing::Create);
    assert!(refused.unwrap_err().to_string().contains("another database"));
}

#[test]
fn a_session_goes_on_at_either() {
    if !is_there() {
        return;
    }
    let (world, other) = both();
    let mut tokens = world.login_with(ANN, PASSWORD).unwrap();
    for number in 0..10 {
        let app: &App = if number % 2 == 0 { &other } else { &world.app };
        world.advance(Duration::from_secs(60));
        tokens = refresh::refresh(app, &anonymous(), tokens.refresh_token.expose()).unwrap();
        assert!(
            world.is_signed_in(&tokens) && authenticate::bearer(&other, tokens.access_token.expose()).is_ok()
        );
    }
}
