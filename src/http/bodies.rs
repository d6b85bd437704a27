//! What requests hold, as data.

use super::routes::COOKIES;
use super::wire::{Alternatives, Body, Field, Kind, Presence};

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, presence: Presence::Required, about }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, presence: Presence::Optional, about }
}

/// The two forms of a second factor.
const FACTOR: &[&str] = &["code", "recovery_code"];

const IN_COOKIES: Field = optional(COOKIES, Kind::Flag, "Send the tokens as cookies, and not in the body.");

const EMAIL: Field = required("email", Kind::Email, "The account's address.");

pub static REGISTRATION: Body = Body {
    name: "Registration",
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
    fields: &[EMAIL],
    alternatives: Alternatives::None,
    example: r#"{"email":"ann@example.com"}"#,
};

pub static LINK: Body = Body {
    name: "Link",
    fields: &[required("token", Kind::Token, "From the link in the mail.")],
    alternatives: Alternatives::None,
    example: r#"{"token":"authd_ev_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY"}"#,
};

pub static NEW_PASSWORD: Body = Body {
    name: "NewPassword",
    fields: &[
        required("token", Kind::Token, "From the link in the mail."),
        required("new_password", Kind::Password, "At least 15 characters, unless configured; no common one."),
    ],
    alternatives: Alternatives::None,
    example: r#"{"token":"authd_pr_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","new_password":"correct horse battery staple"}"#,
};

pub static CREDENTIALS: Body = Body {
    name: "Credentials",
    fields: &[EMAIL, required("password", Kind::Password, "The account's password."), IN_COOKIES],
    alternatives: Alternatives::None,
    example: r#"{"email":"ann@example.com","password":"correct horse battery staple"}"#,
};

pub static REFRESH: Body = Body {
    name: "Refresh",
    fields: &[
        optional("refresh_token", Kind::Token, "The newest one of the session. Left out, the cookie counts."),
        IN_COOKIES,
    ],
    alternatives: Alternatives::None,
    example: r#"{"refresh_token":"authd_rt_AZigsnwAcACAAAAAAAAAAg"}"#,
};

pub static PROFILE: Body = Body {
    name: "Profile",
    fields: &[optional("name", Kind::Name, "What to call the person; left out, it stays.")],
    alternatives: Alternatives::None,
    example: r#"{"name":"Ann Lee"}"#,
};

pub static NEW_ADDRESS: Body = Body {
    name: "NewAddress",
    fields: &[required("new_email", Kind::Email, "Where the link goes.")],
    alternatives: Alternatives::None,
    example: r#"{"new_email":"ann.lee@example.com"}"#,
};

pub static PASSWORD: Body = Body {
    name: "OwnPassword",
    fields: &[required("password", Kind::Password, "The account's password.")],
    alternatives: Alternatives::None,
    example: r#"{"password":"correct horse battery staple"}"#,
};

pub static PASSWORD_CHANGE: Body = Body {
    name: "PasswordChange",
    fields: &[
        required("current_password", Kind::Password, "The account's password."),
        required("new_password", Kind::Password, "At least 15 characters, unless configured; no common one."),
        optional("code", Kind::Token, "From the app; wanted where the second factor is on."),
        optional("recovery_code", Kind::Token, "In its place."),
    ],
    alternatives: Alternatives::AtMostOne(FACTOR),
    example: r#"{"current_password":"correct horse battery staple","new_password":"purple monkeys eat dishwashers"}"#,
};

pub static SECOND_STEP: Body = Body {
    name: "SecondStepProof",
    fields: &[
        required("ticket", Kind::Token, "From the login."),
        optional("code", Kind::Token, "Six digits from the app."),
        optional("recovery_code", Kind::Token, "In its place."),
        IN_COOKIES,
    ],
    alternatives: Alternatives::ExactlyOne(FACTOR),
    example: r#"{"ticket":"authd_2fa_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","code":"287082"}"#,
};

pub static CODE: Body = Body {
    name: "Code",
    fields: &[required("code", Kind::Token, "Six digits from the app.")],
    alternatives: Alternatives::None,
    example: r#"{"code":"287082"}"#,
};

pub static DISABLE_TWO_FACTOR: Body = Body {
    name: "DisableTwoFactor",
    fields: &[
        required("password", Kind::Password, "The account's password."),
        optional("code", Kind::Token, "Six digits from the app."),
        optional("recovery_code", Kind::Token, "In its place."),
    ],
    alternatives: Alternatives::ExactlyOne(FACTOR),
    example: r#"{"password":"correct horse battery staple","code":"287082"}"#,
};
