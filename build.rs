//! Packs what pages are made of, so that little of it is in the binary and nothing has to be read when the
//! daemon runs: the texts of all languages under one list of names, and the templates without their comments.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const TEXTS: &str = "src/pages/texts";
const TEMPLATES: &str = "src/pages/templates";

const WRITTEN: &str = "memory takes whatever is written";

/// The texts of a language, by `section.name`.
type Texts = BTreeMap<String, String>;

#[allow(clippy::print_stdout, reason = "that is how Cargo is told")]
fn main() {
    for folder in [TEXTS, TEMPLATES] {
        println!("cargo::rerun-if-changed={folder}");
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("Cargo says where"));
    fs::write(out.join("texts.rs"), texts()).expect("Cargo's folder takes files");
    fs::write(out.join("templates.rs"), templates()).expect("Cargo's folder takes files");
}

/// The files of a folder with this ending, by their names without it.
fn files(folder: &str, ending: &str) -> BTreeMap<String, String> {
    let read = |path: &Path| {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{} can't be read: {error}", path.display()))
    };
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder} can't be read: {error}"));
    let paths = entries.map(|entry| entry.expect("a folder that was opened can be listed").path());
    let name = |path: &Path| Some(path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned());
    paths.filter_map(|path| Some((name(&path)?, read(&path)))).collect()
}

/// `NAMES`, in order, and `LANGUAGES`: for each its tag and its texts in the order of the names, each as all
/// of them in one piece, deflated, and where each ends. A text that a language lacks is empty. Offsets, not
/// slices: those would have to be filled in when the program starts, in memory of its own.
fn texts() -> String {
    let languages: BTreeMap<String, Texts> =
        files(TEXTS, ".toml").into_iter().map(|(tag, source)| (tag.clone(), read(&tag, &source))).collect();
    let names: BTreeSet<&String> = languages.values().flat_map(BTreeMap::keys).collect();
    let (all, ends) = packed(names.iter().map(|name| name.as_str()));
    let mut code = format!("const NAMES: Names = Names {{ all: {all:?}, ends: &{ends:?} }};\n");
    writeln!(code, "static LANGUAGES: [(&str, Texts); {}] = [", languages.len()).expect(WRITTEN);
    for (tag, texts) in &languages {
        let (all, ends) = packed(names.iter().map(|name| texts.get(*name).map_or("", String::as_str)));
        writeln!(code, "({tag:?}, Texts::new(&{:?}, &{ends:?})),", deflated(&all)).expect(WRITTEN);
    }
    code + "];\n"
}

fn read(tag: &str, source: &str) -> Texts {
    let sections: BTreeMap<String, Texts> =
        toml::from_str(source).unwrap_or_else(|error| panic!("{TEXTS}/{tag}.toml: {error}"));
    let of_section = |(section, texts): (String, Texts)| {
        texts.into_iter().map(move |(name, text)| (format!("{section}.{name}"), text))
    };
    sections.into_iter().flat_map(of_section).collect()
}

/// All of them in one piece, and where each ends.
fn packed<'t>(texts: impl Iterator<Item = &'t str>) -> (String, Vec<u16>) {
    let (mut all, mut ends) = (String::new(), Vec::new());
    for text in texts {
        all.push_str(text);
        ends.push(u16::try_from(all.len()).expect("the texts of a language take less than 64 KiB"));
    }
    (all, ends)
}

fn deflated(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect(WRITTEN)
}

/// `BUILT_IN`: each template by the name of its file.
fn templates() -> String {
    let mut code = String::from("const BUILT_IN: &[(&str, &str)] = &[\n");
    for (name, source) in files(TEMPLATES, ".html") {
        writeln!(code, "({:?}, {:?}),", format!("{name}.html"), without_comments(&source)).expect(WRITTEN);
    }
    code + "];\n"
}

/// A template without `{# … #}` and the empty lines that this leaves.
fn without_comments(source: &str) -> String {
    let mut parts = source.split("{#");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, after) = part.split_once("#}").expect("a comment of a template ends");
        kept.push_str(after);
    }
    kept.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}
