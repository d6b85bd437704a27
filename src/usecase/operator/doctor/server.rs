//! Asking a database server for what a file has none of: its version, the way to it, room for more daemons.

use super::Finding;
use crate::config::{Config, PostgresTls};
use crate::error::Error;
use crate::store::postgres::inspect::server_room;
use crate::usecase::app::App;

const CHECK: &str = "server";

/// The finding; none where the database is a file.
pub(super) fn look(app: &App) -> Option<Finding> {
    app.store.is_shared().then(|| Finding::of(CHECK, finding(app)))
}

fn finding(app: &App) -> Result<Finding, Error> {
    let room = app.store.read(|query| server_room(query))?;
    let wanted = u64::from(app.config.postgres.connections);
    let says = format!(
        "PostgreSQL {}, {}; {} of its {} connections are taken, and a daemon takes up to {wanted}",
        room.server_version,
        way(&app.config),
        room.taken,
        room.most
    );
    Ok(if room.most.saturating_sub(room.taken) < wanted {
        Finding::warn(
            CHECK,
            format!(
                "{says}: one more would not get them; raise the server's `max_connections`, or lower \
                 `postgres.connections`"
            ),
        )
    } else {
        Finding::ok(CHECK, says)
    })
}

/// There would be no connection if it were otherwise.
fn way(config: &Config) -> &'static str {
    match config.postgres.tls {
        PostgresTls::VerifyFull => "by TLS, with a certificate that is good",
        PostgresTls::Disable => "without TLS, on this machine",
    }
}
