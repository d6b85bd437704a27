//! Which file imports which, and the circles among them.
//!
//! An arrow goes from one file to another when code of the first names something of the second. What a
//! `mod.rs` only re-exports from a file beneath it counts as that file's. A parent and a child that it
//! declares may name one another; but from the child to the parent and back by way of other files is a
//! circle like any other.

use super::lexer::{read, without_tests};
use super::paths::{Module, Outline, module_of};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many circles of a tangle are shown, and how many of the arrows that most of its circles share.
const CIRCLES_SHOWN: usize = 12;
const ARROWS_SHOWN: usize = 3;

type Circle = Vec<usize>;

#[derive(Debug)]
pub struct Graph<'a> {
    paths: Vec<&'a str>,
    /// From each file to those that it names, each with the first path that names something of it.
    arrows: Vec<BTreeMap<usize, String>>,
    /// A parent and a child that it declares.
    families: BTreeSet<(usize, usize)>,
}

impl<'a> Graph<'a> {
    /// Of the files of `src/`, each with its text.
    pub fn of(files: &[(&'a str, &'a str)]) -> Self {
        let outlines: Vec<Outline> =
            files.iter().map(|(path, text)| Outline::of(path, &without_tests(&read(text)))).collect();
        let modules: BTreeMap<Module, usize> =
            files.iter().enumerate().map(|(at, (path, _))| (module_of(path), at)).collect();
        let mut graph = Self {
            paths: files.iter().map(|(path, _)| *path).collect(),
            arrows: vec![BTreeMap::new(); files.len()],
            families: BTreeSet::new(),
        };
        for (from, outline) in outlines.iter().enumerate() {
            for named in &outline.named {
                let Some(path) = outline.absolute(named) else {
                    continue;
                };
                if let Some(to) = file_of(&modules, &outlines, &path, 0).filter(|to| *to != from) {
                    let named = || format!("line {} names {}", named.line, path.join("::"));
                    graph.arrows[from].entry(to).or_insert_with(named);
                }
            }
            let children = outline.declared.iter().filter_map(|module| modules.get(module));
            graph.families.extend(children.map(|child| (from, *child)));
        }
        graph
    }

    /// One text for each tangle: the files in it, and its shortest circles.
    pub fn tangles(&self) -> Vec<String> {
        let circles = self.circles();
        let mut tangles: Vec<BTreeSet<usize>> = Vec::new();
        for circle in &circles {
            let mut tangle: BTreeSet<usize> = circle.iter().copied().collect();
            tangles.retain(|other| {
                let is_apart = other.is_disjoint(&tangle);
                if !is_apart {
                    tangle.extend(other);
                }
                is_apart
            });
            tangles.push(tangle);
        }
        tangles.iter().map(|tangle| self.describe(tangle, &circles)).collect()
    }

    fn describe(&self, tangle: &BTreeSet<usize>, circles: &BTreeSet<Circle>) -> String {
        let mut inside: Vec<&Circle> = circles.iter().filter(|circle| tangle.contains(&circle[0])).collect();
        inside.sort_by_key(|circle| circle.len());
        let mut text = format!("{} files import one another, circles: {}", tangle.len(), inside.len());
        for (count, (from, to)) in commonest(&inside).into_iter().take(ARROWS_SHOWN) {
            text.push_str(&format!("\n  by {} -> {}: {count}", self.paths[from], self.paths[to]));
        }
        for circle in inside.iter().take(CIRCLES_SHOWN) {
            text.push_str(&format!("\n  {}", self.paths[circle[0]]));
            for (from, to) in arrows_of(circle) {
                text.push_str(&format!("\n    -> {}: {}", self.paths[to], self.arrows[from][&to]));
            }
        }
        text
    }

    /// For each arrow the shortest circle that it is part of, beginning with the first of its files.
    fn circles(&self) -> BTreeSet<Circle> {
        let mut circles = BTreeSet::new();
        for (from, arrows) in self.arrows.iter().enumerate() {
            for to in arrows.keys() {
                if let Some(mut circle) = self.way_back(from, *to) {
                    let first =
                        circle.iter().enumerate().min_by_key(|(_, file)| **file).map_or(0, |(at, _)| at);
                    circle.rotate_left(first);
                    circles.insert(circle);
                }
            }
        }
        circles
    }

    /// The shortest circle that begins with the arrow `from` -> `to`; the way back from a child to its own
    /// parent, or from the parent to that child, needs a third file.
    fn way_back(&self, from: usize, to: usize) -> Option<Circle> {
        let are_family = self.families.contains(&(from, to)) || self.families.contains(&(to, from));
        let mut before = BTreeMap::from([(to, None)]);
        let mut queue = VecDeque::from([to]);
        while let Some(file) = queue.pop_front() {
            if file == from {
                let mut way = Vec::new();
                let mut last = before[&file];
                while let Some(file) = last {
                    way.push(file);
                    last = before[&file];
                }
                way.push(from);
                way.reverse();
                return Some(way);
            }
            for next in self.arrows[file].keys() {
                let is_barred = are_family && file == to && *next == from;
                if !is_barred && !before.contains_key(next) {
                    before.insert(*next, Some(file));
                    queue.push_back(*next);
                }
            }
        }
        None
    }
}

/// The arrows of a circle, the last one back to its beginning.
fn arrows_of(circle: &Circle) -> impl Iterator<Item = (usize, usize)> {
    circle.iter().copied().zip(circle.iter().copied().cycle().skip(1))
}

/// Every arrow with the number of circles that it is part of, the highest first.
fn commonest(circles: &[&Circle]) -> Vec<(usize, (usize, usize))> {
    let mut counts = BTreeMap::new();
    for arrow in circles.iter().flat_map(|circle| arrows_of(circle)) {
        *counts.entry(arrow).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(arrow, count)| (count, arrow)).collect();
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    counts
}

/// The file that holds what a path names: that of its longest module, or the one which that re-exports from.
fn file_of(
    modules: &BTreeMap<Module, usize>,
    outlines: &[Outline],
    path: &[&str],
    depth: usize,
) -> Option<usize> {
    let length = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let at = modules[&path[..length]];
    let outline = &outlines[at];
    let exported = path.get(length).and_then(|name| outline.imported(name));
    if let Some(origin) = exported.filter(|origin| depth < 8 && is_beneath(origin, &outline.module)) {
        return file_of(modules, outlines, &[&origin, &path[length + 1..]].concat(), depth + 1);
    }
    Some(at)
}

fn is_beneath(path: &[&str], module: &[&str]) -> bool {
    path.len() > module.len() + 1 && path.starts_with(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let graph = Graph::of(files);
        let all = graph.arrows.iter().enumerate();
        let shown = all.flat_map(|(from, to)| to.keys().map(move |to| (from, *to)));
        shown.map(|(from, to)| format!("{} {}", graph.paths[from], graph.paths[to])).collect()
    }

    #[test]
    fn a_circle_of_files_is_caught() {
        for files in [
            [
                ("src/a/b.rs", "use super::c::C;"),
                ("src/a/c.rs", "fn f() { crate::a::b::B::new() }"),
                ("src/d.rs", ""),
            ],
            [
                ("src/a.rs", "use crate::b::B;"),
                ("src/b.rs", "use crate::{c as d};"),
                ("src/c.rs", "mod e { use crate::a::A; }"),
            ],
            // A grandchild isn't the top's own child.
            [
                ("src/a/mod.rs", "mod b; use b::c::C;"),
                ("src/a/b/mod.rs", "mod c;"),
                ("src/a/b/c.rs", "use super::super::f;"),
            ],
            // From the parent by way of one child to the other.
            [
                ("src/a/mod.rs", "mod b; mod c; use b::f;"),
                ("src/a/b.rs", "use super::c::g;"),
                ("src/a/c.rs", "use super::H;"),
            ],
            // The parent of both stands outside of the circle.
            [
                ("src/a/mod.rs", "mod b; mod c; pub use b::B;"),
                ("src/a/b.rs", "use super::c::C;"),
                ("src/a/c.rs", "use super::B;"),
            ],
            // Out of the folder and back.
            [
                ("src/a/mod.rs", "mod b; use crate::d;"),
                ("src/a/b.rs", "use super::A;"),
                ("src/d.rs", "use crate::a::b::B;"),
            ],
        ] {
            let tangles = Graph::of(&files).tangles();
            assert_eq!(tangles.len(), 1, "{files:?} {tangles:?}");
        }
    }

    #[test]
    fn circles_apart_are_told_apart() {
        let files = [
            ("src/a.rs", "use crate::b::X;"),
            ("src/b.rs", "\nuse crate::a::Y;"),
            ("src/c.rs", "use crate::{d, a};"),
            ("src/d.rs", "use crate::c::Z;"),
        ];
        assert_eq!(
            Graph::of(&files).tangles(),
            [
                "2 files import one another, circles: 1\n  by src/a.rs -> src/b.rs: 1\n  by src/b.rs -> src/a.rs: 1\n  \
                 src/a.rs\n    -> src/b.rs: line 1 names b::X\n    -> src/a.rs: line 2 names a::Y",
                "2 files import one another, circles: 1\n  by src/c.rs -> src/d.rs: 1\n  by src/d.rs -> src/c.rs: 1\n  \
                 src/c.rs\n    -> src/d.rs: line 1 names d\n    -> src/c.rs: line 1 names c::Z",
            ]
        );
    }

    #[test]
    fn what_is_no_circle_is_let_be() {
        for files in [
            // A parent with its own child.
            [
                ("src/a/mod.rs", "mod b; use b::B;"),
                ("src/a/b.rs", "use super::A;"),
                ("src/c.rs", "use crate::a::B;"),
            ],
            // With two, which don't know one another.
            [
                ("src/a/mod.rs", "mod b; mod c; use b::f; use c::g;"),
                ("src/a/b.rs", "use super::A;"),
                ("src/a/c.rs", "use super::A;"),
            ],
            // What is re-exported is the child's.
            [
                ("src/a/mod.rs", "mod b; mod c; pub use b::B; use c::C;"),
                ("src/a/b.rs", ""),
                ("src/a/c.rs", "use super::B;"),
            ],
            // Tests may look where they like.
            [
                ("src/a.rs", "use crate::b::X;"),
                ("src/b.rs", "#[cfg(test)] mod tests { use crate::a::Y; }"),
                ("src/c.rs", ""),
            ],
            // One way round only.
            [("src/a.rs", "use crate::{b, c};"), ("src/b.rs", "use crate::c;"), ("src/c.rs", "use std::a;")],
        ] {
            assert_eq!(Graph::of(&files).tangles(), Vec::<String>::new(), "{files:?}");
        }
    }

    #[test]
    fn an_arrow_ends_at_the_file_that_has_the_thing() {
        let files = [
            ("src/a/mod.rs", "mod b; mod c; pub use self::b::{B as D, deep};"),
            ("src/a/b/mod.rs", "mod deep; pub use deep::E;"),
            ("src/a/b/deep.rs", ""),
            ("src/a/c.rs", "use super::D; fn f() { super::b::E::x(); super::deep::y() }"),
            ("src/d.rs", "use crate::a::{A, D}; use crate::a as e; fn f() { e::c::z() }"),
        ];
        assert_eq!(
            arrows(&files),
            [
                "src/a/mod.rs src/a/b/mod.rs",
                "src/a/mod.rs src/a/b/deep.rs",
                "src/a/b/mod.rs src/a/b/deep.rs",
                "src/a/c.rs src/a/b/mod.rs",
                "src/a/c.rs src/a/b/deep.rs",
                "src/d.rs src/a/mod.rs",
                "src/d.rs src/a/b/mod.rs",
                "src/d.rs src/a/c.rs",
            ]
        );
    }
}
