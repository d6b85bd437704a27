//! The administrators' API: what `authctl` does, over HTTP.

use crate::daemon::{self, Answer, Daemon};
use crate::mail::Told;
use crate::world::{operator, user_ref};
use authd::domain::role::{Permission, Role, RoleName};
use authd::ports::Undelivered;
use authd::usecase::account::{admin, roles};
use authd::usecase::keys::signing_keys;
use authd::usecase::mail::delivery::Delivery;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::time::Duration;

const ROOT: &str = "root@example.com";

struct Admin {
    daemon: Daemon,
    token: String,
}

impl Admin {
    fn new() -> Self {
        let daemon = Daemon::new();
        let token = daemon.token_of(ROOT, &["admin"]);
        Self { daemon, token }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.daemon.send_as(&self.token, method, &format!("/api/auth/admin/{path}"), &body)
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, &Value::Null);
        assert_eq!(answer.status, 200, "{path} {answer:?}");
        answer.json()
    }

    fn act(&self, method: &str, path: &str) -> (u16, String) {
        let answer = self.send(method, path, &Value::Null);
        (answer.status, if answer.status < 400 { answer.body } else { answer.problem() })
    }

    fn id_of(&self, email: &str) -> String {
        admin::find(&self.daemon.world.app, &operator(), &user_ref(email)).unwrap().id.to_string()
    }

    fn add_role(&self, name: &str, permissions: &[&str]) {
        let new = Role {
            name: RoleName::parse(name).unwrap(),
            description: String::new(),
            permissions: permissions.iter().map(|text| Permission::parse(text).unwrap()).collect(),
        };
        roles::add(&self.daemon.world.app, &operator(), &new).unwrap();
    }
}

fn done() -> (u16, String) {
    (204, String::new())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn an_account_is_made_changed_and_deleted() {
    let admin = Admin::new();
    let new = json!({
        "email": "Bob@example.com", "name": "Bob", "password": crate::world::PASSWORD, "email_verified": true,
    });
    let made = admin.send("POST", "users", &new);
    assert_eq!((made.status, &made.json()["email_verified"]), (201, &json!(true)), "{made:?}");
    let path = format!("users/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(admin.send("POST", "users", &new).problem(), "email_taken");
    assert_eq!(admin.get(&path), made.json());

    let token = admin.daemon.token_of("bob@example.com", &[]);
    let changed = admin.send("PATCH", &path, &json!({"name": "Bob Lee", "email": "lee@example.com"}));
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(
        (&changed.json()["name"], &changed.json()["email"]),
        (&json!("Bob Lee"), &json!("lee@example.com"))
    );
    assert_eq!(changed.json()["email_verified"], false);
    assert_eq!(
        admin.daemon.send_as(&token, "GET", "/api/auth/me", "").status,
        401,
        "another address ends sessions"
    );
    assert_eq!(admin.send("PATCH", &path, &json!({"email_verified": true})).json()["email_verified"], true);
    assert_eq!(admin.send("PATCH", &path, &json!({"email": ROOT})).problem(), "email_taken");

    assert_eq!(admin.act("DELETE", &path), done());
    assert_eq!(admin.act("DELETE", &path), refused(404, "not_found"));
    assert_eq!(admin.act("GET", "users/lee@example.com"), refused(404, "not_found"));
}

#[test]
fn somebody_is_invited_by_mail_and_the_link_stays_in_it() {
    let admin = Admin::new();
    for (email, invite) in [("bob@example.com", json!(true)), ("cyd@example.com", json!(false))] {
        let made = admin.send("POST", "users", &json!({"email": email, "invite": invite}));
        assert_eq!(made.status, 201);
        let token = admin.daemon.world.token_in_mail(email);
        assert!(!made.body.contains(&token) && !made.body.contains("link"), "{made:?}");
    }
    let both = json!({"email": "dan@example.com", "invite": true, "password": crate::world::PASSWORD});
    assert_eq!(
        admin.send("POST", "users", &both).field_errors(),
        [("invite".to_owned(), "conflict".to_owned())]
    );
}

#[test]
fn each_action_does_what_it_says_and_is_in_the_log_under_its_name() {
    let admin = Admin::new();
    let world = &admin.daemon.world;
    let token = || admin.daemon.token_of("bob@example.com", &[]);
    let first = token();
    let bob = format!("users/{}", admin.id_of("bob@example.com"));
    let me = |token: &str| admin.daemon.send_as(token, "GET", "/api/auth/me", "").status;

    assert_eq!(admin.act("POST", &format!("{bob}/logout")), done());
    assert_eq!(me(&first), 401);
    let second = token();
    assert_eq!(admin.act("POST", &format!("{bob}/disable")), done());
    assert_eq!((me(&second), world.login("bob@example.com").is_err()), (401, true));
    assert_eq!(admin.act("POST", &format!("{bob}/password-reset")), refused(403, "account_disabled"));
    assert_eq!(admin.act("POST", &format!("{bob}/enable")), done());
    for _ in 0..5 {
        assert!(world.login_with("bob@example.com", "wrong wrong wrong").is_err());
    }
    assert!(world.login("bob@example.com").is_err());
    assert_eq!(admin.act("POST", &format!("{bob}/unlock")), done());
    assert!(world.login("bob@example.com").is_ok());
    assert_eq!(admin.act("POST", &format!("{bob}/password-reset")), done());
    assert!(world.token_in_mail("bob@example.com").starts_with("authd_pr_"));
    assert_eq!(admin.act("POST", &format!("{bob}/2fa-reset")), done());

    let actor = format!("user:{}", admin.id_of(ROOT));
    for event in
        ["LoggedOutEverywhere", "UserDisabled", "UserEnabled", "UserUnlocked", "PasswordResetRequested"]
    {
        let line = world.audit().into_iter().rfind(|line| line.event == event).unwrap();
        assert_eq!((line.actor, line.ip.as_deref()), (actor.clone(), Some("127.0.0.1")), "{event}");
    }
}

#[test]
fn a_role_counts_on_the_next_request_and_so_does_its_end() {
    let admin = Admin::new();
    let made =
        admin.send("POST", "roles", &json!({"name": "support", "permissions": ["users:read", "posts:*"]}));
    assert_eq!(
        (made.status, &made.json()["permissions"]),
        (201, &json!(["posts:*", "users:read"])),
        "{made:?}"
    );
    assert_eq!(admin.send("POST", "roles", &json!({"name": "support"})).problem(), "already_exists");
    let token = admin.daemon.token();
    let status = || admin.daemon.send_as(&token, "GET", "/api/auth/admin/users", "").status;
    let place = format!("users/{}/roles/support", admin.id_of("tess@example.com"));

    assert_eq!(status(), 403);
    assert_eq!((admin.act("PUT", &place), admin.act("PUT", &place), status()), (done(), done(), 200));
    assert_eq!((admin.act("DELETE", &place), admin.act("DELETE", &place), status()), (done(), done(), 403));
    assert_eq!((admin.act("PUT", &place), status()), (done(), 200));
    let changed = admin.send("PATCH", "roles/support", &json!({"permissions": [], "description": "Helps"}));
    assert_eq!((changed.status, status()), (200, 403));
    assert_eq!(
        admin.get("roles/support"),
        json!({"name": "support", "description": "Helps", "permissions": []})
    );
    assert_eq!(admin.send("PATCH", "roles/support", &json!({"permissions": ["users:read"]})).status, 200);
    assert_eq!((status(), admin.act("DELETE", "roles/support"), status()), (200, done(), 403));

    assert_eq!(admin.act("PUT", &place), refused(404, "not_found"));
    assert_eq!(admin.act("DELETE", "roles/admin"), refused(409, "built_in_role"));
    assert_eq!(admin.send("PATCH", "roles/admin", &json!({"permissions": []})).problem(), "built_in_role");
}

#[test]
fn nobody_hands_out_more_of_authd_than_they_hold() {
    let admin = Admin::new();
    let daemon = &admin.daemon;
    let key = daemon.key("clerk", &["users:write", "roles:write", "keys:write"]);
    daemon.token();
    admin.add_role("reader", &["audit:read"]);
    let (tess, root) = (admin.id_of("tess@example.com"), admin.id_of(ROOT));
    let ask = |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = daemon.send_as(&key, method, &format!("/api/auth/admin/{path}"), &body);
        if answer.status < 400 { answer.status.to_string() } else { answer.problem() }
    };
    let before = daemon.world.events();
    for (method, path, body) in [
        ("PUT", format!("users/{tess}/roles/admin"), Value::Null),
        ("PUT", format!("users/{tess}/roles/reader"), Value::Null),
        ("POST", "users".into(), json!({"email": "eve@example.com", "roles": ["admin"]})),
        ("POST", "roles".into(), json!({"name": "mine", "permissions": ["audit:*"]})),
        ("PATCH", "roles/reader".into(), json!({"permissions": ["audit:read", "users:read"]})),
        ("POST", "api-keys".into(), json!({"name": "mine", "permissions": ["audit:read"]})),
        ("PATCH", format!("users/{root}"), json!({"email": "eve@example.com", "email_verified": true})),
    ] {
        assert_eq!(ask(method, &path, body), "forbidden", "{method} {path}");
    }
    assert_eq!(daemon.world.events(), before);
    // What other programs mean by their permissions is theirs to judge.
    assert_eq!(
        ask("POST", "roles", json!({"name": "author", "permissions": ["posts:*", "users:write"]})),
        "201"
    );
    assert_eq!(ask("PUT", &format!("users/{tess}/roles/author"), Value::Null), "204");
    assert_eq!(ask("PATCH", &format!("users/{root}"), json!({"name": "Root"})), "forbidden");
}

#[test]
fn the_last_admin_stays_whoever_asks_at_once() {
    const RACERS: usize = 64;
    let admin = Admin::new();
    let token = admin.daemon.token_of("roo@example.com", &["admin"]);
    let (root, roo) = (admin.id_of(ROOT), admin.id_of("roo@example.com"));
    let asks: Vec<_> = (0..RACERS)
        .map(|number| {
            // Each of the two takes the role from the other, or disables or deletes them.
            let (token, other) =
                if number.is_multiple_of(2) { (&admin.token, &roo) } else { (&token, &root) };
            let (method, path) = match number % 3 {
                0 => ("DELETE", format!("/api/auth/admin/users/{other}/roles/admin")),
                1 => ("POST", format!("/api/auth/admin/users/{other}/disable")),
                _ => ("DELETE", format!("/api/auth/admin/users/{other}")),
            };
            daemon::request(method, &path, &[("authorization", &format!("Bearer {token}"))], b"")
        })
        .collect();
    let (start, address) = (Barrier::new(RACERS), admin.daemon.running.address().tcp().unwrap());
    let ask = |bytes: Vec<u8>| {
        start.wait();
        daemon::exchange(address, &bytes).status
    };
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = &ask;
        let racers: Vec<_> = asks.into_iter().map(|bytes| scope.spawn(move || ask(bytes))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    // Whoever was faster goes on; the other is out, and the one who stays can't be taken away any more.
    assert!(answers.contains(&204), "{answers:?}");
    assert!(answers.iter().all(|status| [204, 401, 403, 404, 409].contains(status)), "{answers:?}");
    assert!(admin::has_admin(&admin.daemon.world.app).unwrap());
    let left: Vec<_> = [ROOT, "roo@example.com"]
        .into_iter()
        .filter_map(|email| admin::find(&admin.daemon.world.app, &operator(), &user_ref(email)).ok())
        .filter(|user| user.is_admin() && user.disabled_at.is_none())
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn the_last_admin_cannot_go_by_themselves_either() {
    let admin = Admin::new();
    let root = format!("users/{}", admin.id_of(ROOT));
    for (method, path) in [
        ("DELETE", root.clone()),
        ("POST", format!("{root}/disable")),
        ("DELETE", format!("{root}/roles/admin")),
    ] {
        assert_eq!(admin.act(method, &path), refused(409, "last_admin"));
    }
}

/// Every item of a list, in pages of `limit`; `between` runs after the first.
fn walk(admin: &Admin, path: &str, cursor: &str, between: impl Fn()) -> Vec<Value> {
    let (mut items, mut place) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{path}limit=2{place}"));
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        if place.is_empty() {
            between();
        }
        let Some(next) = page["next"].as_str() else {
            return items;
        };
        place = format!("&{cursor}={next}");
    }
}

#[test]
fn pages_hold_while_others_write() {
    let admin = Admin::new();
    let world = &admin.daemon.world;
    for number in 0..5 {
        let name = format!("n{number}");
        admin.daemon.token_of(&format!("{name}@example.com"), &[]);
        admin.add_role(&name, &[]);
        admin.daemon.key(&name, &[]);
        world.register(&format!("waits{number}@example.com")).unwrap();
    }
    let newest = world.audit().last().unwrap().seq;
    let more = || {
        admin.daemon.token_of("zz@example.com", &[]);
        admin.add_role("a-first", &[]);
        admin.daemon.key("a-first", &[]);
    };
    for (path, cursor, id) in [
        ("users?", "after", "id"),
        ("roles?", "after", "name"),
        ("api-keys?", "after", "id"),
        ("sessions?", "after", "id"),
        ("audit?", "before", "seq"),
        ("mails?", "after", "id"),
    ] {
        let items = walk(&admin, path, cursor, more);
        let ids: BTreeSet<_> = items.iter().map(|item| item[id].to_string()).collect();
        assert_eq!(ids.len(), items.len(), "{path} shows nothing twice");
        assert!(items.len() >= 5, "{path}");
        let _ = roles::delete(&world.app, &operator(), &RoleName::parse("a-first").unwrap());
    }
    let lines = walk(&admin, "audit?", "before", || {});
    let numbers: Vec<_> = lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "newest first, without a gap");
    assert!(numbers.contains(&newest) && numbers.contains(&1));
}

#[test]
fn limits_and_cursors_out_of_range_are_refused() {
    let admin = Admin::new();
    let users = admin.get("users?limit=1");
    assert_eq!(users["next"], Value::Null);
    admin.daemon.token();
    let cursor = admin.get("users?limit=1")["next"].as_str().unwrap().to_owned();
    for list in ["users", "roles", "sessions", "api-keys", "audit"] {
        for limit in ["0", "201", "-1", "x", ""] {
            assert_eq!(
                admin.act("GET", &format!("{list}?limit={limit}")),
                refused(422, "validation_failed"),
                "{limit}"
            );
        }
        assert_eq!(admin.act("GET", &format!("{list}?nonsense=1")), refused(422, "validation_failed"));
        let name = if list == "audit" { "before" } else { "after" };
        for wrong in ["x", "AAAA", cursor.as_str()] {
            if (list, wrong) != ("users", cursor.as_str()) {
                assert_eq!(
                    admin.act("GET", &format!("{list}?{name}={wrong}")),
                    refused(400, "invalid_cursor"),
                    "{list}"
                );
            }
        }
    }
}

#[test]
fn filters_show_what_they_name() {
    let admin = Admin::new();
    let world = &admin.daemon.world;
    admin.daemon.token();
    world.add_unverified("new@example.com");
    let emails = |query: &str| {
        let items = admin.get(&format!("users?{query}"))["items"].as_array().unwrap().clone();
        items.iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(emails("query=TESS"), ["tess@example.com"]);
    assert_eq!(emails("query=%25"), Vec::<String>::new(), "a sign of the database's own is a letter");
    assert_eq!(emails("role=admin"), [ROOT]);
    assert_eq!(emails("state=unverified"), ["new@example.com"]);
    assert_eq!(emails("state=disabled"), Vec::<String>::new());

    let tess = admin.id_of("tess@example.com");
    let sessions = admin.get("sessions?user=tess@example.com")["items"].clone();
    assert_eq!((sessions.as_array().unwrap().len(), &sessions[0]["user_id"]), (1, &json!(tess)));
    assert_eq!(admin.act("GET", "sessions?user=nobody@example.com"), refused(404, "not_found"));
    let session = sessions[0]["id"].as_str().unwrap();
    assert_eq!(admin.act("DELETE", &format!("sessions/{session}")), done());
    assert_eq!(admin.get("sessions?user=tess@example.com")["items"], json!([]));

    let seqs = |query: &str| admin.get(&format!("audit?{query}"))["items"].as_array().unwrap().len();
    let now = world.now();
    assert_eq!(seqs(&format!("event=UserCreated&user={tess}")), 1);
    assert_eq!(seqs(&format!("until={now}")), 0);
    assert_eq!(seqs(&format!("since={now}&limit=200")), world.audit().len());
    assert_eq!(admin.act("GET", "audit?since=yesterday"), refused(422, "validation_failed"));
}

#[test]
fn a_key_is_shown_once_and_counts_no_more_when_revoked() {
    let admin = Admin::new();
    let made = admin.send(
        "POST",
        "api-keys",
        &json!({"name": "billing", "permissions": ["users:read"], "ttl_s": 60}),
    );
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let secret = made["key"].as_str().unwrap();
    assert!(!admin.get("api-keys").to_string().contains(secret));
    let status = || admin.daemon.send_as(secret, "GET", "/api/auth/admin/users", "").status;
    assert_eq!(status(), 200);
    let path = format!("api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!((admin.act("DELETE", &path), status()), (done(), 401));
    assert_eq!(admin.act("DELETE", &path), refused(404, "not_found"));
    assert_eq!(admin.act("DELETE", "api-keys/billing"), refused(404, "not_found"));
}

#[test]
fn the_outbox_is_listed_without_what_mails_say_and_tried_again() {
    let admin = Admin::new();
    let world = &admin.daemon.world;
    world.register("ann@example.com").unwrap();
    let link = world.token_in_mail("ann@example.com");
    let outbox = admin.get("mails");
    assert!(!outbox.to_string().contains(&link), "{outbox}");
    let mail = &outbox["items"][0];
    assert_eq!((&mail["to"], &mail["state"]), (&json!("ann@example.com"), &json!("queued")));
    assert!(mail.get("body").is_none() && mail.get("html").is_none(), "{mail}");
    let id = mail["id"].as_str().unwrap();
    let retry = format!("mails/{id}/retry");
    let count = || world.events().iter().filter(|event| *event == "MailRetried").count();
    // It is due already.
    assert_eq!((admin.act("POST", &retry), count()), (done(), 0));
    let never = Err(Undelivered::Permanent("the server said 550 no such user".into()));
    assert_eq!(Delivery::new(&world.app, &Told::answers([never])).deliver_due().unwrap(), 0);
    let failed = admin.get("mails?state=failed");
    assert_eq!(failed["items"][0]["last_error"], "the server said 550 no such user");
    assert_eq!(admin.get("mails?state=queued")["items"], json!([]));
    assert_eq!((admin.act("POST", &retry), count()), (done(), 1));
    assert_eq!(admin.get("mails?state=queued")["items"][0]["id"], id);

    assert_eq!(Delivery::new(&world.app, &Told::default()).deliver_due().unwrap(), 1);
    assert_eq!(admin.act("POST", &retry), refused(409, "conflict"));
    assert_eq!(
        admin.act("POST", "mails/0198a0b2-7c00-7000-8000-000000000001/retry"),
        refused(404, "not_found")
    );
    assert_eq!(admin.act("POST", "mails/x/retry"), refused(404, "not_found"));
    let odd = admin.send("GET", "mails?state=odd", &Value::Null);
    assert_eq!((odd.status, odd.problem().as_str()), (422, "validation_failed"));

    // Whoever may see accounts sees the list; nobody sees a mail's text.
    let reader = admin.daemon.key("reader", &["users:read"]);
    let ask = |method: &str, path: &str| {
        admin.daemon.send_as(&reader, method, &format!("/api/auth/admin/{path}"), "").status
    };
    assert_eq!(
        (ask("GET", "mails"), ask("POST", &retry), ask("GET", &format!("mails/{id}"))),
        (200, 403, 404)
    );
}

#[test]
fn signing_keys_are_listed_with_their_times_and_without_private_halves() {
    let admin = Admin::new();
    let world = &admin.daemon.world;
    world.advance(Duration::from_secs(60));
    let rotated = signing_keys::rotate(&world.app, &operator()).unwrap();
    let keys = admin.get("signing-keys");
    let [old, new] = &keys["items"].as_array().unwrap()[..] else { panic!("{keys}") };
    assert_eq!((&old["kid"], &old["state"]), (&json!(rotated.previous.unwrap().kid), &json!("verifying")));
    assert_eq!((&new["kid"], &new["state"]), (&json!(rotated.key.kid), &json!("signing")));
    assert!(old["keep_until"].as_str() > old["retired_at"].as_str(), "{old}");
    assert_eq!((&new["retired_at"], &new["created_at"]), (&Value::Null, &json!(world.now().to_string())));
    assert_eq!(old.as_object().unwrap().len(), 6, "nothing besides: {old}");
}
