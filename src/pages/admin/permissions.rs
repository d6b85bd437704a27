//! Permissions as they are chosen for a role or a key: a box for each of authd's own, and a field for those
//! of other programs.

use super::inputs::Mistakes;
use crate::domain::access::OWN_PERMISSIONS;
use crate::domain::role::Permission;
use crate::pages::form::Form;
use crate::pages::visit::Visit;
use minijinja::{Value, context};

/// The list of the boxes that are ticked.
pub const OWN: &str = "permission";
/// The field for all others.
pub const OTHERS: &str = "other_permissions";

/// What was chosen, as it is shown again.
#[derive(Debug, Default)]
pub struct Chosen {
    own: Vec<String>,
    others: String,
}

impl Chosen {
    /// What a form has; what it doesn't let through is shown again all the same.
    pub fn of(form: &Form) -> Self {
        Self { own: form.list(OWN).map(str::to_owned).collect(), others: form.text(OTHERS).to_owned() }
    }

    /// What a role holds.
    pub fn held(permissions: &[Permission]) -> Self {
        let is_own = |held: &&Permission| OWN_PERMISSIONS.contains(&held.as_str());
        let (own, others): (Vec<&Permission>, Vec<&Permission>) = permissions.iter().partition(is_own);
        let texts = |some: Vec<&Permission>| some.into_iter().map(ToString::to_string).collect::<Vec<_>>();
        Self { own: texts(own), others: texts(others).join("\n") }
    }

    /// Reads them; none of those and a mistake beside the field where one is no permission.
    pub fn read(&self, visit: &Visit<'_>, mistakes: &mut Mistakes) -> Vec<Permission> {
        let others = self.others.split(|letter: char| letter.is_whitespace() || letter == ',');
        let all = self.own.iter().map(String::as_str).chain(others.filter(|text| !text.is_empty()));
        let mut read = Vec::new();
        for text in all {
            match Permission::parse(text) {
                Ok(permission) => read.push(permission),
                Err(_) => {
                    mistakes.beside(OTHERS, visit.text("admin_invalid.permissions"));
                    return Vec::new();
                }
            }
        }
        read.sort();
        read.dedup();
        read
    }

    /// For a template: the boxes, and what stands in the field. Nobody is offered what they don't hold and
    /// could not give.
    pub fn shown(&self, visit: &Visit<'_>) -> Value {
        let is_ticked = |own: &str| self.own.iter().any(|ticked| ticked == own);
        let offered = OWN_PERMISSIONS.into_iter().filter(|own| visit.may(own) || is_ticked(own));
        let boxes: Vec<_> = offered
            .map(|own| context! { name => own, text => visit.text(&text_of(own)), ticked => is_ticked(own) })
            .collect();
        context! { boxes, others => self.others.as_str() }
    }
}

fn text_of(own: &str) -> String {
    format!("permission.{}", own.replace(':', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::language::Language;

    #[test]
    fn every_permission_of_ours_is_explained() {
        for own in OWN_PERMISSIONS {
            assert!(Language::ENGLISH.text(&text_of(own)).is_some(), "{own}");
        }
    }
}
