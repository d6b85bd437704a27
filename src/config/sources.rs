//! Where settings come from, and which variables of the environment are no settings though they look it.

use crate::error::Fault;
use std::net::IpAddr;
use std::path::PathBuf;

const PREFIX: &str = "AUTHD_";

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`; `None` looks at `AUTHD_CONFIG`, then for [`super::HERE`] and the machine's file.
    pub file: Option<PathBuf>,
    /// Only `AUTHD_*` and `CREDENTIALS_DIRECTORY` are looked at.
    pub env: Vec<(String, String)>,
    /// The key, the flag as it was written (`--listen`), and its value.
    pub flags: Vec<(&'static str, String, String)>,
    /// What relative paths count from, save those in the file, which count from the file's folder.
    pub cwd: PathBuf,
}

impl Sources {
    /// The sources of this process: its environment and its current folder.
    ///
    /// # Errors
    /// [`Fault::Config`] for a variable of authd's that is not UTF-8, [`Fault::Internal`] when the
    /// current folder is gone.
    pub fn of_process(
        file: Option<PathBuf>,
        flags: Vec<(&'static str, String, String)>,
    ) -> Result<Self, Fault> {
        let cwd = std::env::current_dir()
            .map_err(|error| Fault::Internal(format!("the current folder: {error}")))?;
        let mut env = Vec::new();
        for (name, value) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if !is_ours(&name) {
                continue;
            }
            let value = value
                .into_string()
                .map_err(|_| Fault::Config(format!("environment {name}: must be UTF-8")))?;
            env.push((name, value));
        }
        Ok(Self { file, env, flags, cwd })
    }

    /// Gives the value of a variable. `None`: it is not set, or empty.
    #[must_use]
    pub fn variable(&self, wanted: &str) -> Option<&str> {
        self.env
            .iter()
            .find(|(name, value)| name == wanted && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Lists the variables that are settings, or misspelt: the variable, the key's name in it, the value.
    pub fn settings(&self) -> impl Iterator<Item = (&str, String, &str)> {
        let ours = self.env.iter().filter(|(name, value)| {
            name.starts_with(PREFIX)
                && name != "AUTHD_CONFIG"
                && !is_service_link(&name[PREFIX.len()..], value)
        });
        ours.map(|(variable, value)| {
            let name = variable[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
            (variable.as_str(), name, value.as_str())
        })
    }
}

fn is_ours(variable: &str) -> bool {
    variable.starts_with(PREFIX) || variable == "CREDENTIALS_DIRECTORY"
}

/// Whether Kubernetes sets the variable in every container beside a service whose name begins with `authd`:
/// no mistake, then. `rest` is what follows the prefix. What it is told by is the value, too, so that a
/// misspelt `AUTHD_MAIL__SMPT_PORT` still is one.
fn is_service_link(rest: &str, value: &str) -> bool {
    let is_url = || ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let is_port = || value.parse::<u16>().is_ok();
    let is_host = || value.parse::<IpAddr>().is_ok();
    // With the service's own name or without: `authd-web` gives `WEB_PORT`, `authd` gives `PORT`.
    let parts: Vec<&str> = rest.split('_').collect();
    (0..parts.len()).any(|from| match parts[from..] {
        ["SERVICE", "HOST"] | ["PORT", _, "TCP" | "UDP" | "SCTP", "ADDR"] => is_host(),
        ["SERVICE", "PORT", ..] | ["PORT", _, "TCP" | "UDP" | "SCTP", "PORT"] => is_port(),
        ["PORT"] | ["PORT", _, "TCP" | "UDP" | "SCTP"] => is_url(),
        ["PORT", _, "TCP" | "UDP" | "SCTP", "PROTO"] => ["tcp", "udp", "sctp"].contains(&value),
        _ => false,
    })
}
