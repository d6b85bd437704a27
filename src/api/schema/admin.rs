//! What answers to administrators and services look like.

use super::Object;
use crate::views;

pub static ALL: &[&Object] = &[
    &USERS,
    &REGISTRATION,
    &REGISTRATIONS,
    &ROLE,
    &ROLES,
    &APP,
    &APPS,
    &IDENTITIES,
    &PASSKEYS,
    &LISTED_SESSION,
    &SESSIONS,
    &AUDIT_LINE,
    &AUDIT,
    &MAIL,
    &MAILS,
    &SIGNING_KEY,
    &SIGNING_KEYS,
    &API_KEY,
    &API_KEYS,
    &NEW_API_KEY,
    &INACTIVE,
    &ACCESS_TOKEN,
    &REFRESH_TOKEN,
];

pub static USERS: Object = Object::of::<views::Page<views::User>>("UserPage", r#"{"items":[],"next":null}"#);

static REGISTRATION: Object = Object::of::<views::PendingRegistration>(
    "PendingRegistration",
    r#"{"id":"0198a0b2-7c00-7000-8000-000000000006","email":"ann@example.com","name":"Ann","password_required":false,"ip":"203.0.113.9","user_agent":"curl/8.18.0","created_at":"2026-11-22T08:00:00Z","expires_at":"2026-11-23T08:00:00Z"}"#,
);

pub static REGISTRATIONS: Object = Object::of::<views::Page<views::PendingRegistration>>(
    "PendingRegistrationPage",
    r#"{"items":[],"next":null}"#,
);

pub static ROLE: Object = Object::of::<views::Role>(
    "Role",
    r#"{"name":"editor","description":"Writes posts","permissions":["posts:write"]}"#,
);

pub static ROLES: Object = Object::of::<views::Page<views::Role>>("RolePage", r#"{"items":[],"next":null}"#);

pub static APP: Object = Object::of::<views::App>(
    "App",
    r#"{"name":"wiki","url":"https://wiki.example.com","allow":{"everyone":false,"roles":["editor"]},"created_at":"2026-11-22T08:00:00Z"}"#,
);

pub static APPS: Object = Object::of::<views::Page<views::App>>("AppPage", r#"{"items":[],"next":null}"#);

pub static IDENTITIES: Object =
    Object::of::<views::Page<views::Identity>>("IdentityPage", r#"{"items":[],"next":null}"#);

pub static PASSKEYS: Object =
    Object::of::<views::Page<views::Passkey>>("PasskeyPage", r#"{"items":[],"next":null}"#);

static LISTED_SESSION: Object = Object::of::<views::ListedSession>(
    "ListedSession",
    r#"{"id":"0198a0b2-7c00-7000-8000-000000000002","user_id":"0198a0b2-7c00-7000-8000-000000000001","email":"ann@example.com","created_at":"2026-11-22T08:05:00Z","last_used_at":"2026-11-22T08:05:00Z","expires_at":"2026-12-22T08:05:00Z","ended_at":null,"ip":"203.0.113.9","user_agent":"curl/8.18.0"}"#,
);

pub static SESSIONS: Object =
    Object::of::<views::Page<views::ListedSession>>("SessionPage", r#"{"items":[],"next":null}"#);

static AUDIT_LINE: Object = Object::of::<views::AuditLine>(
    "AuditLine",
    r#"{"seq":7,"at":"2026-11-22T08:05:00Z","event":"LoginFailed","actor":"anonymous","user_id":"0198a0b2-7c00-7000-8000-000000000001","session_id":null,"ip":"203.0.113.9","request_id":"0198a0b2-7c00-7000-8000-000000000003","details":{"why":"wrong_password"}}"#,
);

pub static AUDIT: Object =
    Object::of::<views::Page<views::AuditLine>>("AuditPage", r#"{"items":[],"next":null}"#);

static MAIL: Object = Object::of::<views::Mail>(
    "Mail",
    r#"{"id":"0198a0b2-7c00-7000-8000-000000000007","user_id":"0198a0b2-7c00-7000-8000-000000000001","to":"ann@example.com","kind":"new_login","subject":"New login to your account","state":"failed","created_at":"2026-11-22T08:05:00Z","sent_at":null,"attempts":1,"last_error":"the server said 550 no such user"}"#,
);

pub static MAILS: Object = Object::of::<views::Page<views::Mail>>("MailPage", r#"{"items":[],"next":null}"#);

static SIGNING_KEY: Object = Object::of::<views::SigningKey>(
    "SigningKey",
    r#"{"kid":"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs","algorithm":"ES256","state":"verifying","created_at":"2026-11-22T08:00:00Z","retired_at":"2026-11-23T08:00:00Z","keep_until":"2026-11-23T08:16:00Z"}"#,
);

pub static SIGNING_KEYS: Object =
    Object::of::<views::Page<views::SigningKey>>("SigningKeyPage", r#"{"items":[],"next":null}"#);

static API_KEY: Object = Object::of::<views::ApiKey>(
    "ApiKey",
    r#"{"id":"0198a0b2-7c00-7000-8000-000000000004","name":"billing","permissions":["users:read"],"created_at":"2026-11-22T08:00:00Z","expires_at":null,"last_used_at":null}"#,
);

pub static API_KEYS: Object =
    Object::of::<views::Page<views::ApiKey>>("ApiKeyPage", r#"{"items":[],"next":null}"#);

pub static NEW_API_KEY: Object = Object::of::<views::CreatedApiKey>(
    "CreatedApiKey",
    r#"{"id":"0198a0b2-7c00-7000-8000-000000000004","name":"billing","permissions":["users:read"],"created_at":"2026-11-22T08:00:00Z","expires_at":null,"last_used_at":null,"key":"authd_key_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY"}"#,
);

static INACTIVE: Object = Object::of::<views::InactiveToken>("InactiveToken", r#"{"active":false}"#);

static ACCESS_TOKEN: Object = Object::of::<views::ActiveAccessToken>(
    "ActiveAccessToken",
    r#"{"active":true,"token_type":"Bearer","client_id":"authd","username":"ann@example.com","sub":"0198a0b2-7c00-7000-8000-000000000001","sid":"0198a0b2-7c00-7000-8000-000000000002","iss":"https://auth.example.com","aud":"authd","jti":"0198a0b2-7c00-7000-8000-000000000005","iat":1795334700,"nbf":1795334700,"exp":1795335600,"roles":["editor"],"permissions":["posts:write"]}"#,
);

static REFRESH_TOKEN: Object = Object::of::<views::ActiveRefreshToken>(
    "ActiveRefreshToken",
    r#"{"active":true,"token_type":"refresh_token","client_id":"authd","username":"ann@example.com","sub":"0198a0b2-7c00-7000-8000-000000000001","sid":"0198a0b2-7c00-7000-8000-000000000002","iss":"https://auth.example.com","iat":1795334700,"exp":1797926700}"#,
);

pub static INTROSPECTION: &[&Object] = &[&ACCESS_TOKEN, &REFRESH_TOKEN, &INACTIVE];
