//! What all of these pages have: the row of tabs, lists that go on, and the page that asks once more.

use crate::domain::access::{Actor, OWN_PERMISSIONS};
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use form_urlencoded::Serializer;
use minijinja::{Value, context};

/// How many rows a list shows at once.
pub const ROWS: u32 = 50;

/// A subject, which has a list of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tab {
    Users,
    Sessions,
    Roles,
    ApiKeys,
    Apps,
    Audit,
    Mails,
    SigningKeys,
}

impl Tab {
    /// In the order shown.
    const ALL: [Self; 8] = [
        Self::Users,
        Self::Sessions,
        Self::Roles,
        Self::Apps,
        Self::ApiKeys,
        Self::Audit,
        Self::Mails,
        Self::SigningKeys,
    ];

    /// Where its list is.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Users => "/auth/admin/users",
            Self::Sessions => "/auth/admin/sessions",
            Self::Roles => "/auth/admin/roles",
            Self::ApiKeys => "/auth/admin/api-keys",
            Self::Apps => "/auth/admin/apps",
            Self::Audit => "/auth/admin/audit",
            Self::Mails => "/auth/admin/mails",
            Self::SigningKeys => "/auth/admin/signing-keys",
        }
    }

    /// Who may see that.
    pub const fn permission(self) -> &'static str {
        match self {
            Self::Users | Self::Mails => "users:read",
            Self::Sessions => "sessions:read",
            Self::Roles => "roles:read",
            Self::ApiKeys | Self::SigningKeys => "keys:write",
            Self::Apps => "apps:read",
            Self::Audit => "audit:read",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Users => "admin_tabs.users",
            Self::Sessions => "admin_tabs.sessions",
            Self::Roles => "admin_tabs.roles",
            Self::ApiKeys => "admin_tabs.api_keys",
            Self::Apps => "admin_tabs.apps",
            Self::Audit => "admin_tabs.audit",
            Self::Mails => "admin_tabs.mails",
            Self::SigningKeys => "admin_tabs.signing_keys",
        }
    }

    /// Finds the first that somebody may see. `None`: they may see none.
    pub fn first_for(actor: &Actor) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| actor.may(tab.permission()))
    }
}

/// Answers with a page under a tab. It knows as `may` what its reader may do (`users_read` for `users:read`).
pub fn page(visit: &mut Visit<'_>, tab: Tab, status: u16, template: &str, page: Value) -> Response {
    let actor = &visit.caller.actor;
    let seen = Tab::ALL.into_iter().filter(|tab| actor.may(tab.permission()));
    let tabs: Vec<_> = seen
        .map(|one| context! { path => one.path(), text => visit.text(one.text()), current => one == tab })
        .collect();
    let may = Value::from_pairs(OWN_PERMISSIONS.map(|own| (own.replace(':', "_"), actor.may(own))));
    visit.page(status, template, context! { tabs, may, ..page })
}

/// The texts of what is listed, for a template.
pub fn texts(all: &[impl ToString]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// Words to choose from, which mean themselves.
pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    words.into_iter().map(|word| context! { value => word, text => word }).collect()
}

/// Where a list goes on, with what it was filtered by. `None`: its end is here.
pub fn further(path: &str, filters: &[(&str, &str)], cursor: &str, next: Option<&str>) -> Option<String> {
    let next = next?;
    let mut query = Serializer::new(String::new());
    query.extend_pairs(filters.iter().filter(|(_, value)| !value.is_empty()));
    query.append_pair(cursor, next);
    Some(format!("{path}?{}", query.finish()))
}

/// What is asked once more before it is done, on a page of its own. Its form goes to the path of that page.
#[derive(Debug)]
pub struct Question {
    pub tab: Tab,
    /// Of the texts: `title`, `text`, `button`.
    pub section: &'static str,
    /// What it is about, as people know it.
    pub about: String,
    /// Where to go instead.
    pub back: String,
    /// A text besides, by its name.
    pub warning: Option<&'static str>,
}

/// Asks. `complaint`: why it was not done.
pub fn ask(visit: &mut Visit<'_>, question: &Question, complaint: Option<String>) -> Response {
    let Question { tab, section, about, back, warning } = question;
    let text = |name: &str| visit.text(&format!("{section}.{name}"));
    let status = if complaint.is_some() { 422 } else { 200 };
    let asked = context! {
        title => text("title"),
        text => text("text"),
        button_text => text("button"),
        about,
        back,
        warning => warning.map(|key| visit.text(key)).unwrap_or_default(),
        complaint => complaint.unwrap_or_default(),
    };
    page(visit, *tab, status, "admin_sure.html", asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_with_its_filters() {
        let filters = [("query", "a&b"), ("role", "")];
        let link = further("/auth/admin/users", &filters, "after", Some("c"));
        assert_eq!(link.as_deref(), Some("/auth/admin/users?query=a%26b&after=c"));
        assert_eq!(further("/auth/admin/users", &filters, "after", None), None);
    }

    #[test]
    fn tabs_are_for_permissions_that_there_are() {
        for tab in Tab::ALL {
            assert!(OWN_PERMISSIONS.contains(&tab.permission()), "{tab:?}");
        }
    }
}
