//! What answers to administrators and services look like.

use super::{Member, Object, Shape, TIME, USER, UUID, member};

/// How every page of a list goes on.
const NEXT: Member =
    member("next", Shape::OrNull(&Shape::Text), "The cursor of the next page. Null: this was the last.");

pub static USERS: Object = Object {
    name: "UserPage",
    members: &[member("items", Shape::List(&Shape::Object(&USER)), "In the order in which they were made."), NEXT],
    example: r#"{"items":[],"next":null}"#,
};

pub static ROLE: Object = Object {
    name: "Role",
    members: &[
        member("name", Shape::Text, "Never changes."),
        member("description", Shape::Text, "May be empty."),
        member("permissions", Shape::List(&Shape::Text), "Sorted; `area:action` or `area:*`."),
    ],
    example: r#"{"name":"editor","description":"Writes posts","permissions":["posts:write"]}"#,
};

pub static ROLES: Object = Object {
    name: "RolePage",
    members: &[member("items", Shape::List(&Shape::Object(&ROLE)), "By name."), NEXT],
    example: r#"{"items":[],"next":null}"#,
};

static LISTED_SESSION: Object = Object {
    name: "ListedSession",
    members: &[
        member("id", UUID, "UUIDv7."),
        member("user_id", UUID, "Whose it is."),
        member("email", Shape::Text, "Their address."),
        member("created_at", TIME, "The login."),
        member("last_used_at", TIME, "The login, or the last refresh."),
        member("expires_at", TIME, "The end of its whole life."),
        member("ended_at", Shape::OrNull(&TIME), "Null: nobody ended it."),
        member("ip", Shape::OrNull(&Shape::Text), "Where the login came from. Null: unknown."),
        member("user_agent", Shape::OrNull(&Shape::Text), "What the client said it is. Null: nothing."),
    ],
    example: r#"{"id":"0198a0b2-7c00-7000-8000-000000000002","user_id":"0198a0b2-7c00-7000-8000-000000000001","email":"ann@example.com","created_at":"2026-11-22T08:05:00Z","last_used_at":"2026-11-22T08:05:00Z","expires_at":"2026-12-22T08:05:00Z","ended_at":null,"ip":"203.0.113.9","user_agent":"curl/8.18.0"}"#,
};

pub static SESSIONS: Object = Object {
    name: "SessionPage",
    members: &[member("items", Shape::List(&Shape::Object(&LISTED_SESSION)), "Those that live, newest first."), NEXT],
    example: r#"{"items":[],"next":null}"#,
};

static AUDIT_LINE: Object = Object {
    name: "AuditLine",
    members: &[
        member("seq", Shape::Integer, "From 1 on, without a gap."),
        member("at", TIME, "UTC."),
        member("event", Shape::Text, "What happened, such as `LoginSucceeded`."),
        member(
            "actor",
            Shape::Text,
            "`user:<id>`, `api_key:<name>`, `operator:<login name>`, `anonymous` or `system`.",
        ),
        member("user_id", Shape::OrNull(&UUID), "Whom it is about. Null: nobody, or unknown."),
        member("session_id", Shape::OrNull(&UUID), "Null: none."),
        member("ip", Shape::OrNull(&Shape::Text), "Where it came from. Null: from the operator, or unknown."),
        member("request_id", Shape::OrNull(&Shape::Text), "Null: outside HTTP."),
        member("details", Shape::AnyObject, "What there is to say besides, as strings by name."),
    ],
    example: r#"{"seq":7,"at":"2026-11-22T08:05:00Z","event":"LoginFailed","actor":"anonymous","user_id":"0198a0b2-7c00-7000-8000-000000000001","session_id":null,"ip":"203.0.113.9","request_id":"0198a0b2-7c00-7000-8000-000000000003","details":{"why":"wrong_password"}}"#,
};

pub static AUDIT: Object = Object {
    name: "AuditPage",
    members: &[member("items", Shape::List(&Shape::Object(&AUDIT_LINE)), "Newest first."), NEXT],
    example: r#"{"items":[],"next":null}"#,
};

static API_KEY: Object = Object {
    name: "ApiKey",
    members: &[
        member("id", UUID, "UUIDv7."),
        member("name", Shape::Text, "As the audit log names the service."),
        member("permissions", Shape::List(&Shape::Text), "Sorted; `area:action` or `area:*`."),
        member("created_at", TIME, "UTC."),
        member("expires_at", Shape::OrNull(&TIME), "Null: never."),
        member("last_used_at", Shape::OrNull(&TIME), "To the minute or so. Null: never."),
    ],
    example: r#"{"id":"0198a0b2-7c00-7000-8000-000000000004","name":"billing","permissions":["users:read"],"created_at":"2026-11-22T08:00:00Z","expires_at":null,"last_used_at":null}"#,
};

pub static API_KEYS: Object = Object {
    name: "ApiKeyPage",
    members: &[member("items", Shape::List(&Shape::Object(&API_KEY)), "By name; expired ones too."), NEXT],
    example: r#"{"items":[],"next":null}"#,
};

pub static NEW_API_KEY: Object = Object {
    name: "CreatedApiKey",
    members: &[
        member("id", UUID, "UUIDv7."),
        member("name", Shape::Text, "As the audit log names the service."),
        member("permissions", Shape::List(&Shape::Text), "Sorted; `area:action` or `area:*`."),
        member("created_at", TIME, "UTC."),
        member("expires_at", Shape::OrNull(&TIME), "Null: never."),
        member("last_used_at", Shape::OrNull(&TIME), "Null: never."),
        member("key", Shape::Text, "The key itself, shown this once, for `Authorization: Bearer`."),
    ],
    example: r#"{"id":"0198a0b2-7c00-7000-8000-000000000004","name":"billing","permissions":["users:read"],"created_at":"2026-11-22T08:00:00Z","expires_at":null,"last_used_at":null,"key":"authd_key_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY"}"#,
};

static INACTIVE: Object = Object {
    name: "InactiveToken",
    members: &[member("active", Shape::Boolean, "False, and nothing of why.")],
    example: r#"{"active":false}"#,
};

static ACCESS_TOKEN: Object = Object {
    name: "ActiveAccessToken",
    members: &[
        member("active", Shape::Boolean, "True."),
        member("token_type", Shape::Word(&["Bearer"]), "It may be taken as proof of who asks."),
        member("client_id", Shape::Text, "`authd` for logins of its own."),
        member("username", Shape::Text, "The user's address, as it is now."),
        member("sub", UUID, "The user's id."),
        member("sid", UUID, "The session's."),
        member("iss", Shape::Text, "The issuer."),
        member("aud", Shape::Text, "The audience."),
        member("jti", UUID, "The token's id."),
        member("iat", Shape::Integer, "When it was made: seconds since 1970."),
        member("nbf", Shape::Integer, "From when on it counts."),
        member("exp", Shape::Integer, "When it ends."),
        member("roles", Shape::List(&Shape::Text), "As they are now, not when the token was made."),
        member("permissions", Shape::List(&Shape::Text), "As they are now."),
    ],
    example: r#"{"active":true,"token_type":"Bearer","client_id":"authd","username":"ann@example.com","sub":"0198a0b2-7c00-7000-8000-000000000001","sid":"0198a0b2-7c00-7000-8000-000000000002","iss":"https://auth.example.com","aud":"authd","jti":"0198a0b2-7c00-7000-8000-000000000005","iat":1795334700,"nbf":1795334700,"exp":1795335600,"roles":["editor"],"permissions":["posts:write"]}"#,
};

static REFRESH_TOKEN: Object = Object {
    name: "ActiveRefreshToken",
    members: &[
        member("active", Shape::Boolean, "True."),
        member(
            "token_type",
            Shape::Word(&["refresh_token"]),
            "No proof of who asks: a service must not take it as one.",
        ),
        member("client_id", Shape::Text, "`authd` for logins of its own."),
        member("username", Shape::Text, "The user's address, as it is now."),
        member("sub", UUID, "The user's id."),
        member("sid", UUID, "The session's."),
        member("iss", Shape::Text, "The issuer."),
        member("iat", Shape::Integer, "When it was made: seconds since 1970."),
        member("exp", Shape::Integer, "When it ends, unless it is used before."),
    ],
    example: r#"{"active":true,"token_type":"refresh_token","client_id":"authd","username":"ann@example.com","sub":"0198a0b2-7c00-7000-8000-000000000001","sid":"0198a0b2-7c00-7000-8000-000000000002","iss":"https://auth.example.com","iat":1795334700,"exp":1797926700}"#,
};

pub static INTROSPECTION: &[&Object] = &[&ACCESS_TOKEN, &REFRESH_TOKEN, &INACTIVE];
