//! Every view has exactly the members that its schema declares, whatever it shows.

use super::documents::{document, violations};
use super::*;
use authd::api::problem::Problem;
use authd::api::schema;
use authd::config::{self, Provider, Sources};
use authd::domain::access::Standing;
use authd::domain::algorithm::Algorithm;
use authd::domain::api_key::{ApiKey, ApiKeyName};
use authd::domain::application::{Allow, AppName, AppOrigin, Application};
use authd::domain::audit::{ChainError, Line, Mark};
use authd::domain::email::Email;
use authd::domain::id::{ApiKeyId, IdentityId, PasskeyId, RegistrationId, SessionId, TokenId, UserId};
use authd::domain::identity::{Identity, IdentityKey, ProviderName};
use authd::domain::mail::{Mail, MailState};
use authd::domain::name::Name;
use authd::domain::passkey::Passkey;
use authd::domain::registration::Registration;
use authd::domain::role::{Permission, Role, RoleName};
use authd::domain::secret::Secret;
use authd::domain::session::Session;
use authd::domain::signing_key::{Retired, SigningKey};
use authd::domain::time::Timestamp;
use authd::domain::user::User;
use authd::error::{Error, FieldError, Refusal};
use authd::usecase::account::admin::Paged;
use authd::usecase::account::admin_two_factor::SecondFactor;
use authd::usecase::account::two_factor::{Setup, Status};
use authd::usecase::audit::verify::Verification;
use authd::usecase::keys::api_keys::Added;
use authd::usecase::mail::compose::OpenedMail;
use authd::usecase::operator::restore::{Ended, Restored, Trust, Withheld};
use authd::usecase::session::browser::AccessToken;
use authd::usecase::session::introspect::{Introspected, Kind};
use authd::usecase::session::list::SessionOfUser;
use authd::usecase::signin::login::Tokens;
use authd::usecase::signin::methods::Methods;
use authd::views;
use authd::views::View;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

/// What the objects are filled with.
#[derive(Clone, Debug)]
struct Filling {
    /// Whether each thing that may be missing is there.
    there: bool,
    /// Whether what is there, and lists, are long or many.
    text: String,
    time: i64,
    number: u32,
    many: usize,
}

fn filling() -> impl Strategy<Value = Filling> {
    (any::<bool>(), "\\PC{0,12}", 0_i64..4_000_000_000_000, any::<u32>(), 0_usize..3)
        .prop_map(|(there, text, time, number, many)| Filling { there, text, time, number, many })
}

impl Filling {
    fn maybe<T>(&self, value: T) -> Option<T> {
        self.there.then_some(value)
    }

    fn list<T: Clone>(&self, value: T) -> Vec<T> {
        vec![value; self.many]
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.time)
    }

    fn user_id(&self) -> UserId {
        UserId::new(self.time(), [1; 10])
    }

    fn session_id(&self) -> SessionId {
        SessionId::new(self.time(), [2; 10])
    }

    fn secret(&self) -> Secret<String> {
        Secret::new(self.text.clone())
    }

    fn permissions(&self) -> Vec<Permission> {
        self.list(Permission::parse("posts:write").unwrap())
    }

    fn user(&self) -> User {
        User {
            id: self.user_id(),
            email: Email::parse("ann@example.com").unwrap(),
            email_verified_at: self.maybe(self.time()),
            name: Name::parse("Ann \"Lee\"").unwrap(),
            roles: self.list(RoleName::parse("editor").unwrap()),
            permissions: self.permissions(),
            totp_at: self.maybe(self.time()),
            passkeys: 1,
            disabled_at: self.maybe(self.time()),
            locked_until: self.maybe(self.time()),
            created_at: self.time(),
            last_login_at: self.maybe(self.time()),
        }
    }

    fn identity(&self) -> Identity {
        Identity {
            id: IdentityId::new(self.time(), [3; 10]),
            user: self.user_id(),
            provider: ProviderName::parse("acme").unwrap(),
            key: IdentityKey { issuer: "https://id.acme.example".into(), subject: self.text.clone() },
            email: self.maybe(self.text.clone()),
            linked_at: self.time(),
            last_used_at: self.maybe(self.time()),
        }
    }

    fn passkey(&self) -> Passkey {
        Passkey {
            id: PasskeyId::new(self.time(), [4; 10]),
            user: self.user_id(),
            rp_id: self.text.clone(),
            name: Name::parse("My phone").unwrap(),
            backed_up: self.there,
            transports: self.list(self.text.clone()),
            created_at: self.time(),
            last_used_at: self.maybe(self.time()),
        }
    }

    fn tokens(&self) -> Tokens {
        Tokens {
            access_token: self.secret(),
            expires_in: self.number.into(),
            refresh_token: self.secret(),
            refresh_expires_in: self.number.into(),
            session: self.session_id(),
            standing: self.standing(),
            user: self.user(),
        }
    }

    fn standing(&self) -> Standing {
        if self.there { Standing::SecondFactorDue } else { Standing::Full }
    }

    fn session(&self) -> Session {
        Session {
            id: self.session_id(),
            user: self.user_id(),
            generation: 0,
            oldest: 0,
            created_at: self.time(),
            last_used_at: self.time(),
            expires_at: self.time(),
            ended_at: self.maybe(self.time()),
            auth_time: None,
            amr: Vec::new(),
            provider_amr: Vec::new(),
            ip: self.maybe([203, 0, 113, 9].into()),
            user_agent: self.maybe(self.text.clone()),
            idle: None,
        }
    }

    fn role(&self) -> Role {
        Role {
            name: RoleName::parse("editor").unwrap(),
            description: self.text.clone(),
            permissions: self.permissions(),
        }
    }

    fn app(&self) -> Application {
        Application {
            name: AppName::parse("wiki").unwrap(),
            origin: AppOrigin::parse("https://wiki.example.com").unwrap(),
            allow: self.maybe(RoleName::admin()).map_or(Allow::Everyone, |role| Allow::roles(vec![role])),
            created_at: self.time(),
        }
    }

    fn api_key(&self) -> ApiKey {
        ApiKey {
            id: ApiKeyId::new(self.time(), [3; 10]),
            name: ApiKeyName::parse("billing").unwrap(),
            permissions: self.permissions(),
            created_at: self.time(),
            expires_at: self.maybe(self.time()),
            last_used_at: self.maybe(self.time()),
        }
    }

    fn line(&self) -> Line {
        Line {
            seq: self.number.into(),
            at: self.time(),
            event: self.text.clone(),
            actor: self.text.clone(),
            user: self.maybe(self.user_id().to_string()),
            session: self.maybe(self.session_id().to_string()),
            ip: self.maybe("203.0.113.9".to_owned()),
            request_id: self.maybe(self.text.clone()),
            details: self.maybe(("why".to_owned(), self.text.clone())).into_iter().collect(),
            hash: vec![7; 32],
        }
    }

    fn introspected(&self, token: Kind) -> Introspected {
        Introspected {
            token,
            user: self.user(),
            session: self.session_id(),
            client_id: self.text.clone(),
            issued_at: self.time(),
            expires_at: self.time(),
        }
    }

    fn access(&self) -> Kind {
        let token = TokenId::new(self.time(), [4; 10]);
        Kind::Access { token, audience: self.text.clone(), not_before: self.time() }
    }

    fn page<T>(&self, item: T) -> Paged<T, String> {
        Paged { items: self.maybe(item).into_iter().collect(), next: self.maybe(self.text.clone()) }
    }

    fn second_factor(&self) -> SecondFactor {
        SecondFactor {
            user: self.user(),
            enabled_at: self.maybe(self.time()),
            failures: self.number,
            blocked: self.there,
            recovery_codes_left: self.number,
        }
    }

    fn mail(&self) -> OpenedMail {
        let mail = Mail {
            id: authd::domain::id::MailId::new(self.time(), [5; 10]),
            user: self.maybe(self.user_id()),
            to: self.text.clone(),
            kind: self.text.clone(),
            subject: self.text.clone(),
            state: MailState::Sent,
            created_at: self.time(),
            sent_at: self.maybe(self.time()),
            attempts: self.number,
            last_error: self.maybe(self.text.clone()),
        };
        OpenedMail { mail, body: self.maybe(self.secret()), html: self.maybe(self.secret()) }
    }

    fn registration(&self) -> Registration {
        Registration {
            id: RegistrationId::from_bytes([7; 16]),
            email: self.user().email,
            name: self.user().name,
            ip: self.maybe(self.text.clone()),
            user_agent: self.maybe(self.text.clone()),
            password_required: self.there,
            created_at: self.time(),
            expires_at: self.time(),
        }
    }

    fn signing_key(&self) -> SigningKey {
        SigningKey {
            kid: self.text.clone(),
            algorithm: Algorithm::Es256,
            created_at: self.time(),
            retired: self.maybe(Retired { at: self.time(), keep_until: self.time() }),
        }
    }

    /// One of each object among the document's components, by name.
    fn components(&self) -> Vec<(&'static str, Value)> {
        let (user, tokens, line, now) = (self.user(), self.tokens(), self.line(), self.time());
        let token = AccessToken { access_token: self.secret(), expires_in: tokens.expires_in };
        let setup = Setup { secret: self.secret(), otpauth_uri: self.secret(), qr_svg: self.secret() };
        let status =
            Status { enabled_at: self.maybe(now), passkeys: self.number, recovery_codes_left: self.number };
        let codes = self.list(self.secret());
        let (session, key) = (self.session(), self.api_key());
        let listed = SessionOfUser { session: session.clone(), email: self.text.clone() };
        let added = Added { key: key.clone(), secret: self.secret() };
        let (access, refresh) = (self.introspected(self.access()), self.introspected(Kind::Refresh));
        let error = FieldError { field: self.text.clone(), code: "missing", message: self.text.clone() };
        let page = self.page(line.clone());
        let (waiting, mail, signing) = (self.registration(), self.mail().mail, self.signing_key());
        let sessions = json!(views::own_sessions(std::slice::from_ref(&session), session.id));
        let events = json!(views::own_events(&Paged { items: vec![line.clone()], next: None }));
        let two_factor = json!(views::two_factor(&status));
        let problem = Problem::from(&if self.there {
            Error::from(Refusal::Invalid(vec![error.clone(); self.many.max(1)]))
        } else {
            Error::from(Refusal::InvalidToken)
        });
        let problem = serde_json::from_slice(&problem.response(&self.text).body).unwrap();
        vec![
            ("User", json!(views::user(&user, now))),
            ("UserPage", json!(views::page(&self.page(user.clone()), |user| views::user(user, now)))),
            ("PendingRegistration", json!(views::pending_registration(&waiting))),
            (
                "PendingRegistrationPage",
                json!(views::page(&self.page(waiting.clone()), views::pending_registration)),
            ),
            ("VerificationSent", json!(views::verification_sent())),
            ("Tokens", json!(views::tokens(&tokens, now))),
            ("CookieSession", json!(views::session_in_cookies(&tokens, &self.text, now))),
            ("SessionToken", json!(views::session_token(&token))),
            (
                "SecondStepDue",
                json!(views::second_step(&self.secret(), Methods { totp: true, passkey: true })),
            ),
            ("MagicLinkRequested", json!(views::magic_link_requested(&self.secret()))),
            ("PasswordChangeDue", json!(views::password_change(&self.secret()))),
            ("TwoFactor", two_factor.clone()),
            ("Totp", two_factor["totp"].clone()),
            ("TwoFactorSetup", json!(views::two_factor_setup(&setup))),
            ("RecoveryCodes", json!(views::recovery_codes(&codes))),
            ("Event", events["events"][0].clone()),
            ("Events", json!(views::own_events(&page))),
            ("Session", sessions["sessions"][0].clone()),
            ("Sessions", sessions),
            ("ListedSession", json!(views::listed_session(&listed))),
            ("SessionPage", json!(views::page(&self.page(listed.clone()), views::listed_session))),
            ("KeySet", json!(views::key_set(&json!({"keys": [{"kid": self.text}]})))),
            ("Health", json!(views::health())),
            ("Readiness", json!(views::readiness())),
            ("Role", json!(views::role(&self.role()))),
            ("RolePage", json!(views::page(&self.page(self.role()), views::role))),
            ("AuditLine", json!(views::audit_line(&line))),
            ("AuditPage", json!(views::page(&page, views::audit_line))),
            ("App", json!(views::app(&self.app()))),
            ("Allow", json!(views::app(&self.app()))["allow"].clone()),
            ("AppPage", json!(views::page(&self.page(self.app()), views::app))),
            ("Identity", json!(views::identity(&self.identity()))),
            ("IdentityPage", json!(views::page(&self.page(self.identity()), views::identity))),
            ("Identities", json!(views::own_identities(&self.list(self.identity())))),
            ("LinkBegun", json!(views::link_begun(&self.text))),
            ("SignInProviders", json!(views::sign_in_providers(&self.list(provider())))),
            ("SignInProvider", json!(views::sign_in_providers(&[provider()]))["providers"][0].clone()),
            ("Passkey", json!(views::passkey(&self.passkey()))),
            ("PasskeyPage", json!(views::page(&self.page(self.passkey()), views::passkey))),
            ("Passkeys", json!(views::own_passkeys(&self.list(self.passkey())))),
            ("PasskeyAdded", json!(views::passkey_added(&self.passkey(), self.there.then_some(&*codes)))),
            ("PasskeyCeremony", json!(views::passkey_ceremony(&self.text, json!({"rpId": self.text})))),
            ("RelatedOrigins", json!(views::related_origins(&self.list(self.text.clone())))),
            ("Mail", json!(views::mail(&mail))),
            ("MailPage", json!(views::page(&self.page(mail.clone()), views::mail))),
            ("SigningKey", json!(views::signing_key(&signing, now))),
            (
                "SigningKeyPage",
                json!(views::page(&self.page(signing.clone()), |key| views::signing_key(key, now))),
            ),
            ("ApiKey", json!(views::api_key(&key))),
            ("ApiKeyPage", json!(views::page(&self.page(key.clone()), views::api_key))),
            ("CreatedApiKey", json!(views::new_api_key(&added))),
            ("ActiveAccessToken", json!(views::introspection(Some(&access), &self.text))),
            ("ActiveRefreshToken", json!(views::introspection(Some(&refresh), &self.text))),
            ("InactiveToken", json!(views::introspection(None, &self.text))),
            ("FieldError", json!(views::field_error(&error))),
            ("Problem", problem),
        ]
    }

    /// Names an object of each component that isn't what its schema says, and why.
    fn wrong(&self, document: &Value) -> Vec<String> {
        let schema = |name: &str| &document["components"]["schemas"][name];
        let components = self.components();
        components.iter().flat_map(|(name, value)| violations(document, schema(name), value, name)).collect()
    }
}

#[test]
fn every_component_is_what_its_schema_declares() {
    let document = document();
    let bodies: BTreeSet<_> = routes().filter_map(|route| route.request).map(|body| body.name).collect();
    let declared = document["components"]["schemas"].as_object().unwrap().keys().map(String::as_str);
    let declared: BTreeSet<_> = declared.filter(|name| !bodies.contains(name)).collect();
    proptest!(|(filling in filling())| {
        let shown: BTreeSet<_> = filling.components().into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(&shown, &declared);
        prop_assert_eq!(filling.wrong(&document), Vec::<String>::new());
    });
}

#[test]
fn the_objects_of_the_table_are_closed_and_never_lack_a_member() {
    let document = document();
    let components = schema::components();
    for (name, schema) in &components {
        assert_eq!(schema["additionalProperties"], false, "{name}");
        assert_eq!(schema, &document["components"]["schemas"][name]);
        let optional = if name == "Problem" { vec!["errors", "retry_after_s"] } else { vec![] };
        let members = schema["properties"].as_object().unwrap().keys().map(String::as_str);
        let expected: Vec<_> = members.filter(|member| !optional.contains(member)).collect();
        assert_eq!(schema["required"], json!(expected), "{name}");
    }
}

/// The names of what is written are those that the type declares, in the same order.
fn as_declared<V: View>(view: &V) -> Result<(), TestCaseError> {
    let written = serde_json::to_value(view).unwrap();
    let written: Vec<String> = written.as_object().unwrap().keys().cloned().collect();
    prop_assert_eq!(written, views::members::<V>());
    Ok(())
}

#[test]
fn what_operators_alone_see_has_the_members_that_it_declares() {
    proptest!(|(filling in filling())| {
        let (user, factor) = (filling.user(), filling.second_factor());
        let (mail, line) = (filling.mail(), filling.line());
        let codes = filling.list(filling.secret());
        as_declared(&views::second_factor(&factor))?;
        as_declared(&views::checked_code(&factor, filling.there))?;
        as_declared(&views::new_recovery_codes(&user, &codes))?;
        as_declared(&views::mail(&mail.mail))?;
        as_declared(&views::opened_mail(&mail))?;
        as_declared(&views::exported_line(&line))?;
        let last = Mark { seq: line.seq, hash: line.hash };
        let missing = ChainError::Missing { seq: filling.number.into() };
        let wrong = Verification { first: 1, last, flaw: Some(missing) };
        as_declared(&views::audit_check(&wrong))?;
        let ended = Ended { sessions: 1, links: 2, tickets: 3, mails: 4 };
        let restored = Restored {
            database: authd::config::Database::File("authd.db".into()),
            trust: Trust::Proven,
            kept: filling.maybe("authd.db.kept".into()),
            line: filling.number.into(),
            steps: Vec::new(),
            ended,
            withheld: filling.maybe(Withheld::default()),
            new_signing_key: filling.maybe("kid".into()),
        };
        as_declared(&views::restored(&restored))?;
    });
}

/// A provider of identities, as it is configured.
fn provider() -> Provider {
    let sources = Sources {
        env: [("KIND", "github"), ("CLIENT_ID", "authd")]
            .map(|(key, value)| (format!("AUTHD_OAUTH__ACME__{key}"), value.to_owned()))
            .into(),
        ..Sources::default()
    };
    config::load(&sources).unwrap().config.oauth.remove(0)
}
