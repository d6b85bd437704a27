//! The pages for people: every link leads somewhere, and every example is on a page.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The pages, in `docs/` and beside it.
fn pages() -> Vec<PathBuf> {
    let beside = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let all = beside.filter(|path| path.is_file()).chain(files(&root().join("docs")));
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
    for page in pages() {
        for target in links(&page) {
            assert!(target.exists(), "{} leads to {}", page.display(), target.display());
        }
    }
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
