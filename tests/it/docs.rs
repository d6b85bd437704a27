//! The pages for people: every link leads somewhere, every file that is named is there, every example is on a
//! page, and every decision has its form.

use crate::config::Env;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The pages of what isn't Rust.
const OTHERS: [&str; 2] = ["clients/python/README.md", "examples/fastapi/README.md"];

/// The pages, in `docs/` and beside it.
fn pages() -> Vec<PathBuf> {
    let beside = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let others = OTHERS.iter().map(|page| root().join(page));
    let all = beside.filter(|path| path.is_file()).chain(files(&root().join("docs"))).chain(others);
    all.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The files that a page leads to.
fn links(page: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(page).unwrap();
    let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned());
    let local = targets.filter(|target| !target.contains("://"));
    local.map(|target| page.parent().unwrap().join(target.split('#').next().unwrap())).collect()
}

#[test]
fn every_link_leads_to_a_file() {
    let mut broken = Vec::new();
    for page in pages() {
        let gone = links(&page).into_iter().filter(|target| !target.exists());
        broken.extend(gone.map(|target| format!("{} leads to {}", page.display(), target.display())));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// The files of Rust and SQL that a page names between backquotes: from the project's folder, or from `src/`.
fn named(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_file = |span: &&str| {
        span.contains('/')
            && !span.contains([' ', '*', ':'])
            && Path::new(span).extension().is_some_and(|extension| extension == "rs" || extension == "sql")
    };
    spans.filter(is_file).map(str::to_owned).collect()
}

#[test]
fn every_file_that_is_named_is_there() {
    let is_there = |name: &String| ["", "src"].iter().any(|folder| root().join(folder).join(name).is_file());
    let mut broken = Vec::new();
    for page in pages().iter().filter(|page| !page.ends_with("CHANGELOG.md")) {
        let gone = named(page).into_iter().filter(|name| !is_there(name));
        broken.extend(gone.map(|name| format!("{} names {name}", page.display())));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

const PARTS: [&str; 5] = ["Context", "Measured", "Decided", "Costs", "Look again when"];

#[test]
fn every_decision_has_its_form_and_is_in_the_index() {
    let folder = root().join("docs/decisions");
    let index = links(&folder.join("README.md"));
    let mut decisions = files(&folder);
    decisions.retain(|page| !page.ends_with("README.md"));
    decisions.sort();
    for (number, page) in (1..).zip(&decisions) {
        let (name, text) = (page.file_name().unwrap().to_str().unwrap(), fs::read_to_string(page).unwrap());
        assert!(name.starts_with(&format!("{number:04}-")), "{name} is not the next number, {number}");
        assert!(text.starts_with(&format!("# {number:04}. ")), "{name}: its title is another's");
        let parts: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let expected = PARTS.into_iter().filter(|part| *part != "Measured" || parts.contains(part));
        assert!(parts.iter().copied().eq(expected), "{name} has the parts {parts:?}");
        assert!(index.contains(page), "the index lacks {name}");
    }
    assert!(decisions.len() > 30);
}

#[test]
fn every_example_is_on_a_page() {
    let linked: Vec<_> = pages().iter().flat_map(|page| links(page)).collect();
    for example in files(&root().join("docs/examples")) {
        assert!(linked.contains(&example), "no page leads to {}", example.display());
    }
}

/// A location of nginx with a header of its own inherits none, and passes on what the client claims.
#[test]
fn nginx_tells_authd_in_every_location_who_asks() {
    let text = fs::read_to_string(root().join("docs/examples/nginx/nginx.conf")).unwrap();
    let asking: Vec<_> =
        text.split("location ").skip(1).filter(|text| text.contains("proxy_pass http://authd")).collect();
    assert_eq!(asking.len(), 3);
    for location in asking {
        let own = location.split("\n        }").next().unwrap();
        assert!(own.contains("proxy_set_header X-Forwarded-For $remote_addr;"), "{own}");
    }
}

/// The tests that a page names between backquotes, as `module::name` under `tests/it`.
fn named_tests(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(|span| span.contains("::") && !span.contains([' ', '/', '('])).map(str::to_owned).collect()
}

#[test]
fn every_test_that_the_list_of_requirements_names_is_there() {
    let tests = named_tests(&root().join("docs/asvs.md"));
    assert!(tests.len() > 100, "{}", tests.len());
    let folder = root().join("tests/it");
    let is_there = |test: &String| {
        let (module, name) = test.rsplit_once("::").unwrap();
        let module = module.replace("::", "/");
        let files = [format!("{module}.rs"), format!("{module}/mod.rs")];
        let texts = files.iter().filter_map(|file| fs::read_to_string(folder.join(file)).ok());
        texts.into_iter().any(|text| text.contains(&format!("fn {name}(")))
    };
    let gone: Vec<_> = tests.iter().filter(|test| !is_there(test)).collect();
    assert!(gone.is_empty(), "{gone:#?}");
}

#[test]
fn the_list_of_requirements_counts_itself_right() {
    let text = fs::read_to_string(root().join("docs/asvs.md")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| V"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let of_levels_1_and_2: Vec<_> = rows.iter().filter(|row| row[2] == "1" || row[2] == "2").collect();
    let settled = of_levels_1_and_2.iter().filter(|row| row[3] == "holds" || row[3] == "not applicable");
    let sentence = format!(
        "Of the {} requirements of levels 1 and 2, {} are fulfilled",
        of_levels_1_and_2.len(),
        settled.count()
    );
    assert!(text.contains(&sentence), "{sentence}");
    for row in rows {
        assert!(["holds", "partly", "fails", "not applicable"].contains(&row[3]), "{row:?}");
    }
}

/// The blocks of a page that are written in a language.
fn blocks<'t>(page: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_configurations_of_the_page_on_passkeys_load() {
    let page = fs::read_to_string(root().join("docs/passkeys.md")).unwrap();
    let examples = blocks(&page, "toml");
    assert_eq!(examples.len(), 2);
    for example in examples {
        Env::new().toml(example).config();
    }
}
