//! What answers look like: schemas derived from the views, as the OpenAPI document shows them. The tests hold
//! every answer against them.

pub mod admin;

use crate::views;
use crate::views::schema::{Definitions, ViewSchema, schema_of};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

/// An object that answers hold, among the document's components.
#[derive(Debug)]
pub struct Object {
    /// As the view says it.
    pub name: &'static str,
    /// One such object, as JSON.
    pub example: &'static str,
    view: ViewSchema,
}

impl Object {
    /// Names a view and gives an example of it. `name` is the one that the view gives itself
    /// ([`JsonSchema::schema_name`]): there is no document where it is another.
    #[must_use]
    pub const fn of<T: JsonSchema>(name: &'static str, example: &'static str) -> Self {
        Self { name, example, view: schema_of::<T>() }
    }
}

/// An example of the table as a value.
#[must_use]
pub fn example(text: &str) -> Value {
    serde_json::from_str(text).expect("the examples in the tables are JSON, as a test reads them all")
}

/// Where the document keeps its schemas.
const COMPONENTS: &str = "/components/schemas";

/// The reference to a component.
#[must_use]
pub fn reference(name: &str) -> Value {
    json!({"$ref": format!("#{COMPONENTS}/{name}")})
}

/// Makes the components that answers refer to, by name.
#[must_use]
pub fn components() -> Map<String, Value> {
    let mut definitions = Definitions::at(COMPONENTS);
    definitions.add(schema_of::<views::Problem>());
    for object in all() {
        definitions.add(object.view);
    }
    let mut components = definitions.take();
    for object in all() {
        let schema = &mut components[object.name];
        let example = example(object.example);
        order(schema, &example);
        schema["examples"] = json!([example]);
    }
    components
}

/// Lists an object's members as its example does, whose order is for people: a token's type is what to look
/// at first, though it isn't written first.
fn order(schema: &mut Value, example: &Value) {
    let names: Vec<_> = example.as_object().into_iter().flat_map(Map::keys).collect();
    let place = |name: &str| names.iter().position(|known| *known == name);
    if let Some(properties) = schema["properties"].as_object_mut() {
        let mut members: Vec<_> = std::mem::take(properties).into_iter().collect();
        members.sort_by_key(|(name, _)| place(name));
        properties.extend(members);
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.sort_by_key(|name| name.as_str().and_then(place));
    }
}

fn all() -> impl Iterator<Item = &'static Object> {
    ALL.iter().chain(admin::ALL).copied()
}

/// Those that are not for administrators and services alone.
pub static ALL: &[&Object] = &[
    &USER,
    &TOKENS,
    &COOKIE_SESSION,
    &SESSION_TOKEN,
    &SECOND_STEP_DUE,
    &PASSWORD_CHANGE_DUE,
    &MAGIC_LINK_REQUESTED,
    &TOTP,
    &TWO_FACTOR,
    &TWO_FACTOR_SETUP,
    &RECOVERY_CODES,
    &EVENT,
    &EVENTS,
    &SESSION,
    &SESSIONS,
    &VERIFICATION_SENT,
    &KEY_SET,
    &PROVIDERS,
    &LINK_BEGUN,
    &IDENTITY,
    &IDENTITIES,
    &PASSKEY_CEREMONY,
    &PASSKEY,
    &PASSKEYS,
    &PASSKEY_ADDED,
    &RELATED_ORIGINS,
    &HEALTH,
    &READINESS,
    &FIELD_ERROR,
];

/// An account, as every example shows it.
macro_rules! user {
    () => {
        r#"{"id":"0198a0b2-7c00-7000-8000-000000000001","email":"ann@example.com","email_verified":true,"name":"Ann","roles":["editor"],"permissions":["posts:write"],"two_factor":false,"passkeys":0,"disabled":false,"locked_until":null,"created_at":"2026-11-22T08:00:00Z","last_login_at":"2026-11-22T08:05:00Z"}"#
    };
}

pub static USER: Object = Object::of::<views::User>("User", user!());

pub static TOKENS: Object = Object::of::<views::Tokens>(
    "Tokens",
    concat!(
        r#"{"access_token":"eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln","token_type":"Bearer","expires_in":900,"refresh_token":"authd_rt_AZigsnwAcACAAAAAAAAAAg","refresh_expires_in":2592000,"session_id":"0198a0b2-7c00-7000-8000-000000000002","two_factor_setup_required":false,"user":"#,
        user!(),
        "}"
    ),
);

pub static SESSION_TOKEN: Object = Object::of::<views::SessionToken>(
    "SessionToken",
    r#"{"access_token":"eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln","token_type":"Bearer","expires_in":900}"#,
);

pub static COOKIE_SESSION: Object = Object::of::<views::CookieSession>(
    "CookieSession",
    concat!(
        r#"{"expires_in":900,"refresh_expires_in":2592000,"csrf_token":"dGhlIHZhbHVlIG9mIHRoaXMgc2Vzc2lvbiwgMzIgYnk","session_id":"0198a0b2-7c00-7000-8000-000000000002","two_factor_setup_required":false,"user":"#,
        user!(),
        "}"
    ),
);

pub static SECOND_STEP_DUE: Object = Object::of::<views::SecondStepDue>(
    "SecondStepDue",
    r#"{"two_factor_required":true,"ticket":"authd_2fa_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","expires_in":300,"methods":["totp","passkey","recovery_code"]}"#,
);

pub static PASSWORD_CHANGE_DUE: Object = Object::of::<views::PasswordChangeDue>(
    "PasswordChangeDue",
    r#"{"password_change_required":true,"ticket":"authd_pc_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","expires_in":300}"#,
);

pub static MAGIC_LINK_REQUESTED: Object = Object::of::<views::MagicLinkRequested>(
    "MagicLinkRequested",
    r#"{"request":"authd_mr_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","expires_in":600}"#,
);

static TOTP: Object =
    Object::of::<views::Totp>("Totp", r#"{"enabled":true,"enabled_at":"2026-11-22T08:00:00Z"}"#);

pub static TWO_FACTOR: Object = Object::of::<views::TwoFactor>(
    "TwoFactor",
    r#"{"totp":{"enabled":true,"enabled_at":"2026-11-22T08:00:00Z"},"passkeys":1,"recovery_codes_left":9}"#,
);

pub static TWO_FACTOR_SETUP: Object = Object::of::<views::TwoFactorSetup>(
    "TwoFactorSetup",
    r#"{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","otpauth_uri":"otpauth://totp/authd:ann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=authd","qr_svg":"<svg xmlns='http://www.w3.org/2000/svg'></svg>"}"#,
);

pub static RECOVERY_CODES: Object = Object::of::<views::RecoveryCodes>(
    "RecoveryCodes",
    r#"{"recovery_codes":["gezd-gnbv-gy3t-qojq-gezd-gnbv"]}"#,
);

static EVENT: Object = Object::of::<views::Event>(
    "Event",
    r#"{"at":"2026-11-22T08:05:00Z","event":"LoginFailed","session_id":null,"ip":"203.0.113.9","details":{"why":"wrong_password"}}"#,
);

pub static EVENTS: Object = Object::of::<views::Events>("Events", r#"{"events":[],"next":null}"#);

static SESSION: Object = Object::of::<views::Session>(
    "Session",
    r#"{"id":"0198a0b2-7c00-7000-8000-000000000002","created_at":"2026-11-22T08:05:00Z","last_used_at":"2026-11-22T08:05:00Z","expires_at":"2026-12-22T08:05:00Z","ip":"203.0.113.9","user_agent":"curl/8.18.0","current":true}"#,
);

pub static SESSIONS: Object = Object::of::<views::Sessions>("Sessions", r#"{"sessions":[]}"#);

pub static VERIFICATION_SENT: Object =
    Object::of::<views::VerificationSent>("VerificationSent", r#"{"status":"verification_sent"}"#);

pub static KEY_SET: Object = Object::of::<views::KeySet>(
    "KeySet",
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"kid","use":"sig","alg":"EdDSA"}]}"#,
);

pub static HEALTH: Object = Object::of::<views::Health>("Health", r#"{"status":"ok","version":"0.1.0"}"#);

pub static READINESS: Object = Object::of::<views::Readiness>("Readiness", r#"{"status":"ok"}"#);

static FIELD_ERROR: Object = Object::of::<views::FieldError>(
    "FieldError",
    r#"{"field":"email","code":"missing","message":"this field is required"}"#,
);

/// What goes on with a session: tokens, or cookies that hold them.
pub static SESSION_TOKENS: &[&Object] = &[&TOKENS, &COOKIE_SESSION];

pub static LOGGED_IN: &[&Object] = &[&TOKENS, &COOKIE_SESSION, &SECOND_STEP_DUE, &PASSWORD_CHANGE_DUE];

pub static FEDERATED: &[&Object] = &[&TOKENS, &COOKIE_SESSION, &SECOND_STEP_DUE];

pub static PROVIDERS: Object = Object::of::<views::SignInProviders>(
    "SignInProviders",
    r#"{"providers":[{"name":"acme","kind":"oidc","display_name":"Acme"}]}"#,
);

pub static LINK_BEGUN: Object = Object::of::<views::LinkBegun>(
    "LinkBegun",
    r#"{"authorization_url":"https://id.acme.example/authorize?response_type=code"}"#,
);

pub static PASSKEY_CEREMONY: Object = Object::of::<views::PasskeyCeremony>(
    "PasskeyCeremony",
    r#"{"ceremony":"authd_pk_AQzRcFV0wGm2Yb9rA1","publicKey":{"challenge":"3q2-7w","timeout":300000,"rpId":"auth.example.com","userVerification":"required"}}"#,
);

pub static PASSKEY: Object = Object::of::<views::Passkey>(
    "Passkey",
    r#"{"id":"0198a0b2-7c00-7000-8000-000000000008","name":"My phone","created_at":"2026-11-22T08:05:00Z","last_used_at":null,"backed_up":true,"rp_id":"auth.example.com","transports":["hybrid","internal"]}"#,
);

pub static PASSKEYS: Object = Object::of::<views::Passkeys>("Passkeys", r#"{"passkeys":[]}"#);

pub static PASSKEY_ADDED: Object = Object::of::<views::PasskeyAdded>(
    "PasskeyAdded",
    r#"{"id":"0198a0b2-7c00-7000-8000-000000000008","name":"My phone","created_at":"2026-11-22T08:05:00Z","last_used_at":null,"backed_up":true,"rp_id":"auth.example.com","transports":["hybrid","internal"],"recovery_codes":["abcd-efgh-ijkl-mnop-qrst-uvwx"]}"#,
);

pub static RELATED_ORIGINS: Object =
    Object::of::<views::RelatedOrigins>("RelatedOrigins", r#"{"origins":["https://example.org"]}"#);

pub static IDENTITIES: Object = Object::of::<views::Identities>("Identities", r#"{"identities":[]}"#);

pub static IDENTITY: Object = Object::of::<views::Identity>(
    "Identity",
    r#"{"id":"0198a0b2-7c00-7000-8000-000000000007","provider":"acme","issuer":"https://id.acme.example","subject":"248289761001","email":"ann@example.com","linked_at":"2026-11-22T08:05:00Z","last_used_at":null}"#,
);

pub static SECOND_STEP_DONE: &[&Object] = &[&TOKENS, &COOKIE_SESSION, &PASSWORD_CHANGE_DUE];
