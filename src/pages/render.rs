//! HTML out of templates, which escape whatever they are given. Built-in ones are compiled when they are
//! first needed; an operator's, which take their place file by file, when the daemon starts.

use crate::error::Fault;
use crate::usecase::app::{html, template_folder};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use std::path::Path;
use std::sync::OnceLock;

// Every file that there is, by its name, as it is built in: `build.rs` makes it of the files in `templates/`.
include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The built-in templates that are kept as they were compiled: those that others extend and import, and what
/// strangers may open as often as they like. Each takes some 20 kB of memory, and a tenth of a millisecond to
/// compile, so any other is compiled for each of its answers.
const KEPT: &[&str] = &[
    "layout.html",
    "macros.html",
    "account_macros.html",
    "admin.html",
    "admin_macros.html",
    "admin_permissions.html",
    "message.html",
    "sign_in.html",
];

/// Makes HTML of pages.
#[derive(Debug)]
pub struct Renderer {
    /// `None`: no file is overridden.
    overridden: Option<Environment<'static>>,
}

impl Renderer {
    /// Reads the templates that an operator has put into `folder`. `None`: there are none.
    ///
    /// # Errors
    /// [`Fault::Config`] with file and line of what can't be read or parsed, or has no template's name.
    pub fn new(folder: Option<&Path>) -> Result<Self, Fault> {
        let overridden = folder.map(overridden).transpose()?;
        Ok(Self { overridden })
    }

    /// Renders a template. One of the operator's that fails is logged, and the built-in one shown.
    #[must_use]
    pub fn render(&self, template: &str, context: &Value) -> String {
        if let Some(environment) = &self.overridden {
            match render(environment, template, context) {
                Ok(html) => return html,
                // Nobody is locked out for want of a nice page.
                Err(error) => {
                    tracing::error!(template, %error, "page template failed; the built-in one is used");
                }
            }
        }
        render_built_in(template, context).expect("a test opens every page")
    }
}

fn render(of: &Environment<'_>, template: &str, context: &Value) -> Result<String, Error> {
    of.get_template(template)?.render(context)
}

fn render_built_in(template: &str, context: &Value) -> Result<String, Error> {
    if KEPT.contains(&template) {
        return render(kept(), template, context);
    }
    let unknown = || Error::new(ErrorKind::TemplateNotFound, format!("there is no template {template}"));
    kept().template_from_named_str(template, source(template).ok_or_else(unknown)?)?.render(context)
}

/// The built-in template of this name. `None`: there is none.
fn source(template: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(name, _)| *name == template).map(|(_, source)| *source)
}

/// An environment that holds nothing yet.
fn empty() -> Environment<'static> {
    let mut environment = Environment::new();
    // Whatever a template is given is text, not markup.
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(html::format_value);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the delimiters are minijinja's own"));
    environment
}

fn kept() -> &'static Environment<'static> {
    static COMPILED: OnceLock<Environment<'static>> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let mut environment = empty();
        for name in KEPT {
            let source = source(name).expect("a test looks for each");
            environment.add_template(name, source).expect("a test compiles every built-in template");
        }
        environment
    })
}

fn overridden(folder: &Path) -> Result<Environment<'static>, Fault> {
    let names = || BUILT_IN.iter().map(|(name, _)| *name);
    let advice = || {
        format!("no page has a template of this name; there are {}", names().collect::<Vec<_>>().join(", "))
    };
    let is_known = |name: &str| names().any(|known| known == name);
    template_folder::check_names(folder, "pages.templates", &[".html"], is_known, advice)?;
    let mut environment = empty();
    for (name, built_in) in BUILT_IN {
        let source = template_folder::read(folder, name, built_in)?;
        environment.add_template_owned(*name, source).map_err(|error| {
            let line = error.line().map_or_else(String::new, |line| format!(":{line}"));
            Fault::Config(format!("{}{line}: {error}", folder.join(name).display()))
        })?;
    }
    Ok(environment)
}

/// How many bytes of the binary the templates take, their names included.
#[cfg(test)]
pub(super) fn size() -> usize {
    BUILT_IN.iter().map(|(name, source)| name.len() + source.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_template_compiles_and_needs_none_that_is_not_kept() {
        assert_eq!(kept().templates().count(), KEPT.len());
        for (name, source) in BUILT_IN {
            assert!(!source.contains("{#"), "{name} has its comments");
            if let Err(error) = kept().template_from_named_str(name, source) {
                panic!("{name}: {error}");
            }
            for (needed, _) in BUILT_IN.iter().filter(|(other, _)| source.contains(&format!("\"{other}\""))) {
                assert!(KEPT.contains(needed), "{name} needs {needed}");
            }
        }
    }
}
