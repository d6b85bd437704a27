//! What requests hold, as data.

use super::route::COOKIES;
use super::wire::{Alternatives, Body, Encoding, Field, Kind, Presence};

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, presence: Presence::Required, about }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, presence: Presence::Optional, about }
}

/// The two forms of a second factor that are typed.
const FACTOR: &[&str] = &["code", "recovery_code"];

/// All forms.
const ANY_FACTOR: &[&str] = &["code", "recovery_code", "credential"];

const CEREMONY: Field =
    optional("ceremony", Kind::Token, "With a passkey: as it was given beside the options.");

const CREDENTIAL: Field = optional(
    "credential",
    Kind::Object,
    "A passkey: what `navigator.credentials.get` gives, by its `toJSON()` (AuthenticationResponseJSON).",
);

const IN_COOKIES: Field = optional(COOKIES, Kind::Flag, "Send the tokens as cookies, and not in the body.");

const EMAIL: Field = required("email", Kind::Email, "The account's address.");

pub static REGISTRATION: Body = Body {
    name: "Registration",
    encoding: Encoding::Json,
    fields: &[
        EMAIL,
        required("password", Kind::Password, "At least 15 characters, unless configured; no common one."),
        optional("name", Kind::Name, "What to call the person."),
    ],
    alternatives: Alternatives::None,
    example: r#"{"email":"ann@example.com","password":"correct horse battery staple","name":"Ann"}"#,
};

pub static ADDRESS: Body = Body {
    name: "Address",
    encoding: Encoding::Json,
    fields: &[EMAIL],
    alternatives: Alternatives::None,
    example: r#"{"email":"ann@example.com"}"#,
};

pub static LINK: Body = Body {
    name: "Link",
    encoding: Encoding::Json,
    fields: &[required("token", Kind::Token, "From the link in the mail.")],
    alternatives: Alternatives::None,
    example: r#"{"token":"authd_ev_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY"}"#,
};

pub static CONFIRMATION: Body = Body {
    name: "Confirmation",
    encoding: Encoding::Json,
    fields: &[
        required("token", Kind::Token, "From the link in the mail."),
        optional(
            "password",
            Kind::Password,
            "The one that was chosen at the registration; wanted where others wait for the address with another.",
        ),
    ],
    alternatives: Alternatives::None,
    example: r#"{"token":"authd_ev_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY"}"#,
};

pub static NEW_PASSWORD: Body = Body {
    name: "NewPassword",
    encoding: Encoding::Json,
    fields: &[
        required("token", Kind::Token, "From the link in the mail."),
        required("new_password", Kind::Password, "At least 15 characters, unless configured; no common one."),
    ],
    alternatives: Alternatives::None,
    example: r#"{"token":"authd_pr_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","new_password":"correct horse battery staple"}"#,
};

pub static CREDENTIALS: Body = Body {
    name: "Credentials",
    encoding: Encoding::Json,
    fields: &[EMAIL, required("password", Kind::Password, "The account's password."), IN_COOKIES],
    alternatives: Alternatives::None,
    example: r#"{"email":"ann@example.com","password":"correct horse battery staple"}"#,
};

pub static CALLBACK: Body = Body {
    name: "ProviderCallback",
    encoding: Encoding::Form,
    fields: &[
        optional("state", Kind::Token, "What the browser was sent out with."),
        optional("code", Kind::Token, "The provider's."),
        optional("iss", Kind::Token, "Who says that it is the provider (RFC 9207)."),
        optional("error", Kind::Token, "Why there is no code."),
        optional("user", Kind::Token, "Apple's, with the name."),
    ],
    alternatives: Alternatives::None,
    example: r#"{"state":"authd_os_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","code":"c9f1"}"#,
};

pub static CODE_EXCHANGE: Body = Body {
    name: "CodeExchange",
    encoding: Encoding::Json,
    fields: &[
        required("code", Kind::Token, "What the browser came back with; it counts for 60 seconds, once."),
        required("code_verifier", Kind::Token, "Your own, whose challenge the sign-in began with."),
        IN_COOKIES,
    ],
    alternatives: Alternatives::None,
    example: r#"{"code":"authd_oc_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","code_verifier":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}"#,
};

pub static LINKING: Body = Body {
    name: "Linking",
    encoding: Encoding::Json,
    fields: &[optional(
        "redirect_to",
        Kind::Token,
        "Where the browser goes on to: an entry of redirects.allowed.",
    )],
    alternatives: Alternatives::None,
    example: r#"{"redirect_to":"https://example.com/signed-in"}"#,
};

pub static REFRESH: Body = Body {
    name: "Refresh",
    encoding: Encoding::Json,
    fields: &[
        optional("refresh_token", Kind::Token, "The newest one of the session. Left out, the cookie counts."),
        IN_COOKIES,
    ],
    alternatives: Alternatives::None,
    example: r#"{"refresh_token":"authd_rt_AZigsnwAcACAAAAAAAAAAg"}"#,
};

pub static PROFILE: Body = Body {
    name: "Profile",
    encoding: Encoding::Json,
    fields: &[optional("name", Kind::Name, "What to call the person; left out, it stays.")],
    alternatives: Alternatives::None,
    example: r#"{"name":"Ann Lee"}"#,
};

pub static NEW_ADDRESS: Body = Body {
    name: "NewAddress",
    encoding: Encoding::Json,
    fields: &[required("new_email", Kind::Email, "Where the link goes.")],
    alternatives: Alternatives::None,
    example: r#"{"new_email":"ann.lee@example.com"}"#,
};

pub static PASSWORD: Body = Body {
    name: "OwnPassword",
    encoding: Encoding::Json,
    fields: &[optional("password", Kind::Password, "The account's password, where it has one.")],
    alternatives: Alternatives::None,
    example: r#"{"password":"correct horse battery staple"}"#,
};

pub static PASSWORD_CHANGE: Body = Body {
    name: "PasswordChange",
    encoding: Encoding::Json,
    fields: &[
        required("current_password", Kind::Password, "The account's password."),
        required("new_password", Kind::Password, "At least 15 characters, unless configured; no common one."),
        optional("code", Kind::Token, "From the app; wanted where the second factor is on."),
        optional("recovery_code", Kind::Token, "In its place."),
    ],
    alternatives: Alternatives::AtMostOne(FACTOR),
    example: r#"{"current_password":"correct horse battery staple","new_password":"purple monkeys eat dishwashers"}"#,
};

pub static REAUTHENTICATION: Body = Body {
    name: "Reauthentication",
    encoding: Encoding::Json,
    fields: &[
        optional("password", Kind::Password, "The account's password, where it has one."),
        optional("code", Kind::Token, "From the app; wanted where the second factor is on."),
        optional("recovery_code", Kind::Token, "In its place."),
        CEREMONY,
        CREDENTIAL,
    ],
    alternatives: Alternatives::AtMostOne(ANY_FACTOR),
    example: r#"{"password":"correct horse battery staple"}"#,
};

pub static SECOND_STEP: Body = Body {
    name: "SecondStepProof",
    encoding: Encoding::Json,
    fields: &[
        required("ticket", Kind::Token, "From the login."),
        optional("code", Kind::Token, "Six digits from the app."),
        optional("recovery_code", Kind::Token, "In its place."),
        CEREMONY,
        CREDENTIAL,
        IN_COOKIES,
    ],
    alternatives: Alternatives::ExactlyOne(ANY_FACTOR),
    example: r#"{"ticket":"authd_2fa_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","code":"287082"}"#,
};

pub static TICKET: Body = Body {
    name: "Ticket",
    encoding: Encoding::Json,
    fields: &[required("ticket", Kind::Token, "From the login.")],
    alternatives: Alternatives::None,
    example: r#"{"ticket":"authd_2fa_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY"}"#,
};

pub static NEW_PASSKEY: Body = Body {
    name: "NewPasskey",
    encoding: Encoding::Json,
    fields: &[
        required("ceremony", Kind::Token, "As it was given beside the options."),
        required(
            "credential",
            Kind::Object,
            "What `navigator.credentials.create` gives, by its `toJSON()` (RegistrationResponseJSON).",
        ),
        optional("name", Kind::Name, "What its owner calls it."),
    ],
    alternatives: Alternatives::None,
    example: r#"{"ceremony":"authd_pk_AQzRcFV0wGm2Yb9rA1","credential":{"id":"xV3c","rawId":"xV3c","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA","transports":["internal"]},"clientExtensionResults":{}},"name":"My phone"}"#,
};

pub static PASSKEY_SIGN_IN: Body = Body {
    name: "PasskeyProof",
    encoding: Encoding::Json,
    fields: &[
        required("ceremony", Kind::Token, "As it was given beside the options."),
        required(
            "credential",
            Kind::Object,
            "What `navigator.credentials.get` gives, by its `toJSON()` (AuthenticationResponseJSON).",
        ),
        IN_COOKIES,
    ],
    alternatives: Alternatives::None,
    example: r#"{"ceremony":"authd_pk_AQzRcFV0wGm2Yb9rA1","credential":{"id":"xV3c","rawId":"xV3c","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA","userHandle":"AA"},"clientExtensionResults":{}}}"#,
};

pub static PASSKEY_NAME: Body = Body {
    name: "PasskeyName",
    encoding: Encoding::Json,
    fields: &[required("name", Kind::Name, "What its owner calls it; may be empty.")],
    alternatives: Alternatives::None,
    example: r#"{"name":"My phone"}"#,
};

pub static RECOVERY: Body = Body {
    name: "Recovery",
    encoding: Encoding::Json,
    fields: &[
        required("token", Kind::Token, "From the link that an operator has handed over."),
        required("new_password", Kind::Password, "At least 15 characters, unless configured; no common one."),
        IN_COOKIES,
    ],
    alternatives: Alternatives::None,
    example: r#"{"token":"authd_rl_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","new_password":"correct horse battery staple"}"#,
};

pub static MAGIC_LINK: Body = Body {
    name: "MagicLinkProof",
    encoding: Encoding::Json,
    fields: &[
        required("request", Kind::Token, "As it was given to the browser that asked."),
        optional("token", Kind::Token, "From the link in the mail."),
        optional("code", Kind::Token, "The eight digits in it. Five wrong ones are one too many."),
        IN_COOKIES,
    ],
    alternatives: Alternatives::ExactlyOne(&["token", "code"]),
    example: r#"{"request":"authd_mr_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","code":"28708212"}"#,
};

pub static REQUIRED_CHANGE: Body = Body {
    name: "RequiredPasswordChange",
    encoding: Encoding::Json,
    fields: &[
        required("ticket", Kind::Token, "From the login."),
        required("new_password", Kind::Password, "At least 15 characters, unless configured; no common one."),
        IN_COOKIES,
    ],
    alternatives: Alternatives::None,
    example: r#"{"ticket":"authd_pc_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","new_password":"purple monkeys eat dishwashers"}"#,
};

pub static CODE: Body = Body {
    name: "Code",
    encoding: Encoding::Json,
    fields: &[required("code", Kind::Token, "Six digits from the app.")],
    alternatives: Alternatives::None,
    example: r#"{"code":"287082"}"#,
};

pub static DISABLE_TWO_FACTOR: Body = Body {
    name: "DisableTwoFactor",
    encoding: Encoding::Json,
    fields: &[
        optional("password", Kind::Password, "The account's password, where it has one."),
        optional("code", Kind::Token, "Six digits from the app."),
        optional("recovery_code", Kind::Token, "In its place."),
    ],
    alternatives: Alternatives::ExactlyOne(FACTOR),
    example: r#"{"password":"correct horse battery staple","code":"287082"}"#,
};

/// How an administrator makes an account.
pub static NEW_USER: Body = Body {
    name: "NewUser",
    encoding: Encoding::Json,
    fields: &[
        EMAIL,
        optional("name", Kind::Name, "What to call the person."),
        optional("roles", Kind::Roles, "None that opens more of authd than the caller may do."),
        optional(
            "email_verified",
            Kind::Flag,
            "Whether the address counts as verified; else a link is mailed.",
        ),
        optional("password", Kind::Password, "Left out, a link to set one is mailed."),
        optional("invite", Kind::Flag, "Says in so many words that a link to set a password is mailed."),
    ],
    alternatives: Alternatives::AtMostOne(&["password", "invite"]),
    example: r#"{"email":"bob@example.com","name":"Bob","roles":[],"email_verified":true,"password":"correct horse battery staple"}"#,
};

pub static USER_CHANGES: Body = Body {
    name: "UserChanges",
    encoding: Encoding::Json,
    fields: &[
        optional(
            "email",
            Kind::Email,
            "Another address ends the user's sessions and links; the old one is told.",
        ),
        optional("name", Kind::Name, "What to call the person."),
        optional(
            "email_verified",
            Kind::Flag,
            "Whether the address counts as verified. If not, a link is mailed to a new one, and the old one stays as it is.",
        ),
    ],
    alternatives: Alternatives::None,
    example: r#"{"name":"Bob Lee","email_verified":true}"#,
};

const ROLE_PERMISSIONS: Field =
    optional("permissions", Kind::Permissions, "All that it holds, as `area:action` or `area:*`.");
const ROLE_DESCRIPTION: Field = optional("description", Kind::Name, "What it is for.");

pub static NEW_ROLE: Body = Body {
    name: "NewRole",
    encoding: Encoding::Json,
    fields: &[required("name", Kind::Role, "Never changes."), ROLE_DESCRIPTION, ROLE_PERMISSIONS],
    alternatives: Alternatives::None,
    example: r#"{"name":"editor","description":"Writes posts","permissions":["posts:write"]}"#,
};

pub static ROLE_CHANGES: Body = Body {
    name: "RoleChanges",
    encoding: Encoding::Json,
    fields: &[ROLE_DESCRIPTION, ROLE_PERMISSIONS],
    alternatives: Alternatives::None,
    example: r#"{"permissions":["posts:*"]}"#,
};

const ALLOW: &str = "Who may use it: `everyone` who is signed in, or whoever has one of the `roles`.";

pub static NEW_APP: Body = Body {
    name: "NewApp",
    encoding: Encoding::Json,
    fields: &[
        required("name", Kind::AppName, "Never changes."),
        required("url", Kind::AppOrigin, "Where it stands: https, host and port; http on loopback alone."),
        required("allow", Kind::Allow, ALLOW),
    ],
    alternatives: Alternatives::None,
    example: r#"{"name":"wiki","url":"https://wiki.example.com","allow":{"everyone":false,"roles":["admin"]}}"#,
};

pub static APP_CHANGES: Body = Body {
    name: "AppChanges",
    encoding: Encoding::Json,
    fields: &[
        optional("url", Kind::AppOrigin, "Where it stands."),
        optional("allow", Kind::Allow, "In the place of the whole rule."),
    ],
    alternatives: Alternatives::None,
    example: r#"{"allow":{"everyone":true,"roles":[]}}"#,
};

pub static NEW_API_KEY: Body = Body {
    name: "NewApiKey",
    encoding: Encoding::Json,
    fields: &[
        required("name", Kind::KeyName, "As the audit log names the service."),
        optional("permissions", Kind::Permissions, "None of authd's own that the caller doesn't hold."),
        optional("ttl_s", Kind::Seconds, "How long it counts. Left out, for ever."),
    ],
    alternatives: Alternatives::None,
    example: r#"{"name":"billing","permissions":["orders:read"],"ttl_s":7776000}"#,
};

/// RFC 7662 §2.1 and RFC 7009 §2.1.
pub static TOKEN: Body = Body {
    name: "TokenQuestion",
    encoding: Encoding::Form,
    fields: &[
        required("token", Kind::Token, "An access token or a refresh token."),
        optional("token_type_hint", Kind::Token, "What the client takes it for. authd sees that for itself."),
    ],
    alternatives: Alternatives::None,
    example: r#"{"token":"authd_rt_AZigsnwAcACAAAAAAAAAAg","token_type_hint":"refresh_token"}"#,
};
