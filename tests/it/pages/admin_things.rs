//! Roles, API keys, applications, signing keys, mails and the audit log on the pages of administrators.

use super::admin::{BOB, Office, ROOT, cookies};
use crate::browser::Browser;
use crate::mail::Told;
use crate::world::operator;
use authd::domain::access::OWN_PERMISSIONS;
use authd::domain::application::AppName;
use authd::domain::role::RoleName;
use authd::ports::Undelivered;
use authd::usecase::account::roles;
use authd::usecase::gate::apps;
use authd::usecase::keys::{api_keys, signing_keys};
use authd::usecase::mail::delivery::Delivery;
use std::time::Duration;

fn permissions_of(office: &Office, role: &str) -> Vec<String> {
    let name = RoleName::parse(role).unwrap();
    let held = roles::find(&office.world.app, &operator(), &name).unwrap();
    held.role.permissions.iter().map(ToString::to_string).collect()
}

#[test]
fn a_role_is_made_changed_and_deleted() {
    let office = Office::new();
    let path = "/auth/admin/add-role";
    let new = [
        ("name", "editor"),
        ("description", "Edits <i>posts</i>"),
        ("permission", "users:read"),
        ("other_permissions", "posts:write\n posts:read, files:*"),
    ];
    let (to, said) = office.do_it(path, &new);
    assert_eq!((to.as_str(), said.as_str()), ("/auth/admin/roles/editor", "The role is there."));
    assert_eq!(permissions_of(&office, "editor"), ["files:*", "posts:read", "posts:write", "users:read"]);
    for page in [office.open(&to), office.open("/auth/admin/roles")] {
        assert!(page.contains("Edits &lt;i&gt;posts&lt;/i&gt;"), "{page}");
    }
    office.world.add_user(BOB, &["editor"]);
    assert!(office.open(&to).contains("<a href=\"/auth/admin/users?role=editor\">1</a>"));

    let again = office.press(path, &new);
    assert!(again.status == 422 && again.body.contains("id=\"name-error\""), "{again:?}");
    for kept in ["value=\"Edits &lt;i&gt;", "value=\"users:read\" checked", "files:*"] {
        assert!(again.body.contains(kept), "{kept}: {again:?}");
    }
    let odd = [("name", "Not A Word"), ("description", ""), ("other_permissions", "everything")];
    let odd = office.press(path, &odd);
    assert!(odd.status == 422 && odd.body.contains("name-error"), "{odd:?}");
    assert!(odd.body.contains("id=\"other_permissions-error\"") && odd.body.contains("everything"));

    let edit = format!("{to}/edit");
    assert!(office.open(&edit).contains("posts:write"), "what it holds stands in the form");
    let changed = [("description", ""), ("permission", "roles:read"), ("other_permissions", "")];
    assert_eq!(office.do_it(&edit, &changed).1, "The role is saved.");
    assert_eq!(permissions_of(&office, "editor"), ["roles:read"]);

    assert!(office.open(&format!("{to}/delete")).contains("<h1>Delete the role</h1>"));
    assert_eq!(
        office.do_it(&format!("{to}/delete"), &[]),
        ("/auth/admin/roles".into(), "The role is gone.".into())
    );
    assert_eq!(office.open_as(&office.root, &to).status, 404);
}

#[test]
fn the_built_in_role_stays_whole() {
    let office = Office::new();
    let shown = office.open("/auth/admin/roles/admin");
    assert!(shown.contains("This role is built in.") && !shown.contains("/delete\""), "{shown}");
    for (path, fields) in [
        ("/auth/admin/roles/admin/delete", vec![]),
        ("/auth/admin/roles/admin/edit", vec![("description", ""), ("other_permissions", "")]),
    ] {
        let refused = office.press(path, &fields);
        assert_eq!(refused.status, 422, "{path} {refused:?}");
        assert!(refused.body.contains("The role admin is built in"), "{path} {refused:?}");
    }
    assert_eq!(permissions_of(&office, "admin").len(), OWN_PERMISSIONS.len());
}

#[test]
fn nobody_makes_a_role_or_a_key_that_may_do_more_than_they() {
    let office = Office::new();
    let maker = office.holder("maker@example.com", &["roles:read", "roles:write", "keys:write"]);
    let form = office.open_as(&maker, "/auth/admin/add-role").body;
    assert!(form.contains("value=\"roles:write\"") && !form.contains("value=\"users:write\""), "{form}");
    for sent in [("permission", "users:write"), ("other_permissions", "users:*")] {
        let mut role = vec![("name", "more"), ("description", ""), sent];
        let mut key = vec![("name", "more"), ("days", "30"), sent];
        if sent.0 == "permission" {
            role.push(("other_permissions", ""));
            key.push(("other_permissions", ""));
        }
        assert_eq!(office.press_as(&maker, "/auth/admin/add-role", &role).status, 403);
        assert_eq!(office.press_as(&maker, "/auth/admin/add-api-key", &key).status, 403);
    }
    let edit = [("description", ""), ("other_permissions", "")];
    assert_eq!(office.press_as(&maker, "/auth/admin/roles/admin/edit", &edit).status, 403);
}

/// The key in a page. `None`: there is none.
fn key_in(page: &str) -> Option<String> {
    let start = page.find("authd_key_")?;
    Some(page[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect())
}

#[test]
fn an_api_key_is_shown_once_to_whoever_made_it() {
    let office = Office::new();
    let new = [("name", "backup"), ("days", "30"), ("permission", "users:read"), ("other_permissions", "")];
    let made = office.press("/auth/admin/add-api-key", &new);
    assert_eq!((made.status, made.header("location")), (303, "/auth/admin/api-keys/backup"));
    assert!(!format!("{made:?}").contains("authd_key_"), "neither in an address nor, plain, in a cookie");
    let path = "/auth/admin/api-keys/backup";
    let handed = cookies(&made).find(|cookie| cookie.starts_with("__Host-authd_handover=")).unwrap();
    let with = |browser: &Browser, path: &str| {
        office.send("GET", path, &[("cookie", &format!("{}; {handed}", browser.cookie()))], "")
    };
    // Neither another's session, nor another page, nor a browser that was handed nothing has it.
    let other = office.holder("other@example.com", &["keys:write"]);
    assert_eq!(key_in(&with(&other, path).body), None);
    office.press("/auth/admin/add-api-key", &[("name", "another"), ("days", "0"), ("other_permissions", "")]);
    assert_eq!(key_in(&with(&office.root, "/auth/admin/api-keys/another").body), None);
    for page in [path, "/auth/admin/api-keys", "/auth/admin/audit"] {
        assert_eq!(key_in(&office.open(page)), None, "{page}");
    }
    let page = with(&office.root, path);
    let key = key_in(&page.body).expect("the page shows it");
    assert!(cookies(&page).any(|cookie| cookie == "__Host-authd_handover="), "once: {page:?}");
    let bearer = format!("Bearer {key}");
    let users = || office.send("GET", "/api/auth/admin/users", &[("authorization", &bearer)], "").status;
    assert_eq!(users(), 200);

    let all = api_keys::page(&office.world.app, &operator(), 50, None).unwrap().items;
    let kept = all.iter().find(|key| key.name.as_str() == "backup").unwrap();
    let life = kept.expires_at.unwrap().since(kept.created_at);
    assert_eq!(life.as_secs(), 30 * 24 * 3600);
    assert!(office.open(&format!("{path}/revoke")).contains("<h1>Revoke the key</h1>"));
    assert_eq!(
        office.do_it(&format!("{path}/revoke"), &[]),
        ("/auth/admin/api-keys".into(), "The key counts no more.".into())
    );
    assert_eq!(users(), 401);
    assert_eq!(office.open_as(&office.root, path).status, 404);
}

#[test]
fn a_key_may_live_forever_and_mistakes_come_back() {
    let office = Office::new();
    let new = [("name", "backup"), ("days", "0"), ("other_permissions", "")];
    assert_eq!(office.press("/auth/admin/add-api-key", &new).status, 303);
    assert!(office.open("/auth/admin/api-keys/backup").contains("It is revoked"));
    for (fields, part) in [
        ([("name", "backup"), ("days", "0")], "name-error"),
        ([("name", "other"), ("days", "12345")], "days-error"),
        ([("name", "Odd Name"), ("days", "7")], "name-error"),
    ] {
        let fields = [&fields[..], &[("other_permissions", "posts:read")]].concat();
        let refused = office.press("/auth/admin/add-api-key", &fields);
        assert!(refused.status == 422 && refused.body.contains(part), "{part} {refused:?}");
        assert!(refused.body.contains("posts:read"), "what was typed is kept");
    }
}

#[test]
fn the_log_is_filtered_and_paged() {
    let office = Office::new();
    office.world.add_user(BOB, &[]);
    for _ in 0..60 {
        office.world.login(BOB).unwrap();
        office.world.advance(std::time::Duration::from_secs(60));
    }
    let rows = |page: &str| page.matches("<tr>\n<td><time").count();
    let page = office.open("/auth/admin/audit");
    assert_eq!(rows(&page), 50);
    let next = page.split_once("rel=\"next\"").unwrap().0.rsplit_once("href=\"").unwrap().1;
    let next = next.split_once('"').unwrap().0.replace("&amp;", "&");
    let second = office.open(&next);
    assert_eq!(50 + rows(&second), office.world.audit().len());
    assert!(!second.contains("rel=\"next\"") && second.contains("DatabaseCreated"), "{second}");

    let logins = office.open("/auth/admin/audit?event=UserCreated");
    assert_eq!(rows(&logins), 2);
    assert!(logins.contains("<option value=\"UserCreated\" selected>"), "{logins}");
    let bobs = office.open(&format!("/auth/admin/audit?event=UserCreated&user={BOB}"));
    assert_eq!((rows(&bobs), bobs.contains(ROOT)), (1, false), "{bobs}");
    assert!(bobs.contains(&format!("<bdi>{BOB}</bdi></a>")), "an address in the place of the id: {bobs}");
    let late = office.open("/auth/admin/audit?since=2026-11-22T08:55&until=2026-11-22T08:57");
    assert_eq!(rows(&late), 2, "{late}");
    for (query, part) in [
        ("since=yesterday", "since-error"),
        ("until=25:00", "until-error"),
        ("user=nobody@example.com", "user-error"),
        ("user=odd", "user-error"),
    ] {
        let page = office.open_as(&office.root, &format!("/auth/admin/audit?{query}"));
        assert!(page.status == 422 && page.body.contains(part), "{query} {page:?}");
    }
    assert!(office.open("/auth/admin/audit?event=Nonsense").contains("Nothing was found."));
}

#[test]
fn an_application_is_made_changed_explained_and_deleted() {
    let office = Office::with(&[("public_url", "https://auth.example.com")]);
    office.add_role("editor", &["posts:write"]);
    office.world.add_user(BOB, &[]);
    let path = "/auth/admin/add-app";
    let wiki =
        [("name", "wiki"), ("url", "https://Wiki.example.com/"), ("allow", "roles"), ("role", "editor")];
    let (to, said) = office.do_it(path, &wiki);
    assert_eq!((to.as_str(), said.as_str()), ("/auth/admin/apps/wiki", "The application is there."));
    for page in [office.open(&to), office.open("/auth/admin/apps")] {
        assert!(page.contains("https://wiki.example.com") && page.contains(">editor<"), "{page}");
    }
    for (fields, part) in [
        (vec![("name", "wiki"), ("url", "https://b.example.com"), ("allow", "everyone")], "name-error"),
        (vec![("name", "b"), ("url", "https://wiki.example.com"), ("allow", "everyone")], "url-error"),
        (vec![("name", "b"), ("url", "http://b.example.com"), ("allow", "everyone")], "url-error"),
        (vec![("name", "b"), ("url", "https://auth.example.com"), ("allow", "everyone")], "url-error"),
        (vec![("name", "b"), ("url", "https://b.example.com"), ("allow", "roles")], "allow-error"),
        (vec![("name", "b"), ("url", "https://b.example.com")], "allow-error"),
    ] {
        let refused = office.press(path, &fields);
        assert!(refused.status == 422 && refused.body.contains(part), "{part} {refused:?}");
        assert!(refused.body.contains(&format!("value=\"{}\"", fields[0].1)), "{refused:?}");
    }
    let bob = format!("{to}?user={BOB}");
    assert!(office.open(&bob).contains("may not use it"));
    assert_eq!(
        office.do_it(&format!("{to}/edit"), &[("url", "https://wiki.example.com"), ("allow", "everyone")]),
        (to.clone(), "The application is saved.".into())
    );
    assert!(office.open(&bob).contains("</bdi>: may use it"));
    let nobody = office.open_as(&office.root, &format!("{to}?user=nobody@example.com"));
    assert!(nobody.status == 422 && nobody.body.contains("user-error"), "{nobody:?}");
    // Whom an application lets in is told to those alone who may see accounts.
    let reader = office.holder("reader@example.com", &["apps:read"]);
    assert_eq!(office.open_as(&reader, &bob).status, 403);
    assert!(!office.open_as(&reader, &to).body.contains("name=\"user\""));

    assert_eq!(
        office.do_it(&format!("{to}/delete"), &[]),
        ("/auth/admin/apps".into(), "The application is gone.".into())
    );
    assert!(apps::find(&office.world.app, &operator(), &AppName::parse("wiki").unwrap()).is_err());
}

#[test]
fn signing_keys_are_shown_with_their_dates() {
    let office = Office::new();
    office.world.advance(Duration::from_secs(24 * 3600));
    let rotated = signing_keys::rotate(&office.world.app, &operator()).unwrap();
    let page = office.open("/auth/admin/signing-keys");
    let (old, new) = (rotated.previous.unwrap(), rotated.key);
    for key in [&old, &new] {
        let made = format!("<time datetime=\"{}\">", key.created_at);
        assert!(page.contains(&key.kid) && page.contains(&made), "{page}");
    }
    let until = old.retired.unwrap().keep_until;
    assert!(page.contains(&format!("<time datetime=\"{until}\">")), "{page}");
    assert!(page.contains(">Signs<") && page.contains(">Verifies what it signed<"), "{page}");
}

#[test]
fn a_mail_that_failed_is_tried_again_and_its_text_is_not_shown() {
    let office = Office::new();
    let ann = "ann@example.com";
    office.world.register(ann).unwrap();
    let link = office.world.token_in_mail(ann);
    let id = office.world.mails(ann)[0].id;
    let never = Err(Undelivered::Permanent("the server said <b>550</b>".into()));
    Delivery::new(&office.world.app, &Told::answers([never])).deliver_due().unwrap();
    let list = "/auth/admin/mails";
    for path in [list.to_owned(), format!("{list}?state=failed")] {
        let page = office.open(&path);
        assert!(page.contains(ann) && page.contains("Confirm your e-mail address"), "{page}");
        assert!(page.contains("the server said &lt;b&gt;550"), "{page}");
        assert!(!page.contains(&link), "{page}");
    }
    assert!(office.open(&format!("{list}?state=sent")).contains("Nothing was found."));
    let odd = office.open_as(&office.root, &format!("{list}?state=odd"));
    assert!(odd.status == 422 && odd.body.contains("state-error"), "{odd:?}");

    let retry = format!("{list}/{id}/retry");
    // Whoever may only see accounts has no button, and no way past it.
    let reader = office.holder("reader@example.com", &["users:read"]);
    assert!(!office.open_as(&reader, list).body.contains(&retry));
    assert_eq!(office.press_as(&reader, &retry, &[]).status, 403);
    assert_eq!(office.do_it(&retry, &[]), (list.into(), "The mail is being tried again.".into()));
    assert_eq!(office.count("MailRetried"), 1);

    Delivery::new(&office.world.app, &Told::default()).deliver_due().unwrap();
    let late = office.press(&retry, &[]);
    assert!(late.status == 409 && late.body.contains("This mail was sent meanwhile."), "{late:?}");
    assert!(!office.open(list).contains(&retry), "there is nothing left to try");
    assert_eq!(office.press(&format!("{list}/x/retry"), &[]).status, 404);
}

#[test]
fn every_language_has_these_pages() {
    let office = Office::new();
    office.world.add_user(BOB, &[]);
    for (tag, word) in
        [("de", "Benutzer"), ("es", "Usuarios"), ("fr", "Utilisateurs"), ("zh-Hans", "用户"), ("en", "Users")]
    {
        let page = office.open(&format!("/auth/admin/users?query=b&lang={tag}"));
        assert!(page.contains(&format!("<html lang=\"{tag}\">")), "{tag}");
        assert!(page.contains(&format!("<h1>{word}</h1>")), "{tag}: {page}");
        assert!(page.contains("?query=b&amp;lang=fr"), "another language keeps what was asked for: {page}");
    }
}
