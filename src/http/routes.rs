//! The table of routes. What isn't in it isn't served; the router, the OpenAPI document and the tests
//! read it.

use super::handlers::{account, operations, session};
use super::message::Response;
use super::router::Call;
use super::schema::{self, Object};
use super::server::Lane;
use super::wire::{Body, Field, Kind, Presence};
use crate::error::Error;
use crate::usecase::app::App;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may call a route. The router asks before the handler runs, so that no handler can forget to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Public,
    /// Whoever has a good access token.
    User,
}

/// An answer that is no problem.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub about: &'static str,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    Nothing,
    /// `application/json`.
    Json(&'static Object),
    /// The OpenAPI document itself.
    Document,
}

pub type Handler = fn(&App, Call) -> Result<Response, Error>;

pub struct Route {
    pub method: Method,
    /// A segment in braces takes any one segment.
    pub path: &'static str,
    /// The operation's name; never changes.
    pub id: &'static str,
    pub summary: &'static str,
    pub access: Access,
    pub lane: Lane,
    /// `None`: it takes no body.
    pub request: Option<&'static Body>,
    pub answers: &'static [Answer],
    /// Status and code of the problems of its own, besides those that follow from the other columns.
    pub problems: &'static [(u16, &'static str)],
    pub handler: Handler,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), self.path)
    }
}

impl Route {
    /// The segments that stand for the braces of the path. `None`: `path` is another one. Nothing is
    /// decoded or folded: there is one spelling of every path.
    pub fn matches<'p>(&self, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
        let (mut template, mut segments, mut parameters) = (self.path.split('/'), path.split('/'), Vec::new());
        loop {
            match (template.next(), segments.next()) {
                (None, None) => return Some(parameters),
                (Some(wanted), Some(segment)) => match parameter(wanted) {
                    Some(name) if !segment.is_empty() => parameters.push((name, segment)),
                    None if wanted == segment => {}
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// Every problem that it can answer with: codes by status.
    #[must_use]
    pub fn all_problems(&self) -> BTreeMap<u16, Vec<&'static str>> {
        let mut all = vec![(400, "bad_request"), (400, "malformed_json"), (408, "request_timeout")];
        all.extend([(413, "body_too_large"), (415, "unsupported_media_type"), (417, "expectation_failed")]);
        all.extend([(422, "validation_failed"), (431, "headers_too_large"), (500, "internal")]);
        all.extend([(503, "overloaded"), (503, "storage_unavailable")]);
        if self.access == Access::User {
            all.extend([(401, "unauthenticated"), (401, "invalid_token")]);
        }
        all.extend(self.problems);
        let mut by_status = BTreeMap::<u16, Vec<_>>::new();
        for (status, code) in all {
            by_status.entry(status).or_default().push(code);
        }
        by_status
    }
}

/// The name in `{name}`.
#[must_use]
pub fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// What `Allow` says for these methods: `HEAD` works wherever `GET` does.
pub fn allow(methods: impl Iterator<Item = Method>) -> String {
    let methods: BTreeSet<Method> = methods.collect();
    let names = methods.iter().flat_map(|method| match method {
        Method::Get => vec!["GET", "HEAD"],
        other => vec![other.name()],
    });
    names.collect::<Vec<_>>().join(", ")
}

/// What `Allow` says where no path is known.
#[must_use]
pub fn all_methods() -> String {
    allow(ROUTES.iter().map(|route| route.method))
}

const fn json(status: u16, about: &'static str, object: &'static Object) -> Answer {
    Answer { status, about, content: Content::Json(object) }
}

const fn nothing(status: u16, about: &'static str) -> Answer {
    Answer { status, about, content: Content::Nothing }
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, presence: Presence::Required, about }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, presence: Presence::Optional, about }
}

const EMAIL: Field = required("email", Kind::Email, "The account's address.");

static REGISTRATION: Body = Body {
    name: "Registration",
    fields: &[
        EMAIL,
        required("password", Kind::Password, "At least 15 characters, unless configured; no common one."),
        optional("name", Kind::Name, "What to call the person."),
    ],
    example: r#"{"email":"ann@example.com","password":"correct horse battery staple","name":"Ann"}"#,
};

static ADDRESS: Body = Body { name: "Address", fields: &[EMAIL], example: r#"{"email":"ann@example.com"}"# };

static LINK: Body = Body {
    name: "Link",
    fields: &[required("token", Kind::Token, "From the link in the mail.")],
    example: r#"{"token":"authd_ev_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY"}"#,
};

static NEW_PASSWORD: Body = Body {
    name: "NewPassword",
    fields: &[
        required("token", Kind::Token, "From the link in the mail."),
        required("new_password", Kind::Password, "At least 15 characters, unless configured; no common one."),
    ],
    example: r#"{"token":"authd_pr_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY","new_password":"correct horse battery staple"}"#,
};

static CREDENTIALS: Body = Body {
    name: "Credentials",
    fields: &[EMAIL, required("password", Kind::Password, "The account's password.")],
    example: r#"{"email":"ann@example.com","password":"correct horse battery staple"}"#,
};

static REFRESH: Body = Body {
    name: "Refresh",
    fields: &[required("refresh_token", Kind::Token, "The newest one of the session.")],
    example: r#"{"refresh_token":"authd_rt_AZigsnwAcACAAAAAAAAAAg"}"#,
};

static PROFILE: Body = Body {
    name: "Profile",
    fields: &[optional("name", Kind::Name, "What to call the person; left out, it stays.")],
    example: r#"{"name":"Ann Lee"}"#,
};

pub static ROUTES: &[Route] = &[
    Route {
        method: Method::Post,
        path: "/api/auth/register",
        id: "register",
        summary: "Create an account",
        access: Access::Public,
        lane: Lane::Hash,
        request: Some(&REGISTRATION),
        answers: &[
            json(202, "A mail is on its way, whether or not the address is taken.", &schema::VERIFICATION_SENT),
            json(201, "The account, where addresses are not verified.", &schema::USER),
        ],
        problems: &[(403, "registration_closed"), (409, "email_taken"), (422, "weak_password")],
        handler: account::register,
    },
    Route {
        method: Method::Post,
        path: "/api/auth/email/verify/request",
        id: "request_email_verification",
        summary: "Send a new verification link",
        access: Access::Public,
        lane: Lane::Write,
        request: Some(&ADDRESS),
        answers: &[nothing(202, "A mail is on its way, if the account needs one.")],
        problems: &[],
        handler: account::request_email_verification,
    },
    Route {
        method: Method::Post,
        path: "/api/auth/email/verify/confirm",
        id: "confirm_email_verification",
        summary: "Verify an address with the link's token",
        access: Access::Public,
        lane: Lane::Write,
        request: Some(&LINK),
        answers: &[json(200, "The account, its address verified.", &schema::USER)],
        problems: &[(400, "invalid_token")],
        handler: account::confirm_email_verification,
    },
    Route {
        method: Method::Post,
        path: "/api/auth/password/reset/request",
        id: "request_password_reset",
        summary: "Send a link to set a new password",
        access: Access::Public,
        lane: Lane::Write,
        request: Some(&ADDRESS),
        answers: &[nothing(202, "A mail is on its way, if there is such an account.")],
        problems: &[],
        handler: account::request_password_reset,
    },
    Route {
        method: Method::Post,
        path: "/api/auth/password/reset/confirm",
        id: "confirm_password_reset",
        summary: "Set a new password with the link's token",
        access: Access::Public,
        lane: Lane::Hash,
        request: Some(&NEW_PASSWORD),
        answers: &[nothing(204, "The password is set; every session of the user has ended.")],
        problems: &[(400, "invalid_token"), (422, "weak_password")],
        handler: account::confirm_password_reset,
    },
    Route {
        method: Method::Get,
        path: "/api/auth/me",
        id: "show_me",
        summary: "The caller's account",
        access: Access::User,
        lane: Lane::Read,
        request: None,
        answers: &[json(200, "The account.", &schema::USER)],
        problems: &[],
        handler: account::show,
    },
    Route {
        method: Method::Patch,
        path: "/api/auth/me",
        id: "change_me",
        summary: "Change the caller's account",
        access: Access::User,
        lane: Lane::Write,
        request: Some(&PROFILE),
        answers: &[json(200, "The account as it is now.", &schema::USER)],
        problems: &[],
        handler: account::change,
    },
    Route {
        method: Method::Post,
        path: "/api/auth/login",
        id: "login",
        summary: "Log in with address and password",
        access: Access::Public,
        lane: Lane::Hash,
        request: Some(&CREDENTIALS),
        answers: &[json(200, "A new session.", &schema::TOKENS)],
        problems: &[(401, "invalid_credentials"), (403, "email_not_verified"), (403, "account_disabled")],
        handler: session::login,
    },
    Route {
        method: Method::Post,
        path: "/api/auth/refresh",
        id: "refresh",
        summary: "Exchange a refresh token for the next tokens",
        access: Access::Public,
        lane: Lane::Write,
        request: Some(&REFRESH),
        answers: &[json(200, "The session goes on.", &schema::TOKENS)],
        problems: &[(401, "invalid_token")],
        handler: session::refresh,
    },
    Route {
        method: Method::Post,
        path: "/api/auth/logout",
        id: "logout",
        summary: "End this session",
        access: Access::User,
        lane: Lane::Write,
        request: None,
        answers: &[nothing(204, "The session has ended, its tokens with it.")],
        problems: &[],
        handler: session::logout,
    },
    Route {
        method: Method::Post,
        path: "/api/auth/logout/all",
        id: "logout_everywhere",
        summary: "End every session of the caller",
        access: Access::User,
        lane: Lane::Write,
        request: None,
        answers: &[nothing(204, "All sessions have ended, this one too.")],
        problems: &[],
        handler: session::logout_everywhere,
    },
    Route {
        method: Method::Get,
        path: "/api/auth/sessions",
        id: "list_sessions",
        summary: "The caller's sessions",
        access: Access::User,
        lane: Lane::Read,
        request: None,
        answers: &[json(200, "The sessions that live.", &schema::SESSIONS)],
        problems: &[],
        handler: session::list,
    },
    Route {
        method: Method::Delete,
        path: "/api/auth/sessions/{id}",
        id: "end_session",
        summary: "End one of the caller's sessions",
        access: Access::User,
        lane: Lane::Write,
        request: None,
        answers: &[nothing(204, "The session has ended.")],
        problems: &[(404, "not_found")],
        handler: session::end,
    },
    Route {
        method: Method::Get,
        path: "/api/auth/.well-known/jwks.json",
        id: "jwks",
        summary: "The public keys that access tokens are signed with",
        access: Access::Public,
        lane: Lane::Read,
        request: None,
        answers: &[json(200, "A JWK set (RFC 7517 §5).", &schema::KEY_SET)],
        problems: &[],
        handler: operations::jwks,
    },
    Route {
        method: Method::Get,
        path: "/.well-known/jwks.json",
        id: "jwks_at_root",
        summary: "The same, where some clients look for it",
        access: Access::Public,
        lane: Lane::Read,
        request: None,
        answers: &[json(200, "A JWK set (RFC 7517 §5).", &schema::KEY_SET)],
        problems: &[],
        handler: operations::jwks,
    },
    Route {
        method: Method::Get,
        path: "/api/auth/openapi.json",
        id: "openapi",
        summary: "This document",
        access: Access::Public,
        lane: Lane::Read,
        request: None,
        answers: &[Answer { status: 200, about: "OpenAPI 3.1.", content: Content::Document }],
        problems: &[],
        handler: operations::openapi,
    },
    Route {
        method: Method::Get,
        path: "/healthz",
        id: "health",
        summary: "Whether the process lives",
        access: Access::Public,
        lane: Lane::Read,
        request: None,
        answers: &[json(200, "It does.", &schema::HEALTH)],
        problems: &[],
        handler: operations::health,
    },
    Route {
        method: Method::Get,
        path: "/readyz",
        id: "readiness",
        summary: "Whether the database takes writes",
        access: Access::Public,
        lane: Lane::Write,
        request: None,
        answers: &[json(200, "It does.", &schema::READINESS)],
        problems: &[],
        handler: operations::ready,
    },
];
