//! A browser that has signed in on a page.

use crate::daemon::{Answer, Daemon};
use crate::world::{PASSWORD, World, anonymous};
use authd::domain::caller::Caller;
use authd::usecase::session::browser::SessionCookie;

/// What it keeps of that.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The session's cookie.
    pub value: String,
    pub csrf: String,
}

impl Browser {
    /// Signs in as a page does, where no second factor is on; the box "stay signed in" is not ticked.
    pub fn sign_in(daemon: &Daemon, email: &str) -> Self {
        Self::of(&begin(&daemon.world, &anonymous(), email, false))
    }

    pub fn of(cookie: &SessionCookie) -> Self {
        Self { value: cookie.value.expose().clone(), csrf: cookie.csrf.clone() }
    }

    pub fn cookie(&self) -> String {
        format!("__Host-authd_session={}", self.value)
    }

    /// What its pages send with whatever changes anything.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("cookie", self.cookie()), ("x-csrf-token", self.csrf.clone())]
    }

    /// Sends with the cookie and the session's value; `body` is JSON or empty.
    pub fn send(&self, daemon: &Daemon, method: &str, path: &str, body: &str) -> Answer {
        let own = self.headers();
        let mut headers: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.extend((!body.is_empty()).then_some(crate::daemon::JSON));
        daemon.send(method, path, &headers, body.as_bytes())
    }

    /// The status of looking at one's account.
    pub fn me(&self, daemon: &Daemon) -> u16 {
        daemon.send("GET", "/api/auth/me", &[("cookie", &self.cookie())], b"").status
    }
}

/// Begins a browser's session where no second factor is on.
pub fn begin(world: &World, caller: &Caller, email: &str, remember: bool) -> SessionCookie {
    let started = world.first_step(caller, email, PASSWORD).unwrap().started().unwrap();
    started.session_cookie(&world.app, remember)
}
