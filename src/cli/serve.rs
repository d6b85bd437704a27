//! `serve`: starts the daemon. The only file of this room that may name the HTTP face.

use super::Context;
use super::exit::Failure;
use clap::Args;

/// Run the daemon
///
/// Creates the database, the key file and the signing key where there are none. Ends within 5 seconds of
/// SIGTERM or SIGINT, after the requests that are under way.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authd serve
  authd serve --listen 127.0.0.1:8080
  authd serve --listen unix:/run/authd/authd.sock")]
pub struct Serve {
    /// Take connections here: HOST:PORT, unix:PATH, or systemd
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

impl Serve {
    /// `None`: as the configuration says.
    #[must_use]
    pub fn listen(&self) -> Option<&str> {
        self.listen.as_deref()
    }

    /// # Errors
    /// Always, as yet: the HTTP face is not in this branch.
    pub fn run(&self, _context: &Context) -> Result<(), Failure> {
        Err(Failure::Usage("this build has no daemon yet".into()))
    }
}
