//! HTML out of templates, which escape whatever they are given. Built-in ones are compiled at the first page;
//! an operator's, which take their place file by file, when the daemon starts.

use crate::error::Fault;
use crate::usecase::app::{html, template_folder};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value};
use std::path::Path;
use std::sync::OnceLock;

macro_rules! templates {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("templates/", $name)))),*] };
}

/// Every file that there is, by its name, as it is built in.
const BUILT_IN: &[(&str, &str)] = templates![
    "layout.html",
    "macros.html",
    "message.html",
    "gate_again.html",
    "gate_not_allowed.html",
    "link.html",
    "link_request.html",
    "register.html",
    "sign_in.html",
    "sign_out.html",
    "account_macros.html",
    "account.html",
    "account_name.html",
    "account_email.html",
    "account_password.html",
    "two_factor.html",
    "recovery_codes.html",
    "recovery_codes_once.html",
    "sessions.html",
    "activity.html",
    "account_delete.html",
    "confirm.html",
    "admin.html",
    "admin_add_api_key.html",
    "admin_add_user.html",
    "admin_api_key.html",
    "admin_api_keys.html",
    "admin_app.html",
    "admin_apps.html",
    "admin_audit.html",
    "admin_edit_app.html",
    "admin_edit_role.html",
    "admin_edit_user.html",
    "admin_macros.html",
    "admin_permissions.html",
    "admin_registrations.html",
    "admin_role.html",
    "admin_roles.html",
    "admin_sessions.html",
    "admin_signing_keys.html",
    "admin_sure.html",
    "admin_user.html",
    "admin_user_roles.html",
    "admin_users.html",
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
        render(built_in(), template, context).expect("a test opens every page")
    }
}

fn render(of: &Environment<'_>, template: &str, context: &Value) -> Result<String, Error> {
    of.get_template(template)?.render(context)
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

fn built_in() -> &'static Environment<'static> {
    static COMPILED: OnceLock<Environment<'static>> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let mut environment = empty();
        for (name, source) in BUILT_IN {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_template_compiles() {
        assert_eq!(built_in().templates().count(), BUILT_IN.len());
    }
}
