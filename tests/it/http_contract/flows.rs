//! The main job over HTTP: a person's way through the daemon, and the refusals beside it.

use super::*;
use crate::world::PASSWORD;
use serde_json::json;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn register_verify_login_refresh_and_reuse() {
    let daemon = Daemon::new();
    let body = json!({"email": "Ann@Example.com", "password": PASSWORD, "name": " Ann "}).to_string();
    let registered = daemon.post("/api/auth/register", &body);
    assert_eq!((registered.status, registered.json()), (202, json!({"status": "verification_sent"})));

    let credentials = json!({"email": "ann@example.com", "password": PASSWORD}).to_string();
    let early = daemon.post("/api/auth/login", &credentials);
    assert_eq!((early.status, early.problem().as_str()), (403, "email_not_verified"));

    let link = json!({"token": daemon.world.token_in_mail("Ann@example.com")}).to_string();
    let verified = daemon.post("/api/auth/email/verify/confirm", &link);
    assert_eq!((verified.status, &verified.json()["email_verified"]), (200, &json!(true)));
    let again = daemon.post("/api/auth/email/verify/confirm", &link);
    assert_eq!((again.status, again.problem().as_str()), (400, "invalid_token"));

    let tokens = daemon.login("ann@example.com");
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(tokens["user"]["name"], "Ann");
    let me = daemon.send_as(text(&tokens["access_token"]), "GET", "/api/auth/me", "");
    assert_eq!((me.status, &me.json()), (200, &tokens["user"]));

    let refresh = json!({"refresh_token": tokens["refresh_token"]}).to_string();
    let next = daemon.post("/api/auth/refresh", &refresh);
    assert_eq!((next.status, &next.json()["session_id"]), (200, &tokens["session_id"]));
    daemon.world.advance(std::time::Duration::from_secs(1));
    let reused = daemon.post("/api/auth/refresh", &refresh);
    assert_eq!((reused.status, reused.problem().as_str()), (401, "invalid_token"));
    assert_eq!(daemon.world.mails("Ann@example.com")[0].kind, "refresh_token_reused");
    for dead in [&tokens, &next.json()] {
        let answer = daemon.send_as(text(&dead["access_token"]), "GET", "/api/auth/me", "");
        assert_eq!((answer.status, answer.problem().as_str()), (401, "invalid_token"));
    }
}

#[test]
fn a_failed_login_tells_nothing() {
    let daemon = Daemon::new();
    daemon.world.add_user("ann@example.com", &[]);
    let attempt = |email: &str| {
        let body = json!({"email": email, "password": "not the password at all"}).to_string();
        let mut answer =
            daemon.send("POST", "/api/auth/login", &[JSON, ("x-request-id", "same")], body.as_bytes());
        assert_eq!((answer.status, answer.problem().as_str()), (401, "invalid_credentials"));
        answer.headers.retain(|(name, _)| name != "date");
        (answer.headers, answer.body)
    };
    assert_eq!(attempt("ann@example.com"), attempt("nobody@example.com"));
}

#[test]
fn a_taken_address_is_told_only_where_mail_does_not() {
    let body = json!({"email": "ann@example.com", "password": PASSWORD}).to_string();
    let daemon = Daemon::new();
    let answers = [0, 1].map(|_| daemon.post("/api/auth/register", &body));
    assert_eq!((answers[0].status, &answers[0].body), (answers[1].status, &answers[1].body));

    let daemon = Daemon::with(&[("email_verification.required", "false")]);
    let first = daemon.post("/api/auth/register", &body);
    assert_eq!((first.status, &first.json()["email"]), (201, &json!("ann@example.com")));
    let second = daemon.post("/api/auth/register", &body);
    assert_eq!((second.status, second.problem().as_str()), (409, "email_taken"));
}

#[test]
fn registration_can_be_closed_and_passwords_weak() {
    let daemon = Daemon::with(&[("registration", "closed")]);
    let body = json!({"email": "ann@example.com", "password": PASSWORD}).to_string();
    let closed = daemon.post("/api/auth/register", &body);
    assert_eq!((closed.status, closed.problem().as_str()), (403, "registration_closed"));

    let daemon = Daemon::new();
    let weak = daemon.post("/api/auth/register", r#"{"email":"ann@example.com","password":"short"}"#);
    assert_eq!((weak.status, weak.problem().as_str()), (422, "weak_password"));
}

#[test]
fn a_lost_password_is_set_anew_by_mail() {
    let daemon = Daemon::new();
    let old = daemon.token();
    for email in ["tess@example.com", "nobody@example.com"] {
        let answer = daemon.post("/api/auth/password/reset/request", &json!({"email": email}).to_string());
        assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    }
    let token = daemon.world.token_in_mail("tess@example.com");
    let body = json!({"token": token, "new_password": "another good long password"}).to_string();
    assert_eq!(daemon.post("/api/auth/password/reset/confirm", &body).status, 204);
    assert_eq!(daemon.post("/api/auth/password/reset/confirm", &body).problem(), "invalid_token");
    assert_eq!(daemon.send_as(&old, "GET", "/api/auth/me", "").status, 401);
}

#[test]
fn the_name_is_changed_and_only_the_name() {
    let daemon = Daemon::new();
    let token = daemon.token();
    let changed = daemon.send_as(&token, "PATCH", "/api/auth/me", r#"{"name":"Ann Lee"}"#);
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("Ann Lee")));
    assert_eq!(daemon.send_as(&token, "PATCH", "/api/auth/me", "{}").json(), changed.json());
    let wrong =
        daemon.send_as(&token, "PATCH", "/api/auth/me", r#"{"roles":["admin"],"email":"eve@example.com"}"#);
    assert_eq!(wrong.field_errors().len(), 2);
    assert_eq!(daemon.send_as(&token, "GET", "/api/auth/me", "").json(), changed.json());
}

#[test]
fn sessions_are_listed_and_ended_one_by_one() {
    let daemon = Daemon::new();
    daemon.world.add_user("ann@example.com", &[]);
    daemon.world.add_user("bob@example.com", &[]);
    let [one, two, bobs] =
        ["ann@example.com", "ann@example.com", "bob@example.com"].map(|email| daemon.login(email));
    let token = text(&one["access_token"]);
    let list = || {
        daemon.send_as(token, "GET", "/api/auth/sessions", "").json()["sessions"].as_array().unwrap().clone()
    };
    let sessions = list();
    assert_eq!(sessions.len(), 2);
    let current: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!((current.len(), &current[0]["id"]), (1, &one["session_id"]));
    assert_eq!(sessions[0]["ip"], "127.0.0.1");

    let end = |id: &str| daemon.send_as(token, "DELETE", &format!("/api/auth/sessions/{id}"), "");
    for missing in [text(&bobs["session_id"]), "0198a0b2-7c00-7000-8000-000000000001", "42", "%2e%2e"] {
        let answer = end(missing);
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not_found"), "{missing}");
    }
    assert_eq!(daemon.send_as(text(&bobs["access_token"]), "GET", "/api/auth/me", "").status, 200);
    assert_eq!(end(text(&two["session_id"])).status, 204);
    assert_eq!(end(text(&two["session_id"])).status, 404);
    assert_eq!(daemon.send_as(text(&two["access_token"]), "GET", "/api/auth/me", "").status, 401);
    assert_eq!(list().len(), 1);
}

#[test]
fn logout_ends_one_session_or_all() {
    let daemon = Daemon::new();
    daemon.world.add_user("ann@example.com", &[]);
    let tokens: Vec<_> = (0..3).map(|_| daemon.login("ann@example.com")).collect();
    let me = |at: usize| daemon.send_as(text(&tokens[at]["access_token"]), "GET", "/api/auth/me", "").status;
    let out =
        |at: usize, path: &str| daemon.send_as(text(&tokens[at]["access_token"]), "POST", path, "").status;
    assert_eq!(out(0, "/api/auth/logout"), 204);
    assert_eq!([me(0), me(1), me(2)], [401, 200, 200]);
    assert_eq!(out(0, "/api/auth/logout"), 401);
    assert_eq!(out(1, "/api/auth/logout/all"), 204);
    assert_eq!([me(0), me(1), me(2)], [401, 401, 401]);
    let refresh = json!({"refresh_token": tokens[2]["refresh_token"]}).to_string();
    assert_eq!(daemon.post("/api/auth/refresh", &refresh).status, 401);
}

#[test]
fn a_request_for_verification_is_always_accepted() {
    let daemon = Daemon::new();
    daemon.world.register("ann@example.com").unwrap();
    daemon.world.add_user("bob@example.com", &[]);
    for email in ["ann@example.com", "bob@example.com", "nobody@example.com"] {
        let answer = daemon.post("/api/auth/email/verify/request", &json!({"email": email}).to_string());
        assert_eq!((answer.status, answer.body.as_str()), (202, ""), "{email}");
    }
    assert_eq!(daemon.world.mails("ann@example.com").len(), 2);
    assert!(daemon.world.mails("bob@example.com").is_empty());
}
