//! Applications in `apply`: each has a place of its own, and only who has a role that is there may use it.

use crate::apply::{done, plan, state};
use crate::daemon::Daemon;
use crate::world::{World, operator};
use authd::domain::application::AppName;
use authd::error::{Error, Refusal};
use authd::usecase::gate::apps;
use authd::usecase::operator::apply;
use authd::usecase::operator::apply::{Fate, NotListed};

/// Entries of applications that everybody may use: names with their hosts.
fn apps_at(places: &[(&str, &str)]) -> String {
    let entry = |(name, host): &(&str, &str)| {
        format!("{{ name = \"{name}\", url = \"https://{host}.example.com\", allow_everyone = true }},\n")
    };
    format!("apps = [\n{}]", places.iter().map(entry).collect::<String>())
}

/// The plan in words.
fn told(world: &World, file: &str, not_listed: NotListed) -> Vec<String> {
    let changes = plan(world, file, not_listed).unwrap().changes;
    changes
        .iter()
        .map(|change| {
            format!("{} {} {}", change.action.name(), change.name, change.says()).trim_end().to_owned()
        })
        .collect()
}

#[test]
fn who_may_use_an_application_is_the_files_to_say() {
    let world = World::new();
    let file = |rule: &str| {
        format!(
            "roles = [{{ name = \"a\" }}, {{ name = \"b\" }}]\n[[apps]]\nname = \"wiki\"\nurl = \"https://wiki.example.com\"\n{rule}"
        )
    };
    let apply = |rule: &str| {
        let told = told(&world, &file(rule), NotListed::Keep);
        done(&world, &file(rule), NotListed::Keep).unwrap();
        assert_eq!(plan(&world, &file(rule), NotListed::Keep).unwrap().changes, []);
        told.last().unwrap().clone()
    };
    assert_eq!(apply("allow_roles = [\"b\", \"a\"]"), "add wiki roles: a, b; at https://wiki.example.com");
    let made = apps::find(&world.app, &operator(), &AppName::parse("wiki").unwrap()).unwrap();
    world.advance(std::time::Duration::from_secs(60));
    assert_eq!(apply("allow_roles = [\"b\"]\nallow_everyone = false"), "change wiki -a");
    assert_eq!(apply("allow_everyone = true\nallow_roles = []"), "change wiki -b; for everyone");
    assert_eq!(apply("allow_roles = [\"a\"]"), "change wiki +a; no longer for everyone");
    assert_eq!(apply("allow_roles = [\"a\", \"b\"]"), "change wiki +b");
    let now = apps::find(&world.app, &operator(), &made.name).unwrap();
    assert_eq!(now, made, "it is the same application");

    let kept = plan(&world, "apps = []", NotListed::Keep).unwrap();
    assert_eq!(
        (kept.spared[0].count, kept.spared[0].nouns[1], kept.spared[0].fate),
        (1, "applications", Fate::Removed)
    );
    let lines = world.events().len();
    assert_eq!(told(&world, "apps = []", NotListed::Remove), ["remove wiki"]);
    done(&world, "apps = []", NotListed::Remove).unwrap();
    assert_eq!(world.events()[lines..], ["AppDeleted"]);
}

#[test]
fn the_gate_judges_by_what_the_file_says() {
    let daemon = Daemon::with(&[]);
    let token = daemon.token_of("ann@example.com", &[]);
    let answer = |file: &str| {
        done(&daemon.world, file, NotListed::Remove).unwrap();
        daemon.send_as(&token, "GET", "/api/auth/verify?app=wiki", "").status
    };
    let file =
        |rule: &str| format!("apps = [{{ name = \"wiki\", url = \"https://wiki.example.com\", {rule} }}]");
    assert_eq!(answer(&file("allow_everyone = true")), 200);
    assert_eq!(answer(&file("allow_roles = [\"admin\"]")), 403);
    assert_eq!(answer("apps = []"), 422);
}

#[test]
fn an_application_moves_in_once_another_has_moved_out() {
    let world = World::new();
    done(&world, &apps_at(&[("a", "one"), ("b", "two"), ("c", "three")]), NotListed::Keep).unwrap();
    // Against the order of the file: c leaves first.
    let shifted = apps_at(&[("d", "one"), ("a", "two"), ("b", "three"), ("c", "four")]);
    let moves = [
        "change c at https://four.example.com",
        "change b at https://three.example.com",
        "change a at https://two.example.com",
        "add d for everyone; at https://one.example.com",
    ];
    let mut sorted = told(&world, &shifted, NotListed::Keep);
    assert_eq!(sorted[0], moves[0], "the others can't go before");
    sorted.sort();
    let mut all = moves.map(str::to_owned);
    all.sort();
    assert_eq!(sorted, all);
    done(&world, &shifted, NotListed::Keep).unwrap();
    assert_eq!(plan(&world, &shifted, NotListed::Keep).unwrap().changes, []);
    // What is in the way is removed before, and the rest after.
    let fewer = apps_at(&[("e", "one"), ("a", "two")]);
    let expected = ["remove d", "add e for everyone; at https://one.example.com", "remove b", "remove c"];
    assert_eq!(told(&world, &fewer, NotListed::Remove), expected);
    done(&world, &fewer, NotListed::Remove).unwrap();
    assert_eq!(plan(&world, &fewer, NotListed::Remove).unwrap().changes, []);
}

#[test]
fn two_applications_have_no_place_together() {
    let world = World::new();
    done(&world, &apps_at(&[("a", "one"), ("b", "two")]), NotListed::Keep).unwrap();
    let before = state(&world);
    let refused = |file: &str| plan(&world, file, NotListed::Keep).unwrap_err();
    let twice = refused(&apps_at(&[("c", "three"), ("d", "THREE")]));
    let Error::Refused(Refusal::Invalid(errors)) = twice else { panic!("{twice:?}") };
    assert_eq!((errors[0].field.as_str(), errors[0].code), ("apps[1].url", "repeated"));
    let says =
        "line 3, application d: https://three.example.com is the url of c (line 2); each has one of its own";
    assert_eq!(errors[0].message, says);

    let conflict = |reason: &str| Error::Refused(Refusal::Conflict { reason: reason.into() });
    let stays = "line 2, application c: the application a stands at https://one.example.com; \
        name another url, or list that one too, at another";
    assert_eq!(refused(&apps_at(&[("c", "one")])), conflict(stays));
    let swap = "line 3, application b: the application a stands at https://one.example.com; \
        it waits in a circle for others to leave; give one of them another url first";
    assert_eq!(refused(&apps_at(&[("a", "two"), ("b", "one")])), conflict(swap));
    // By either scheme it is the same place.
    let schemes = "apps = [{ name = \"x\", url = \"https://localhost:9000\", allow_everyone = true },
        { name = \"y\", url = \"http://localhost:9000\", allow_everyone = true }]";
    assert!(matches!(refused(schemes), Error::Refused(Refusal::Invalid(_))));
    assert_eq!(state(&world), before);
}

#[test]
fn none_stands_where_authd_does() {
    let world = World::with(&[("public_url", "https://auth.example.com")]);
    let refused = plan(&world, &apps_at(&[("wiki", "wiki"), ("own", "auth")]), NotListed::Keep);
    let Err(Error::Refused(Refusal::Invalid(wrong))) = refused else { panic!("{refused:?}") };
    assert!(wrong[0].message.starts_with("line 3, application own: authd itself stands there"), "{wrong:?}");
}

#[test]
fn a_rule_is_one_of_two() {
    let wrong = |rule: &str| {
        let file = format!("[[apps]]\nname = \"wiki\"\nurl = \"https://wiki.example.com\"\n{rule}");
        match apply::parse(&file) {
            Err(Refusal::Invalid(errors)) if errors.len() == 1 => (errors[0].field.clone(), errors[0].code),
            other => panic!("{rule}: {other:?}"),
        }
    };
    for (rule, field, code) in [
        ("", "allow_roles", "missing"),
        ("allow_everyone = false", "allow_roles", "missing"),
        ("allow_roles = []", "allow_roles", "missing"),
        ("allow_roles = [\"a\"]\nallow_everyone = true", "allow_everyone", "conflict"),
        ("allow_roles = \"a\"", "allow_roles", "wrong_type"),
        ("allow_roles = [\"A\"]", "allow_roles", "invalid"),
        ("allow_everyone = 1", "allow_everyone", "wrong_type"),
    ] {
        assert_eq!(wrong(rule), (format!("apps[0].{field}"), code), "{rule}");
    }
}

#[test]
fn a_role_must_be_there_when_all_is_done() {
    let world = World::new();
    done(&world, "roles = [{ name = \"editor\" }, { name = \"old\" }]", NotListed::Keep).unwrap();
    let entry = |role: &str| {
        format!(
            "apps = [\n{{ name = \"wiki\", url = \"https://wiki.example.com\", allow_roles = [\"{role}\"] }}]\n"
        )
    };
    let unknown = |file: &str, says: &str| {
        let refused = plan(&world, file, NotListed::Remove).unwrap_err();
        assert_eq!(refused, Error::Refused(Refusal::not_found("role", says)));
    };
    unknown(&entry("edtor"), "edtor (line 2, application wiki; did you mean editor?)");
    // As long as the file says nothing of roles, all stay.
    assert_eq!(told(&world, &entry("old"), NotListed::Remove).len(), 1);
    let removes = |section: String| section + "roles = [{ name = \"editor\" }]";
    let says = "; the file's roles leave it out, so it is removed)";
    unknown(&removes(entry("old")), &format!("old (line 2, application wiki{says}"));
    let without = plan(&world, &removes(entry("old")), NotListed::Keep).unwrap();
    assert_eq!(without.changes.len(), 1, "nothing is removed unless that is asked for");
}
