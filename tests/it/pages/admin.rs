//! The pages of administrators, over a real socket: who may open which, and whose forms are taken. What each
//! does has files of its own.

use crate::browser::{Browser, begin};
use crate::daemon::{Answer, exchange, request};
use crate::world::{World, anonymous, operator, user_ref};
use authd::api::router::Router;
use authd::domain::access::OWN_PERMISSIONS;
use authd::domain::api_key::ApiKeyName;
use authd::domain::application::{Allow, AppName, AppOrigin};
use authd::domain::role::{Permission, Role, RoleName};
use authd::pages::Pages;
use authd::pages::route::{Audience, PageRoute};
use authd::pages::table::rows;
use authd::transport::{Running, Server, Settings};
use authd::usecase::account::{admin, registrations, roles};
use authd::usecase::gate::apps::{self, NewApp};
use authd::usecase::keys::api_keys::{self, NewApiKey};
use std::sync::Arc;

pub const ROOT: &str = "root@example.com";
pub const BOB: &str = "bob@example.com";

/// A world with its daemon and pages, and an admin signed in.
pub struct Office {
    pub world: World,
    pub root: Browser,
    pub running: Running,
}

impl Office {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(settings: &[(&str, &str)]) -> Self {
        let mut all = vec![("rate_limit.enabled", "false")];
        all.extend(settings);
        let world = World::with(&all);
        let router = Arc::new(Router::new(Arc::clone(&world.app)));
        let pages = Arc::new(Pages::before(Arc::clone(&world.app), router).unwrap());
        let config = &world.app.config;
        let running = Server::start(&config.listen, Settings::from(config), pages).unwrap();
        world.add_user(ROOT, &["admin"]);
        let root = Browser::of(&begin(&world, &anonymous(), ROOT, false));
        Self { world, root, running }
    }

    /// Signs somebody in, who is made with these permissions of their own at the first call.
    pub fn holder(&self, email: &str, permissions: &[&str]) -> Browser {
        if admin::find(&self.world.app, &operator(), &user_ref(email)).is_err() {
            let name = email.split('@').next().unwrap();
            self.add_role(name, permissions);
            self.world.add_user(email, &[name]);
        }
        Browser::of(&begin(&self.world, &anonymous(), email, false))
    }

    pub fn add_role(&self, name: &str, permissions: &[&str]) {
        let role = Role {
            name: RoleName::parse(name).unwrap(),
            description: String::new(),
            permissions: permissions.iter().map(|text| Permission::parse(text).unwrap()).collect(),
        };
        roles::add(&self.world.app, &operator(), &role).unwrap();
    }

    pub fn id_of(&self, email: &str) -> String {
        admin::find(&self.world.app, &operator(), &user_ref(email)).unwrap().id.to_string()
    }

    /// The path of an account's page.
    pub fn page_of(&self, email: &str) -> String {
        format!("/auth/admin/users/{}", self.id_of(email))
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        exchange(self.running.address().tcp().unwrap(), &request(method, path, headers, body.as_bytes()))
    }

    /// Opens a page as somebody.
    pub fn open_as(&self, browser: &Browser, path: &str) -> Answer {
        plain(self.send("GET", path, &[("cookie", &browser.cookie())], ""))
    }

    /// Opens a page as the admin, where it is one.
    pub fn open(&self, path: &str) -> String {
        let page = self.open_as(&self.root, path);
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{path} {page:?}");
        page.body
    }

    /// Sends a form as somebody's browser does.
    pub fn press_as(&self, browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post(browser, path, &browser.csrf, fields)
    }

    pub fn press(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.press_as(&self.root, path, fields)
    }

    fn post(&self, browser: &Browser, path: &str, csrf: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", csrf).extend_pairs(fields);
        let cookie = browser.cookie();
        let headers = [
            ("cookie", cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        plain(self.send("POST", path, &headers, &form.finish()))
    }

    /// Sends a form that is taken; gives where it leads, and what the page there says was done.
    pub fn do_it(&self, path: &str, fields: &[(&str, &str)]) -> (String, String) {
        let answer = self.press(path, fields);
        assert_eq!(answer.status, 303, "{path} {answer:?}");
        let to = answer.header("location").to_owned();
        let notice = cookies(&answer).find(|cookie| cookie.starts_with("__Host-authd_notice=")).unwrap();
        let both = format!("{}; {notice}", self.root.cookie());
        let page = self.send("GET", &to, &[("cookie", &both)], "");
        let said = page.body.split_once("<p class=\"notice\" role=\"status\">").map(|(_, rest)| rest);
        let said = said.and_then(|rest| rest.split_once("</p>")).map(|(said, _)| said.to_owned());
        (to, said.unwrap_or_default())
    }

    pub fn events(&self) -> Vec<String> {
        self.world.events()
    }

    /// How often an event stands in the log.
    pub fn count(&self, event: &str) -> usize {
        self.events().iter().filter(|one| *one == event).count()
    }
}

/// Slashes need not be escaped; a template does so all the same.
fn plain(answer: Answer) -> Answer {
    Answer { body: answer.body.replace("&#x2f;", "/"), ..answer }
}

/// The cookies that an answer sets, each as it is sent back.
pub fn cookies(answer: &Answer) -> impl Iterator<Item = String> {
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    set.map(|(_, value)| value.split(';').next().unwrap().to_owned())
}

fn administrators() -> impl Iterator<Item = &'static PageRoute> {
    rows().filter(|row| row.path.starts_with("/auth/admin/") && row.path != "/auth/admin/")
}

fn permission_of(row: &PageRoute) -> &'static str {
    match row.audience {
        Audience::Holders(permission) => permission,
        other => panic!("{} is for {other:?}", row.path),
    }
}

fn methods(row: &PageRoute) -> impl Iterator<Item = &'static str> {
    let all = [("GET", row.get.is_some()), ("POST", row.post.is_some())];
    all.into_iter().filter(|(_, is_there)| *is_there).map(|(method, _)| method)
}

/// A path of the row that names something that is there.
fn path_to(office: &Office, row: &PageRoute) -> String {
    let session = || office.world.login(BOB).unwrap().session.to_string();
    let id = if row.path.contains("/sessions/{id}") { session() } else { office.id_of(BOB) };
    let path = row.path.replace("{id}", &id).replace("{role}", "plain");
    let path = path.replace("{name}", "a-key").replace("{app}", "wiki");
    let path = path.replace("{mail}", &mail(office));
    path.replace("{registration}", &registration(office))
}

/// The id of the mail with Cyd's link.
fn mail(office: &Office) -> String {
    office.world.mails("cyd@example.com")[0].id.to_string()
}

/// The id of Cyd's registration, which waits.
fn registration(office: &Office) -> String {
    let waiting = registrations::list(&office.world.app, &operator(), 1, None).unwrap().items;
    waiting[0].id.to_string()
}

/// Bob, a role, a key, an application, and a registration that waits.
fn furnish(office: &Office) {
    office.world.add_user(BOB, &[]);
    office.world.register("cyd@example.com").unwrap();
    office.add_role("plain", &["posts:write"]);
    let app = &office.world.app;
    let name = ApiKeyName::parse("a-key").unwrap();
    api_keys::add(app, &operator(), &NewApiKey { name, permissions: Vec::new(), ttl: None }).unwrap();
    let new = NewApp {
        name: AppName::parse("wiki").unwrap(),
        origin: AppOrigin::parse("https://wiki.example.com").unwrap(),
        allow: Allow::roles(vec![RoleName::parse("plain").unwrap()]),
    };
    apps::add(app, &operator(), &new).unwrap();
}

#[test]
fn whoever_is_signed_out_signs_in_first_and_comes_back() {
    let office = Office::new();
    furnish(&office);
    for row in administrators() {
        for method in methods(row) {
            let path = path_to(&office, row);
            let before = office.events();
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let answer = office.send(method, &path, &form, if method == "POST" { "a=b" } else { "" });
            assert_eq!(answer.status, 303, "{method} {path} {answer:?}");
            let back = if method == "POST" && row.get.is_none() { row.form.unwrap() } else { row.path };
            let back = back.replace("{id}", &office.id_of(BOB)).replace("{role}", "plain");
            let back = back.replace("{name}", "a-key").replace("{app}", "wiki");
            let back = back.replace("{registration}", &registration(&office));
            let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
            assert_eq!(
                answer.header("location"),
                format!("/auth/sign-in?return_to={back}"),
                "{method} {path}"
            );
            assert_eq!(office.events(), before, "{method} {path}");
        }
    }
}

#[test]
fn each_page_is_for_holders_of_its_permission_alone() {
    let office = Office::new();
    furnish(&office);
    for (at, own) in OWN_PERMISSIONS.into_iter().enumerate() {
        let others: Vec<_> = OWN_PERMISSIONS.into_iter().filter(|other| *other != own).collect();
        let lacking = office.holder(&format!("lacking{at}@example.com"), &others);
        for row in administrators().filter(|row| permission_of(row) == own) {
            for method in methods(row) {
                let path = path_to(&office, row);
                let before = office.events();
                let answer = match method {
                    "POST" => office.press_as(&lacking, &path, &[]),
                    _ => office.open_as(&lacking, &path),
                };
                assert_eq!(answer.status, 403, "{method} {path} without {own}");
                assert!(answer.body.contains(own), "{method} {path}: {answer:?}");
                assert_eq!(office.events(), before, "{method} {path}");
            }
        }
    }
    let asked: Vec<_> = administrators().map(permission_of).collect();
    assert!(OWN_PERMISSIONS.iter().all(|own| asked.contains(own)), "each has a page: {asked:?}");
}

#[test]
fn a_holder_opens_every_page_of_the_permission() {
    let office = Office::new();
    furnish(&office);
    for row in administrators().filter(|row| row.get.is_some()) {
        let path = path_to(&office, row);
        let held = [permission_of(row), "users:read", "roles:read", "apps:read"];
        let email = format!("{}@example.com", permission_of(row).replace(':', "-"));
        let page = office.open_as(&office.holder(&email, &held), &path);
        assert_eq!(page.status, 200, "{path} {page:?}");
        let csp = page.header("content-security-policy");
        assert!(csp.starts_with("default-src 'none'; style-src 'self';"), "{csp}");
        for inline in ["<script", " style=", "<style", " onclick="] {
            assert!(!page.body.contains(inline), "{path} has {inline}");
        }
    }
}

#[test]
fn a_form_of_another_page_or_session_does_nothing() {
    let office = Office::new();
    furnish(&office);
    let other = office.holder("eve@example.com", &OWN_PERMISSIONS);
    for row in administrators().filter(|row| row.post.is_some()) {
        let path = path_to(&office, row);
        let before = office.events();
        let cookie = office.root.cookie();
        let mut headers =
            vec![("cookie", cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let statuses = [
            office.send("POST", &path, &headers, "email=x").status,
            office.post(&office.root, &path, &other.csrf, &fields_of(row)).status,
            office.post(&office.root, &path, "", &fields_of(row)).status,
            {
                headers.push(("sec-fetch-site", "cross-site"));
                let body = format!("csrf={}", office.root.csrf);
                office.send("POST", &path, &headers, &body).status
            },
        ];
        assert_eq!(statuses, [400, 403, 403, 403], "{path}");
        assert_eq!(office.events(), before, "{path}");
    }
}

/// The fields that a row's form must have.
fn fields_of(row: &PageRoute) -> Vec<(&'static str, &'static str)> {
    let names: &[&str] = match row.path {
        "/auth/admin/add-user" => &["email", "name", "password"],
        "/auth/admin/users/{id}/edit" => &["email", "name"],
        "/auth/admin/users/{id}/passkeys" => &["passkey"],
        "/auth/admin/add-role" => &["name", "description", "other_permissions"],
        "/auth/admin/roles/{role}/edit" => &["description", "other_permissions"],
        "/auth/admin/add-api-key" => &["name", "days", "other_permissions"],
        "/auth/admin/add-app" => &["name", "url"],
        "/auth/admin/apps/{app}/edit" => &["url"],
        _ => &[],
    };
    names.iter().map(|name| (*name, "")).collect()
}

#[test]
fn the_first_tab_is_the_first_that_somebody_may_see() {
    let office = Office::new();
    let to = |browser: &Browser| office.open_as(browser, "/auth/admin/").header("location").to_owned();
    assert_eq!(to(&office.root), "/auth/admin/users");
    assert_eq!(to(&office.holder("log@example.com", &["audit:read"])), "/auth/admin/audit");
    let writer = office.holder("writer@example.com", &["users:write"]);
    assert_eq!(office.open_as(&writer, "/auth/admin/").status, 403);
    // A tab for each list that is theirs to see, and no others.
    let page = office.open_as(&office.holder("log@example.com", &[]), "/auth/admin/audit").body;
    assert!(page.contains("<a href=\"/auth/admin/audit\" aria-current=\"page\">"), "{page}");
    assert!(!page.contains("href=\"/auth/admin/users\""), "{page}");
    let whole = office.open("/auth/admin/users");
    for tab in ["users", "sessions", "roles", "apps", "api-keys", "audit", "mails", "signing-keys"] {
        assert!(whole.contains(&format!("<a href=\"/auth/admin/{tab}\"")), "{tab}");
    }
}

#[test]
fn what_wants_a_fresh_login_is_confirmed_in_between() {
    let office = Office::new();
    furnish(&office);
    office.world.advance(std::time::Duration::from_secs(301));
    let bob = office.page_of(BOB);
    for (path, fields) in [
        (format!("{bob}/roles"), vec![("role", "plain")]),
        (format!("{bob}/edit"), vec![("email", BOB), ("name", "Bob")]),
        (format!("{bob}/reset-two-factor"), vec![]),
        ("/auth/admin/add-user".to_owned(), vec![("email", "n@example.com"), ("name", ""), ("password", "")]),
        ("/auth/admin/roles/plain/delete".to_owned(), vec![]),
        ("/auth/admin/api-keys/a-key/revoke".to_owned(), vec![]),
        ("/auth/admin/apps/wiki/delete".to_owned(), vec![]),
    ] {
        let before = office.events();
        let back: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        for answer in [office.press(&path, &fields), office.open_as(&office.root, &path)] {
            assert_eq!(answer.status, 303, "{path} {answer:?}");
            assert_eq!(answer.header("location"), format!("/auth/confirm?return_to={back}"));
        }
        assert_eq!(office.events(), before, "{path}");
    }
    // What only looks, and what the API doesn't ask it for, goes on.
    assert_eq!(office.open_as(&office.root, &bob).status, 200);
    assert_eq!(office.press(&format!("{bob}/unlock"), &[]).status, 303);
}
