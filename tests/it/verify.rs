//! Forward auth (`/verify`) and what the server says of itself to clients of OAuth.

use crate::daemon::{Answer, Daemon, JSON};
use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::api::table::routes;
use authd::domain::name::Name;
use authd::domain::role::{Permission, Role, RoleName};
use authd::usecase::account::{admin, me, roles};
use authd::usecase::session::logout;
use serde_json::{Value, json};
use std::time::Duration;

const ANN: &str = "ann@example.com";
const VERIFY: &str = "/api/auth/verify";

/// A daemon on which Ann has the roles `editor` and `viewer`.
fn daemon() -> Daemon {
    daemon_with(&[])
}

fn daemon_with(settings: &[(&str, &str)]) -> Daemon {
    let daemon = Daemon::with(settings);
    for (name, permissions) in
        [("editor", &["posts:write", "media:*"][..]), ("viewer", &[]), ("owner", &["shop:close"])]
    {
        add_role(&daemon.world, name, permissions);
    }
    daemon.world.add_user(ANN, &["viewer", "editor"]);
    daemon
}

fn add_role(world: &World, name: &str, permissions: &[&str]) {
    let new = Role {
        name: RoleName::parse(name).unwrap(),
        description: String::new(),
        permissions: permissions.iter().map(|text| Permission::parse(text).unwrap()).collect(),
    };
    roles::add(&world.app, &operator(), &new).unwrap();
}

fn token(daemon: &Daemon) -> String {
    daemon.world.login(ANN).unwrap().access_token.expose().clone()
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}

#[test]
fn a_session_passes_and_tells_whose_it_is() {
    let daemon = daemon();
    let answer = daemon.send_as(&token(&daemon), "GET", VERIFY, "");
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
    let id = admin::find(&daemon.world.app, &operator(), &user_ref(ANN)).unwrap().id.to_string();
    assert_eq!(answer.header("remote-user"), id);
    assert_eq!(answer.header("remote-email"), ANN);
    assert_eq!(answer.header("remote-groups"), "editor,viewer");
    assert!(
        answer.headers.iter().any(|(name, value)| name == "remote-name" && value.is_empty()),
        "{answer:?}"
    );
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("", "no-store"));
}

#[test]
fn an_address_that_nobody_showed_to_be_theirs_is_not_told() {
    let daemon = Daemon::with(&[("email_verification.required", "false")]);
    let bob = "bob@example.com";
    daemon.world.register(bob).unwrap();
    let token = daemon.world.login(bob).unwrap().access_token.expose().clone();
    let told = || daemon.send_as(&token, "GET", VERIFY, "");
    let answer = told();
    assert_eq!((answer.status, answer.header("remote-email")), (200, ""));
    assert!(answer.headers.iter().any(|(name, _)| name == "remote-email"), "it takes the client's place");
    let link = {
        daemon.post("/api/auth/email/verify/request", &json!({"email": bob}).to_string());
        json!({"token": daemon.world.token_in_mail(bob)}).to_string()
    };
    assert_eq!(daemon.post("/api/auth/email/verify/confirm", &link).status, 200);
    assert_eq!(told().header("remote-email"), bob);
}

#[test]
fn without_a_session_it_is_401_whatever_is_demanded() {
    let daemon = daemon();
    for path in [VERIFY.to_owned(), format!("{VERIFY}?role=editor"), format!("{VERIFY}?nonsense=1&role=NO")] {
        for method in ["GET", "POST", "OPTIONS", "PROPFIND"] {
            assert_eq!(
                code(&daemon.send(method, &path, &[], b"")),
                (401, "unauthenticated".into()),
                "{method} {path}"
            );
        }
        let wrong = daemon.send_as("no.such.token", "GET", &path, "");
        assert_eq!(code(&wrong), (401, "invalid_token".into()), "{path}");
        assert!(wrong.headers.iter().all(|(name, _)| !name.starts_with("remote-")), "{wrong:?}");
    }
}

#[test]
fn the_asked_request_s_method_body_and_type_are_its_own() {
    let daemon = daemon();
    let bearer = format!("Bearer {}", token(&daemon));
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get"] {
        for (content_type, body) in
            [("application/json", "{"), ("text/xml", "<a/>"), ("multipart/form-data", "\0")]
        {
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", content_type),
                ("content-encoding", "x"),
            ];
            let answer = daemon.send(method, VERIFY, &headers, body.as_bytes());
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, ""),
                "{method} {content_type}: {answer:?}"
            );
            assert_eq!(answer.header("remote-email"), ANN, "{method}");
        }
    }
    let both = [("authorization", bearer.as_str()), ("content-type", "a/b"), ("content-type", "c/d")];
    assert_eq!(daemon.send("POST", VERIFY, &both, b"").status, 200, "even two types");
}

#[test]
fn a_cookie_passes_by_any_method_without_the_csrf_value() {
    let daemon = daemon();
    let body = json!({"email": ANN, "password": PASSWORD, "cookies": true}).to_string();
    let answer = daemon.post("/api/auth/login", &body);
    let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies: Vec<_> = cookies.map(|(_, value)| value.split(';').next().unwrap()).collect();
    let cookies = cookies.join("; ");
    for method in ["GET", "POST", "DELETE"] {
        let headers = [
            ("cookie", cookies.as_str()),
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ];
        let answer = daemon.send(method, VERIFY, &headers, b"x");
        assert_eq!((answer.status, answer.header("remote-email")), (200, ANN), "{method}: {answer:?}");
        assert!(answer.headers.iter().all(|(name, _)| name != "set-cookie"), "{answer:?}");
    }
}

#[test]
fn every_role_and_permission_that_is_demanded_must_be_held() {
    let daemon = daemon();
    let token = token(&daemon);
    let ask = |query: &str| daemon.send_as(&token, "POST", &format!("{VERIFY}?{query}"), "");
    for held in [
        "",
        "role=editor",
        "role=editor&role=viewer",
        "role=editor&role=editor",
        "permission=posts:write",
        "permission=posts%3Awrite&permission=media:upload",
        "permission=media:*",
        "role=viewer&permission=media:x",
    ] {
        assert_eq!(ask(held).status, 200, "{held}");
    }
    for (query, missing) in [
        ("role=owner", "the role owner"),
        ("role=editor&role=owner", "the role owner"),
        ("role=owner&role=editor", "the role owner"),
        ("role=edit", "the role edit"),
        ("role=editor.x", "the role editor.x"),
        ("role=no-such", "the role no-such"),
        ("permission=shop:close", "the permission shop:close"),
        ("permission=posts:write&permission=posts:delete", "the permission posts:delete"),
        ("permission=posts:*", "the permission posts:*"),
        ("role=editor&permission=users:read", "the permission users:read"),
    ] {
        let answer = ask(query);
        assert_eq!(code(&answer), (403, "forbidden".into()), "{query}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(missing), "{query}: {answer:?}");
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("remote-")), "{answer:?}");
    }
}

#[test]
fn a_misspelled_demand_lets_nobody_in() {
    let daemon = daemon();
    let token = token(&daemon);
    for (query, field, why) in [
        ("roles=editor", "roles", "unknown"),
        ("Role=editor", "Role", "unknown"),
        ("role=editor&x=1", "x", "unknown"),
        ("role[]=editor", "role[]", "unknown"),
        ("role", "role", "invalid"),
        ("role=", "role", "invalid"),
        ("role=Editor", "role", "invalid"),
        ("role=editor,viewer", "role", "invalid"),
        ("role=editor%20", "role", "invalid"),
        ("permission=posts", "permission", "invalid"),
        ("permission=*:*", "permission", "invalid"),
    ] {
        let answer = daemon.send_as(&token, "GET", &format!("{VERIFY}?{query}"), "");
        assert_eq!(answer.field_errors(), [(field.to_owned(), why.to_owned())], "{query}");
    }
}

#[test]
fn what_an_operator_changes_counts_on_the_next_request() {
    let daemon = daemon();
    let (app, ann) = (&daemon.world.app, user_ref(ANN));
    let token = token(&daemon);
    let ask = |query: &str| daemon.send_as(&token, "GET", &format!("{VERIFY}{query}"), "");
    let owner = RoleName::parse("owner").unwrap();
    assert_eq!(ask("?role=owner").status, 403);
    roles::assign(app, &operator(), &ann, std::slice::from_ref(&owner)).unwrap();
    assert_eq!(ask("?role=owner&permission=shop:close").header("remote-groups"), "editor,owner,viewer");
    roles::unassign(app, &operator(), &ann, std::slice::from_ref(&owner)).unwrap();
    assert_eq!(ask("?role=owner").status, 403);
    assert_eq!(ask("").header("remote-groups"), "editor,viewer");

    let tokens = daemon.world.login(ANN).unwrap();
    let named = me::Change { name: Some(Name::parse("Ann").unwrap()) };
    me::change(app, &daemon.world.caller(&tokens), &named).unwrap();
    assert_eq!(ask("").header("remote-name"), "Ann");
    admin::disable(app, &operator(), &ann).unwrap();
    assert_eq!(code(&ask("")), (401, "invalid_token".into()));
    admin::enable(app, &operator(), &ann).unwrap();
    assert_eq!(ask("").status, 401, "disabling ended the session");
}

#[test]
fn a_session_that_ended_or_ran_out_passes_no_more() {
    let daemon = daemon();
    let (out, stays) = (daemon.world.login(ANN).unwrap(), daemon.world.login(ANN).unwrap());
    let ask = |token: &str| daemon.send_as(token, "GET", VERIFY, "").status;
    logout::logout(&daemon.world.app, &daemon.world.caller(&out)).unwrap();
    assert_eq!((ask(out.access_token.expose()), ask(stays.access_token.expose())), (401, 200));
    daemon.world.advance(Duration::from_secs(15 * 60));
    assert_eq!(ask(stays.access_token.expose()), 401);
}

#[test]
fn a_name_in_a_header_is_ascii_and_decodes_to_itself() {
    let daemon = daemon();
    let (app, caller) = (&daemon.world.app, daemon.world.caller(&daemon.world.login(ANN).unwrap()));
    let token = token(&daemon);
    for (name, header) in [
        ("Ann Lee", "Ann Lee"),
        ("Ann O'Hara, \"PhD\"; x=1", "Ann O'Hara, \"PhD\"; x=1"),
        ("Łęcka", "%C5%81%C4%99cka"),
        ("安", "%E5%AE%89"),
        ("100% + 50%0d%0aRemote-User: x", "100%25 %2B 50%250d%250aRemote-User: x"),
        ("a\u{2028}b\u{202e}c\u{feff}", "a%E2%80%A8b%E2%80%AEc%EF%BB%BF"),
        (&"\u{1f600}".repeat(200), &"%F0%9F%98%80".repeat(200)),
    ] {
        me::change(app, &caller, &me::Change { name: Some(Name::parse(name).unwrap()) }).unwrap();
        let answer = daemon.send_as(&token, "GET", VERIFY, "");
        assert_eq!((answer.status, answer.header("remote-name")), (200, header), "{name}");
        let decoded = percent_encoding::percent_decode_str(header).decode_utf8().unwrap();
        assert_eq!(decoded, name);
        // And by those who read a plus as a space.
        let form = format!("n={}", header.replace(['&', ';'], "%3B"));
        assert_eq!(
            form_urlencoded::parse(form.as_bytes()).next().unwrap().1.replace(';', ""),
            name.replace(';', "")
        );
    }
}

#[test]
fn the_document_says_that_demands_may_repeat() {
    let document: Value = serde_json::from_str(authd::api::openapi::document()).unwrap();
    let operation = &document["paths"][VERIFY]["get"];
    assert_eq!(operation["security"], json!([{"bearer": []}, {"cookie": []}, {"session_cookie": []}]));
    let parameters = operation["parameters"].as_array().unwrap();
    let (app, demands) = parameters.split_first().unwrap();
    assert_eq!((&app["name"], &app["schema"]["type"]), (&json!("app"), &json!("string")), "it stands once");
    assert_eq!(demands.len(), 2);
    for parameter in demands {
        assert_eq!((&parameter["required"], &parameter["in"]), (&json!(false), &json!("query")));
        let schema = &parameter["schema"];
        assert_eq!((&schema["type"], &schema["items"]["type"]), (&json!("array"), &json!("string")));
    }
}

#[test]
fn a_preflight_is_judged_like_any_request() {
    let daemon = daemon_with(&[("cors.origins", "https://app.example.com")]);
    let asks = [("origin", "https://app.example.com"), ("access-control-request-method", "DELETE")];
    assert_eq!(daemon.send("OPTIONS", "/api/auth/me", &asks, b"").status, 204);
    assert_eq!(daemon.send("OPTIONS", VERIFY, &asks, b"").status, 401, "a 204 would let it pass the proxy");
}

#[test]
fn the_metadata_is_true() {
    for settings in [
        &[][..],
        &[("public_url", "https://auth.example.com"), ("tokens.issuer", "https://auth.example.com/api/auth")],
    ] {
        let daemon = daemon_with(settings);
        let config = &daemon.world.app.config;
        let answer = daemon.get("/.well-known/oauth-authorization-server");
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        let document = answer.json();
        assert_eq!(daemon.get("/.well-known/oauth-authorization-server/api/auth").json(), document);
        assert_eq!(document["issuer"], config.tokens.issuer);
        assert_eq!(document["issuer"], claims(&token(&daemon))["iss"], "as the tokens say (RFC 9068 §4)");
        for none in ["response_types_supported", "grant_types_supported"] {
            assert_eq!(document[none], json!([]), "{none}");
        }
        let served = |path: &str| routes().any(|route| route.path == path);
        for (name, path) in [("introspection", "/api/auth/introspect"), ("revocation", "/api/auth/revoke")] {
            let (endpoint, methods) =
                (format!("{name}_endpoint"), format!("{name}_endpoint_auth_methods_supported"));
            assert_eq!(document.get(&endpoint).is_some(), served(path), "{name}");
            assert_eq!(document[&methods], json!(["Bearer", "client_secret_basic"]), "{name}");
        }
        // What is named is there.
        for (name, value) in document.as_object().unwrap() {
            if name == "jwks_uri" || name.ends_with("_endpoint") {
                let path = value.as_str().unwrap().strip_prefix(&config.public_url).unwrap();
                assert!(served(path), "{name}");
            }
        }
        let jwks = document["jwks_uri"].as_str().unwrap().strip_prefix(&config.public_url).unwrap();
        assert_eq!(daemon.get(jwks).json(), daemon.get("/.well-known/jwks.json").json());
    }
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn claims(token: &str) -> Value {
    part(token, 1)
}

#[test]
fn an_access_token_is_one_of_rfc_9068() {
    let daemon = daemon();
    let answer = daemon.login(ANN);
    let token = answer["access_token"].as_str().unwrap();
    let jwks = daemon.get("/.well-known/jwks.json").json();
    // §2.1, and the name of the key in the JWKS (§4).
    assert_eq!(part(token, 0), json!({"typ": "at+jwt", "alg": "EdDSA", "kid": jwks["keys"][0]["kid"]}));
    // §2.2, §2.2.1 and §2.2.3.1; then `nbf` of RFC 7519, `sid`, and authd's own.
    let claims = claims(token);
    let now = daemon.world.now().as_secs();
    assert_eq!(claims["iss"], daemon.world.app.config.tokens.issuer);
    assert_eq!((&claims["sub"], &claims["sid"]), (&answer["user"]["id"], &answer["session_id"]));
    assert_eq!((&claims["aud"], &claims["client_id"]), (&json!("authd"), &json!("authd")));
    assert_eq!([&claims["iat"], &claims["nbf"], &claims["auth_time"]], [now, now, now]);
    assert_eq!(claims["exp"], now + 900);
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!(claims["roles"], json!(["editor", "viewer"]));
    assert_eq!(claims["permissions"], json!(["media:*", "posts:write"]));
    assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
    assert_ne!(claims["jti"], self::claims(daemon.login(ANN)["access_token"].as_str().unwrap())["jti"]);
    let names: Vec<_> = claims.as_object().unwrap().keys().collect();
    let expected = [
        "iss",
        "sub",
        "aud",
        "client_id",
        "iat",
        "nbf",
        "exp",
        "jti",
        "sid",
        "generation",
        "auth_time",
        "amr",
        "roles",
        "permissions",
    ];
    assert_eq!(names, expected);
}

#[test]
fn what_is_asked_leaves_no_line_in_the_log() {
    let daemon = daemon();
    let token = token(&daemon);
    let before = daemon.world.events();
    for query in ["", "?role=owner", "?role=NO"] {
        daemon.send(
            "POST",
            &format!("{VERIFY}{query}"),
            &[JSON, ("authorization", &format!("Bearer {token}"))],
            b"{}",
        );
        daemon.send("GET", &format!("{VERIFY}{query}"), &[], b"");
    }
    assert_eq!(daemon.world.events(), before);
    assert!(daemon.world.first_step(&anonymous(), ANN, PASSWORD).is_ok());
}
