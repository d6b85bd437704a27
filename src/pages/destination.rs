//! Where signing in leads, as the sign-in page is told and as its forms carry it on.

use super::return_to::{ACCOUNT, listed, origin, own_page};
use super::stop::Stop;
use super::visit::Visit;
use crate::domain::application::{AppName, Application};
use crate::domain::return_path;
use crate::usecase::gate::enter::StateHash;
use crate::usecase::gate::judge::{self, Asked};
use data_encoding::BASE64URL_NOPAD;
use form_urlencoded::Serializer;

/// The fields by which the sign-in page is told; its forms carry them on as its address does.
const APP: &str = "app";
const STATE: &str = "state";
const RETURN_TO: &str = "return_to";

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    /// The account, for want of a wish, or one that is not granted.
    Account,
    /// One of authd's own pages.
    OwnPage(String),
    /// An address that `redirects.allowed` lists.
    Listed(String),
    App(AppDestination),
}

/// An application's host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppDestination {
    pub application: Application,
    /// Of the browser that began there. `None`: it has not begun.
    pub state: Option<StateHash>,
    /// A path there.
    pub return_to: String,
}

impl Destination {
    /// Reads it from the query.
    ///
    /// # Errors
    /// The store's.
    pub fn of(visit: &Visit<'_>) -> Result<Self, Stop> {
        Self::read(visit, |name| visit.query(name))
    }

    /// Reads it from the query that [`Destination::carried_by`] wrote.
    ///
    /// # Errors
    /// The store's.
    pub fn of_query(visit: &Visit<'_>, query: &str) -> Result<Self, Stop> {
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
        };
        Self::read(visit, value)
    }

    fn read(visit: &Visit<'_>, value: impl Fn(&str) -> Option<String>) -> Result<Self, Stop> {
        let wish = value(RETURN_TO).unwrap_or_default();
        if let Some(application) = application(visit, value(APP))? {
            let state = value(STATE).and_then(|text| hash(&text));
            // A path, or the whole address at that origin.
            let path = wish.strip_prefix(application.origin.as_str()).unwrap_or(&wish);
            let return_to = return_path::parse(path).unwrap_or("/").to_owned();
            return Ok(Self::App(AppDestination { application, state, return_to }));
        }
        let page = own_page(&wish).map(Self::OwnPage);
        let listed = || listed(&visit.app.config, &wish).map(Self::Listed);
        Ok(page.or_else(listed).unwrap_or(Self::Account))
    }

    /// The address to go on to once somebody is signed in. An application's is the sign-in page once more,
    /// which then judges whether they may use it.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Account => ACCOUNT.to_owned(),
            Self::OwnPage(url) | Self::Listed(url) => url.clone(),
            Self::App(_) => self.carried_by("/auth/sign-in"),
        }
    }

    /// The origin that a form leads to in the end, where it isn't authd's own.
    #[must_use]
    pub fn foreign_origin(&self) -> Option<&str> {
        match self {
            Self::Account | Self::OwnPage(_) => None,
            Self::Listed(url) => origin(url),
            Self::App(app) => Some(app.application.origin.as_str()),
        }
    }

    /// The application's host, for people. `None`: it is none.
    #[must_use]
    pub fn app_host(&self) -> Option<&str> {
        match self {
            Self::App(app) => Some(app.application.origin.host()),
            Self::Account | Self::OwnPage(_) | Self::Listed(_) => None,
        }
    }

    /// The address of a page that is to lead there in the end.
    #[must_use]
    pub fn carried_by(&self, path: &str) -> String {
        let mut query = Serializer::new(String::new());
        match self {
            Self::Account => return path.to_owned(),
            Self::OwnPage(url) | Self::Listed(url) => query.append_pair(RETURN_TO, url),
            Self::App(app) => {
                query.append_pair(APP, app.application.name.as_str());
                if let Some(state) = &app.state {
                    query.append_pair(STATE, &BASE64URL_NOPAD.encode(state));
                }
                query.append_pair(RETURN_TO, &app.return_to)
            }
        };
        format!("{path}?{}", query.finish())
    }
}

impl AppDestination {
    /// The address of the sign-in page that leads there.
    #[must_use]
    pub fn sign_in(self, public_url: &str) -> String {
        Destination::App(self).carried_by(&format!("{public_url}/auth/sign-in"))
    }
}

/// The application of a name. `None`: it names none, or none that there is.
fn application(visit: &Visit<'_>, name: Option<String>) -> Result<Option<Application>, Stop> {
    let name = name.and_then(|name| AppName::parse(&name).ok());
    Ok(judge::find(visit.app, &name.map_or(Asked::Nothing, Asked::ByName))?)
}

fn hash(text: &str) -> Option<StateHash> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()
}
