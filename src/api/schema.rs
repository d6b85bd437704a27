//! What answers look like, as data. The OpenAPI document prints it, and the tests hold every answer
//! against it.

pub mod admin;

use serde_json::{Map, Value, json};

#[derive(Debug)]
pub enum Shape {
    Text,
    /// Text of a registered format: `uuid`, `date-time`, `email`.
    Formatted(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    Integer,
    Boolean,
    OrNull(&'static Shape),
    List(&'static Shape),
    Object(&'static Object),
    /// An object whose members another standard lists.
    AnyObject,
}

/// An object with all these members and no others.
#[derive(Debug)]
pub struct Object {
    /// Its name among the schemas.
    pub name: &'static str,
    pub members: &'static [Member],
    /// One such object, as JSON.
    pub example: &'static str,
}

#[derive(Debug)]
pub struct Member {
    pub name: &'static str,
    pub shape: Shape,
    pub about: &'static str,
}

const fn member(name: &'static str, shape: Shape, about: &'static str) -> Member {
    Member { name, shape, about }
}

const UUID: Shape = Shape::Formatted("uuid");
const TIME: Shape = Shape::Formatted("date-time");

impl Shape {
    /// As JSON Schema; objects are referred to among the components.
    #[must_use]
    pub fn schema(&self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Formatted(format) => json!({"type": "string", "format": format}),
            Self::Word(words) => json!({"type": "string", "enum": words}),
            Self::Integer => json!({"type": "integer"}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::OrNull(shape) => json!({"anyOf": [shape.schema(), {"type": "null"}]}),
            Self::List(shape) => json!({"type": "array", "items": shape.schema()}),
            Self::Object(object) => json!({"$ref": format!("#/components/schemas/{}", object.name)}),
            Self::AnyObject => json!({"type": "object"}),
        }
    }

    /// Puts the schemas of all objects in here among `schemas`.
    pub fn collect(&self, schemas: &mut Map<String, Value>) {
        match self {
            Self::OrNull(shape) | Self::List(shape) => shape.collect(schemas),
            Self::Object(object) => object.collect(schemas),
            Self::Text | Self::Formatted(_) | Self::Word(_) | Self::Integer | Self::Boolean | Self::AnyObject => {}
        }
    }
}

impl Object {
    fn collect(&self, schemas: &mut Map<String, Value>) {
        let mut properties = Map::new();
        for member in self.members {
            let mut schema = member.shape.schema();
            schema["description"] = member.about.into();
            properties.insert(member.name.into(), schema);
            member.shape.collect(schemas);
        }
        let schema = json!({
            "type": "object",
            "properties": properties,
            "required": self.members.iter().map(|member| member.name).collect::<Vec<_>>(),
            "additionalProperties": false,
            "examples": [example(self.example)],
        });
        schemas.insert(self.name.into(), schema);
    }
}

/// An example of the table as a value.
#[must_use]
pub fn example(text: &str) -> Value {
    serde_json::from_str(text).expect("the examples in the tables are JSON, as a test reads them all")
}

pub static USER: Object = Object {
    name: "User",
    members: &[
        member("id", UUID, "UUIDv7."),
        member("email", Shape::Formatted("email"), "The address, its domain in IDNA's ASCII form."),
        member("email_verified", Shape::Boolean, "Whether a link sent to the address came back."),
        member("name", Shape::Text, "May be empty."),
        member("roles", Shape::List(&Shape::Text), "Sorted."),
        member("permissions", Shape::List(&Shape::Text), "Of all roles together, as `area:action` or `area:*`."),
        member("two_factor", Shape::Boolean, "Whether a second factor is on."),
        member("disabled", Shape::Boolean, "A disabled account can't log in."),
        member("locked_until", Shape::OrNull(&TIME), "Null: not locked."),
        member("created_at", TIME, "UTC."),
        member("last_login_at", Shape::OrNull(&TIME), "Null: never."),
    ],
    example: r#"{"id":"0198a0b2-7c00-7000-8000-000000000001","email":"ann@example.com","email_verified":true,"name":"Ann","roles":["editor"],"permissions":["posts:write"],"two_factor":false,"disabled":false,"locked_until":null,"created_at":"2026-11-22T08:00:00Z","last_login_at":"2026-11-22T08:05:00Z"}"#,
};

pub static TOKENS: Object = Object {
    name: "Tokens",
    members: &[
        member("access_token", Shape::Text, "A JWT of RFC 9068, for `Authorization: Bearer`."),
        member("token_type", Shape::Word(&["Bearer"]), "RFC 6750."),
        member("expires_in", Shape::Integer, "The access token's life, in seconds."),
        member("refresh_token", Shape::Text, "Good once, for the next tokens. Used twice, it ends the session."),
        member("refresh_expires_in", Shape::Integer, "The rest of the session's life, in seconds."),
        member("session_id", UUID, "The session that these tokens belong to."),
        member("user", Shape::Object(&USER), "Who logged in."),
    ],
    example: r#"{"access_token":"eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln","token_type":"Bearer","expires_in":900,"refresh_token":"authd_rt_AZigsnwAcACAAAAAAAAAAg","refresh_expires_in":2592000,"session_id":"0198a0b2-7c00-7000-8000-000000000002","user":{"id":"0198a0b2-7c00-7000-8000-000000000001","email":"ann@example.com","email_verified":true,"name":"Ann","roles":[],"permissions":[],"two_factor":false,"disabled":false,"locked_until":null,"created_at":"2026-11-22T08:00:00Z","last_login_at":"2026-11-22T08:05:00Z"}}"#,
};

pub static COOKIE_SESSION: Object = Object {
    name: "CookieSession",
    members: &[
        member("expires_in", Shape::Integer, "The access token's life, in seconds."),
        member("refresh_expires_in", Shape::Integer, "The rest of the session's life, in seconds."),
        member("csrf_token", Shape::Text, "For `X-CSRF-Token`; the same as in the cookie `__Host-authd_csrf`."),
        member("session_id", UUID, "The session that the cookies belong to."),
        member("user", Shape::Object(&USER), "Who logged in."),
    ],
    example: r#"{"expires_in":900,"refresh_expires_in":2592000,"csrf_token":"dGhlIHZhbHVlIG9mIHRoaXMgc2Vzc2lvbiwgMzIgYnk","session_id":"0198a0b2-7c00-7000-8000-000000000002","user":{"id":"0198a0b2-7c00-7000-8000-000000000001","email":"ann@example.com","email_verified":true,"name":"Ann","roles":[],"permissions":[],"two_factor":false,"disabled":false,"locked_until":null,"created_at":"2026-11-22T08:00:00Z","last_login_at":"2026-11-22T08:05:00Z"}}"#,
};

pub static SECOND_STEP_DUE: Object = Object {
    name: "SecondStepDue",
    members: &[
        member("two_factor_required", Shape::Boolean, "True."),
        member("ticket", Shape::Text, "For `/2fa/verify`."),
        member("expires_in", Shape::Integer, "The ticket's life, in seconds."),
        member("methods", Shape::List(&Shape::Word(&["totp", "recovery_code"])), "What may be shown."),
    ],
    example: r#"{"two_factor_required":true,"ticket":"authd_2fa_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","expires_in":300,"methods":["totp","recovery_code"]}"#,
};

/// What goes on with a session: tokens, or cookies that hold them.
pub static SESSION_TOKENS: &[&Object] = &[&TOKENS, &COOKIE_SESSION];

pub static LOGGED_IN: &[&Object] = &[&TOKENS, &COOKIE_SESSION, &SECOND_STEP_DUE];

static TOTP: Object = Object {
    name: "Totp",
    members: &[
        member("enabled", Shape::Boolean, "Whether logins ask for it."),
        member("enabled_at", Shape::OrNull(&TIME), "Null: it is off."),
    ],
    example: r#"{"enabled":true,"enabled_at":"2026-11-22T08:00:00Z"}"#,
};

pub static TWO_FACTOR: Object = Object {
    name: "TwoFactor",
    members: &[
        member("totp", Shape::Object(&TOTP), "The authenticator app."),
        member("recovery_codes_left", Shape::Integer, "Unspent ones."),
    ],
    example: r#"{"totp":{"enabled":true,"enabled_at":"2026-11-22T08:00:00Z"},"recovery_codes_left":9}"#,
};

pub static TWO_FACTOR_SETUP: Object = Object {
    name: "TwoFactorSetup",
    members: &[
        member("secret", Shape::Text, "Base32, for typing."),
        member("otpauth_uri", Shape::Formatted("uri"), "For an app on the same device."),
        member("qr_svg", Shape::Text, "The same as a QR code: an SVG document."),
    ],
    example: r#"{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","otpauth_uri":"otpauth://totp/authd:ann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=authd","qr_svg":"<svg xmlns='http://www.w3.org/2000/svg'></svg>"}"#,
};

pub static RECOVERY_CODES: Object = Object {
    name: "RecoveryCodes",
    members: &[member("recovery_codes", Shape::List(&Shape::Text), "Ten, each good once in the place of a code.")],
    example: r#"{"recovery_codes":["gezd-gnbv-gy3t-qojq"]}"#,
};

static EVENT: Object = Object {
    name: "Event",
    members: &[
        member("at", TIME, "UTC."),
        member("event", Shape::Text, "What happened, such as `LoginSucceeded`."),
        member("session_id", Shape::OrNull(&UUID), "In which session. Null: in none."),
        member("ip", Shape::OrNull(&Shape::Text), "Where it came from. Null: from the operator, or unknown."),
        member("details", Shape::AnyObject, "What there is to say besides, as strings by name."),
    ],
    example: r#"{"at":"2026-11-22T08:05:00Z","event":"LoginFailed","session_id":null,"ip":"203.0.113.9","details":{"why":"wrong_password"}}"#,
};

pub static EVENTS: Object = Object {
    name: "Events",
    members: &[
        member("events", Shape::List(&Shape::Object(&EVENT)), "Newest first."),
        member("next", Shape::OrNull(&Shape::Text), "For `before`, to go on. Null: these were the last."),
    ],
    example: r#"{"events":[],"next":null}"#,
};

static SESSION: Object = Object {
    name: "Session",
    members: &[
        member("id", UUID, "UUIDv7."),
        member("created_at", TIME, "The login."),
        member("last_used_at", TIME, "The login, or the last refresh."),
        member("expires_at", TIME, "The end of its whole life."),
        member("ip", Shape::OrNull(&Shape::Text), "Where the login came from. Null: unknown."),
        member("user_agent", Shape::OrNull(&Shape::Text), "What the client said it is. Null: nothing."),
        member("current", Shape::Boolean, "Whether it is the one that asks."),
    ],
    example: r#"{"id":"0198a0b2-7c00-7000-8000-000000000002","created_at":"2026-11-22T08:05:00Z","last_used_at":"2026-11-22T08:05:00Z","expires_at":"2026-12-22T08:05:00Z","ip":"203.0.113.9","user_agent":"curl/8.18.0","current":true}"#,
};

pub static SESSIONS: Object = Object {
    name: "Sessions",
    members: &[member("sessions", Shape::List(&Shape::Object(&SESSION)), "Those that live, newest first.")],
    example: r#"{"sessions":[]}"#,
};

pub static VERIFICATION_SENT: Object = Object {
    name: "VerificationSent",
    members: &[member("status", Shape::Word(&["verification_sent"]), "The same whether or not the address is taken.")],
    example: r#"{"status":"verification_sent"}"#,
};

pub static KEY_SET: Object = Object {
    name: "KeySet",
    members: &[member("keys", Shape::List(&Shape::AnyObject), "JWKs (RFC 7517 §4).")],
    example: r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"kid","use":"sig","alg":"EdDSA"}]}"#,
};

pub static HEALTH: Object = Object {
    name: "Health",
    members: &[
        member("status", Shape::Word(&["ok"]), "The process lives."),
        member("version", Shape::Text, "The daemon's version."),
    ],
    example: r#"{"status":"ok","version":"0.1.0"}"#,
};

pub static READINESS: Object = Object {
    name: "Readiness",
    members: &[member("status", Shape::Word(&["ok"]), "The database took a write.")],
    example: r#"{"status":"ok"}"#,
};

static FIELD_ERROR: Object = Object {
    name: "FieldError",
    members: &[
        member("field", Shape::Text, "The field's name; empty for the body as a whole."),
        member("code", Shape::Text, "Stable, snake_case."),
        member("message", Shape::Text, "For people."),
    ],
    example: r#"{"field":"email","code":"missing","message":"this field is required"}"#,
};

static FIELD_ERRORS: Shape = Shape::List(&Shape::Object(&FIELD_ERROR));

/// RFC 9457. Written out by hand, because the last two members may be missing.
pub fn problem(schemas: &mut Map<String, Value>) {
    FIELD_ERRORS.collect(schemas);
    let schema = json!({
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "`urn:authd:problem:` and the code."},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "For people: what happened, and what to do next."},
            "code": {"type": "string", "description": "Stable, snake_case: for programs."},
            "request_id": {"type": "string", "description": "As in X-Request-Id: for asking the operator."},
            "errors": FIELD_ERRORS.schema(),
            "retry_after_s": {"type": "integer", "description": "As in Retry-After, in seconds."},
        },
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "additionalProperties": false,
    });
    schemas.insert("Problem".into(), schema);
}
