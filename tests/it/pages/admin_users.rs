//! Accounts on the pages of administrators: found, made, changed, and whatever can be done to one.

use super::admin::{BOB, Office, ROOT, cookies};
use crate::browser::{Browser, begin};
use crate::world::{PASSWORD, anonymous, operator, user_ref};
use authd::domain::name::Name;
use authd::domain::user::User;
use authd::usecase::account::admin::{self, Verified};
use authd::usecase::account::edit::{self, Changes};

fn user(office: &Office, email: &str) -> User {
    admin::find(&office.world.app, &operator(), &user_ref(email)).unwrap()
}

fn rename(office: &Office, email: &str, name: &str) {
    let changes = Changes { email: None, name: Some(Name::parse(name).unwrap()), verified: Verified::No };
    edit::edit(&office.world.app, &operator(), &user_ref(email), &changes).unwrap();
}

#[test]
fn accounts_are_searched_filtered_and_paged() {
    let office = Office::new();
    for number in 0..60 {
        office.world.advance(std::time::Duration::from_millis(1));
        office.world.add_user(&format!("user{number:02}@example.com"), &[]);
    }
    admin::disable(&office.world.app, &operator(), &user_ref("user07@example.com")).unwrap();
    let page = office.open("/auth/admin/users");
    assert!(page.contains("user48@example.com") && !page.contains("user49@example.com"), "50 rows a page");
    let next = page.split_once("rel=\"next\"").unwrap().0.rsplit_once("href=\"").unwrap().1;
    let next = next.split_once('"').unwrap().0.replace("&amp;", "&");
    let second = office.open(&next);
    assert!(second.contains("user49@example.com") && second.contains("user59@example.com"), "{second}");
    assert!(!second.contains("rel=\"next\"") && !second.contains("user48@example.com"));

    let found = office.open("/auth/admin/users?query=user1&role=&state=");
    assert!(found.contains("user11@") && !found.contains("user21@") && found.contains("value=\"user1\""));
    let disabled = office.open("/auth/admin/users?state=disabled");
    assert!(disabled.contains("user07@") && !disabled.contains("user08@"), "{disabled}");
    assert!(disabled.contains("<option value=\"disabled\" selected>Disabled</option>"));
    let admins = office.open("/auth/admin/users?role=admin");
    assert!(admins.contains(ROOT) && !admins.contains("user01@"));
    assert!(office.open("/auth/admin/users?query=nobody-at-all").contains("Nothing was found."));
    for (query, field) in [("role=No+Role", "role-error"), ("state=odd", "state-error")] {
        let page = office.open_as(&office.root, &format!("/auth/admin/users?{query}"));
        assert!(page.status == 422 && page.body.contains(&format!("id=\"{field}\"")), "{query} {page:?}");
    }
    assert_eq!(office.open_as(&office.root, "/auth/admin/users?after=odd").status, 400);
}

#[test]
fn somebody_is_invited_or_made_with_a_password() {
    let office = Office::new();
    office.add_role("editor", &["posts:write"]);
    let path = "/auth/admin/add-user";
    let new = [("email", BOB), ("name", "Bob"), ("password", ""), ("role", "editor")];
    let (to, said) = office.do_it(path, &new);
    assert_eq!(to, office.page_of(BOB));
    assert_eq!(said, "The account is there, and the invitation is on its way.");
    assert!(!office.open(&to).contains(&office.world.token_in_mail(BOB)), "the link stays in the mail");
    assert_eq!(user(&office, BOB).roles.len(), 1);

    let taken = office.press(path, &new);
    assert_eq!(taken.status, 422);
    for part in ["id=\"email-error\"", "Another account has this address.", "value=\"Bob\"", "checked"] {
        assert!(taken.body.contains(part), "{part}: {taken:?}");
    }
    let weak = office.press(path, &[("email", "c@example.com"), ("name", ""), ("password", "short one")]);
    assert!(weak.status == 422 && weak.body.contains("id=\"password-error\""), "{weak:?}");
    assert!(weak.body.contains("value=\"c@example.com\"") && !weak.body.contains("short one"));
    let odd = office.press(path, &[("email", "nobody"), ("name", "a\u{1b}b"), ("password", "")]);
    assert!(odd.status == 422 && odd.body.contains("email-error") && odd.body.contains("name-error"));

    let new = [("email", "cyd@example.com"), ("name", ""), ("password", PASSWORD), ("verified", "on")];
    assert_eq!(office.do_it(path, &new).1, "The account is there.");
    assert!(office.world.login("cyd@example.com").is_ok());
}

#[test]
fn nobody_gives_a_role_that_opens_more_than_they_hold() {
    let office = Office::new();
    let steward = office.holder("steward@example.com", &["users:read", "users:write", "roles:read"]);
    let new = [("email", BOB), ("name", ""), ("password", ""), ("role", "admin")];
    assert_eq!(office.press_as(&steward, "/auth/admin/add-user", &new).status, 403);
    assert!(admin::find(&office.world.app, &operator(), &user_ref(BOB)).is_err());
    // Nor do they change an account that does.
    let page = office.page_of(ROOT);
    let shown = office.open_as(&steward, &page).body;
    assert!(shown.contains("This account may do more than yours."), "{shown}");
    for action in ["edit", "roles", "disable", "delete", "unlock", "password-reset", "reset-two-factor"] {
        assert!(!shown.contains(&format!("{page}/{action}")), "{action}: {shown}");
        let fields: &[_] = if action == "edit" { &[("email", ROOT), ("name", "Eve")] } else { &[] };
        let before = office.events();
        assert_eq!(office.press_as(&steward, &format!("{page}/{action}"), fields).status, 403, "{action}");
        assert_eq!(office.events(), before, "{action}");
    }
}

#[test]
fn the_page_of_an_account_shows_what_hangs_on_it() {
    let office = Office::new();
    office.add_role("editor", &["posts:write"]);
    office.world.add_user(BOB, &["editor"]);
    rename(&office, BOB, "<b>Bob</b> \u{202e}\u{5d1}\u{5d5}\u{5d1}");
    office.world.login(BOB).unwrap();
    let path = office.page_of(BOB);
    let page = office.open(&path);
    for part in [
        "<bdi>&lt;b&gt;Bob&lt;/b&gt; \u{202e}\u{5d1}\u{5d5}\u{5d1}</bdi>",
        ">editor</a>",
        "22 November 2026, 08:00 UTC</time>",
        "LoginSucceeded",
        "192.0.2.7",
        "Not locked",
        &office.id_of(BOB),
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<b>Bob"));
    // Who may not see sessions or the log doesn't see them here either.
    let reader = office.holder("reader@example.com", &["users:read"]);
    let page = office.open_as(&reader, &path).body;
    for part in ["LoginSucceeded", "192.0.2.7", "/edit\"", "/roles\"", "/delete\"", "<h2>Sessions"] {
        assert!(!page.contains(part), "{part}: {page}");
    }
    for nowhere in ["/auth/admin/users/odd", "/auth/admin/users/0198c0de-0000-7000-8000-000000000000"] {
        assert_eq!(office.open_as(&office.root, nowhere).status, 404, "{nowhere}");
    }
    assert_eq!(office.open_as(&office.root, &format!("/auth/admin/users/{BOB}")).status, 404, "by id alone");
}

#[test]
fn an_account_is_changed_and_mistakes_come_back() {
    let office = Office::new();
    office.world.add_user(BOB, &[]);
    let page = office.page_of(BOB);
    let path = format!("{page}/edit");
    assert!(office.open(&path).contains(&format!("value=\"{BOB}\"")));
    let (to, said) = office.do_it(&path, &[("email", "lee@example.com"), ("name", "Bob Lee")]);
    assert_eq!((to.as_str(), said.as_str()), (page.as_str(), "The account is saved."));
    let lee = user(&office, "lee@example.com");
    assert_eq!((lee.name.as_str(), lee.email_verified_at), ("Bob Lee", None));
    office.do_it(&path, &[("email", "lee@example.com"), ("name", "Bob Lee"), ("verified", "on")]);
    assert!(user(&office, "lee@example.com").email_verified_at.is_some());
    let taken = office.press(&path, &[("email", ROOT), ("name", "Typed \"name\"")]);
    assert_eq!(taken.status, 422);
    assert!(taken.body.contains("Another account has this address."), "{taken:?}");
    assert!(taken.body.contains("value=\"Typed &quot;name&quot;\""), "{taken:?}");
    assert!(taken.body.contains("<title>Please check: "), "{taken:?}");
    assert_eq!(user(&office, "lee@example.com").name.as_str(), "Bob Lee");
}

#[test]
fn each_action_does_what_it_says_and_says_it_once() {
    let office = Office::new();
    office.world.add_user(BOB, &[]);
    let page = office.page_of(BOB);
    let browser = || Browser::of(&begin(&office.world, &anonymous(), BOB, false));
    let is_in = |browser: &Browser| {
        let answer = office.send("GET", "/api/auth/me", &[("cookie", &browser.cookie())], "");
        answer.status == 200
    };
    let first = browser();
    assert!(is_in(&first));
    for (action, title) in [
        ("disable", "Disable the account"),
        ("delete", "Delete the account"),
        ("reset-two-factor", "Take the second factor away"),
        ("end-sessions", "End all sessions"),
    ] {
        let before = office.events();
        let asked = office.open(&format!("{page}/{action}"));
        assert!(asked.contains(&format!("<h1>{title}</h1>")) && asked.contains(BOB), "{action}: {asked}");
        assert_eq!(office.events(), before, "to ask changes nothing: {action}");
    }
    let does = |action: &str, event: &str, said: &str| {
        let before = office.count(event);
        assert_eq!(office.do_it(&format!("{page}/{action}"), &[]), (page.clone(), said.to_owned()));
        assert_eq!(office.count(event), before + 1, "{action}");
    };
    does("end-sessions", "LoggedOutEverywhere", "All sessions have ended.");
    assert!(!is_in(&first));
    let second = browser();
    does("disable", "UserDisabled", "The account is disabled, and its sessions have ended.");
    assert!(!is_in(&second));
    let shown = office.open(&page);
    assert!(shown.contains("Disabled since") && !shown.contains("/password-reset"), "{shown}");
    let refused = office.press(&format!("{page}/password-reset"), &[]);
    assert_eq!(refused.status, 403, "a link to a disabled account would do nothing: {refused:?}");
    does("enable", "UserEnabled", "The account is enabled.");
    does("password-reset", "PasswordResetRequested", "The mail with the link is on its way.");
    assert!(office.world.token_in_mail(BOB).starts_with("authd_pr_"));
    for _ in 0..5 {
        let _ = office.world.login_with(BOB, "not the password at all");
    }
    does("unlock", "UserUnlocked", "The account is not locked.");
    assert_eq!(
        office.do_it(&format!("{page}/reset-two-factor"), &[]),
        (page.clone(), "The account has no second factor now.".to_owned())
    );
    assert_eq!(office.do_it(&format!("{page}/delete"), &[]).1, "");
    assert_eq!(office.count("UserDeleted"), 1);
    assert_eq!(office.press(&format!("{page}/delete"), &[]).status, 404);
}

#[test]
fn roles_are_boxes_and_only_what_was_ticked_or_unticked_changes() {
    let office = Office::new();
    for role in ["editor", "author", "reader"] {
        office.add_role(role, &["posts:read"]);
    }
    office.world.add_user(BOB, &["editor"]);
    let page = office.page_of(BOB);
    let path = format!("{page}/roles");
    let shown = office.open(&path);
    assert!(shown.contains("value=\"editor\" checked") && shown.contains("value=\"author\">"), "{shown}");
    let names = |office: &Office| user(office, BOB).roles.iter().map(ToString::to_string).collect::<Vec<_>>();
    // Somebody else gives one meanwhile: it stays.
    authd::usecase::account::roles::assign(
        &office.world.app,
        &operator(),
        &user_ref(BOB),
        &[authd::domain::role::RoleName::parse("reader").unwrap()],
    )
    .unwrap();
    let (to, said) = office.do_it(&path, &[("had", "editor"), ("role", "author")]);
    assert_eq!((to, said.as_str()), (page, "The roles are saved."));
    assert_eq!(names(&office), ["author", "reader"]);
    assert_eq!((office.count("RoleUnassigned"), office.count("RoleAssigned")), (1, 4));
    // All or nothing: one that isn't there leaves the others as they are.
    let refused = office.press(&path, &[("had", "author"), ("role", "no-such-role")]);
    assert_eq!((refused.status, names(&office)), (404, vec!["author".to_owned(), "reader".to_owned()]));
}

#[test]
fn the_last_admin_stays() {
    let office = Office::new();
    let page = office.page_of(ROOT);
    let said = "Make somebody else an admin first.";
    for (action, fields) in
        [("disable", vec![]), ("delete", vec![]), ("roles", vec![("had", "admin"), ("role", "no-admin")])]
    {
        office.add_role(&format!("no-admin{}", if action == "roles" { "" } else { action }), &[]);
        let refused = office.press(&format!("{page}/{action}"), &fields);
        assert_eq!(refused.status, 422, "{action}: {refused:?}");
        assert!(refused.body.contains(said), "{action}: {refused:?}");
    }
    assert!(user(&office, ROOT).is_admin() && user(&office, ROOT).disabled_at.is_none());
    assert_eq!(user(&office, ROOT).roles.len(), 1, "nothing of a refused change is done");
}

#[test]
fn whoever_closes_their_own_account_is_told_and_signed_out() {
    let office = Office::new();
    office.world.add_user("second@example.com", &["admin"]);
    let page = office.page_of(ROOT);
    assert!(office.open(&format!("{page}/delete")).contains("This is your own account."));
    assert!(!office.open(&format!("{}/delete", office.page_of("second@example.com"))).contains("your own"));
    assert_eq!(office.press(&format!("{page}/delete"), &[]).status, 303);
    let after = office.open_as(&office.root, "/auth/admin/");
    assert_eq!((after.status, after.header("location").starts_with("/auth/sign-in")), (303, true));
    assert!(cookies(&after).any(|cookie| cookie == "__Host-authd_session="), "{after:?}");
}

#[test]
fn sessions_are_listed_and_ended_one_by_one() {
    let office = Office::new();
    office.world.add_user(BOB, &[]);
    let ids: Vec<_> = (0..12).map(|_| office.world.login(BOB).unwrap().session.to_string()).collect();
    let page = office.page_of(BOB);
    let shown = office.open(&page);
    assert_eq!(shown.matches("/end\"").count(), 10, "the newest stand on the page");
    assert!(shown.contains(&format!("/auth/admin/sessions?user={}", office.id_of(BOB))), "{shown}");
    let all = office.open(&format!("/auth/admin/sessions?user={BOB}"));
    assert_eq!(all.matches("/end\"").count(), 12);
    assert_eq!(office.open("/auth/admin/sessions").matches("/end\"").count(), 13);
    let nobody = office.open_as(&office.root, "/auth/admin/sessions?user=nobody@example.com");
    assert!(nobody.status == 422 && nobody.body.contains("user-error"), "{nobody:?}");

    let end = format!("/auth/admin/sessions/{}/end", ids[0]);
    let bob = office.id_of(BOB);
    assert_eq!(office.do_it(&end, &[("user", &bob)]), (page, "The session has ended.".to_owned()));
    assert_eq!(office.do_it(&end, &[]).0, "/auth/admin/sessions", "what has ended already is no mistake");
    assert_eq!(office.count("SessionRevoked"), 1);
    assert_eq!(office.press("/auth/admin/sessions/odd/end", &[]).status, 404);
    let elsewhere = office.press(&end, &[("user", "https://evil.example/")]);
    assert_eq!(elsewhere.header("location"), "/auth/admin/sessions");
}

#[test]
fn a_registration_that_waits_is_confirmed_or_deleted() {
    let office = Office::new();
    let path = || {
        let page = office.open("/auth/admin/registrations");
        let found = page.split_once("/confirm\"")?.0.rsplit_once("href=\"")?.1;
        Some(found.to_owned())
    };
    assert_eq!(path(), None);
    office.world.register(BOB).unwrap();
    let first = path().expect("it waits");
    assert!(office.open(&format!("{first}/delete")).contains(BOB), "it says whose");
    assert_eq!(
        office.do_it(&format!("{first}/delete"), &[]),
        ("/auth/admin/registrations".into(), "The registration is gone.".into())
    );
    assert_eq!((path(), office.press(&format!("{first}/confirm"), &[]).status), (None, 404));
    office.world.register(BOB).unwrap();
    let second = path().expect("another waits");
    assert_eq!(office.do_it(&format!("{second}/confirm"), &[]).0, office.page_of(BOB));
    assert!(office.world.login(BOB).is_ok() && user(&office, BOB).email_verified_at.is_some());
}
