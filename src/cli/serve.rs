//! `serve`: starts the daemon. The only file of this room that may name the other faces.

use super::Context;
use super::exit::Failure;
use super::log;
use super::supervisor::Supervisor;
use crate::api::router::Router;
use crate::error::Fault;
use crate::metrics::Metrics;
use crate::pages::Pages;
use crate::transport::{Running, Server, Settings, Stopper};
use crate::usecase::app::database_lock::Served;
use crate::usecase::app::files;
use crate::usecase::app::worker::{self, Worker};
use crate::usecase::app::{App, IfMissing, Ports};
use crate::usecase::audit::sealing;
use crate::usecase::keys::api_key_uses;
use crate::usecase::mail::{delivery_worker, link_requests};
use crate::usecase::operator::{fleet, lifecycle, prune};
use crate::usecase::session::session_uses;
use crate::usecase::signin::{hash_costs, locked_tries};
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;

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
    /// The address that `--listen` gives. `None`: as the configuration says.
    #[must_use]
    pub fn listen(&self) -> Option<&str> {
        self.listen.as_deref()
    }

    /// Serves until a signal ends it.
    ///
    /// # Errors
    /// What keeps the database from being opened, or the server from listening.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        // First of all, so that a signal during the start stops the daemon in order, too.
        let signals = Signals::new([SIGTERM, SIGINT])
            .map_err(|error| Fault::Internal(format!("signals can't be caught: {error}")))?;
        let config = context.loaded()?.config;
        files::prepare_folder(&config)?;
        // Of a database on a server there may be several.
        let _served = config.database.path().map(Served::begin).transpose()?;
        let app = Arc::new(App::open(config, Ports::real(), IfMissing::Create)?);
        context.welcome(&app)?;
        context.warn_of_weak_settings(&app.config);
        log::start(&app.config.log);
        // Before anybody is served: who registers must get mail.
        let workers = start_workers(&app)?;
        let router = Arc::new(Router::new(Arc::clone(&app)));
        let pages = Arc::new(Pages::before(Arc::clone(&app), router)?);
        let running = Server::start(&app.config.listen, Settings::from(&app.config), pages)?;
        let metrics = Metrics::start(&app, running.pressure())?;
        if let Some(metrics) = &metrics {
            context.terminal().note(&format!("metrics at {}/metrics", metrics.address()));
        }
        context.terminal().note(&format!("listening on {}", running.address()));
        // A disk that is full keeps nobody from being served.
        if let Err(error) = lifecycle::started(&app, &running.address().to_string()) {
            tracing::warn!(%error, "the audit log can't be told of the start");
        }
        let watchdog = running.watchdog();
        let all_respond = move |patience| watchdog.all_respond(patience);
        let supervisor = Supervisor::ready(&app, all_respond, &running.address().to_string())?;
        let stoppers =
            [Some(&running), metrics.as_ref()].into_iter().flatten().map(Running::stopper).collect();
        stop_on_signal(signals, stoppers, supervisor)?;
        running.wait()?;
        metrics.map_or(Ok(()), Running::wait)?;
        worker::stop_all(workers);
        if let Err(error) = lifecycle::stopped(&app) {
            tracing::warn!(%error, "the audit log can't be told of the end");
        }
        context.terminal().note("stopped");
        Ok(())
    }
}

/// What goes on in the background while the daemon serves.
fn start_workers(app: &Arc<App>) -> Result<Vec<Worker>, Fault> {
    let mut workers = vec![
        link_requests::start(app)?,
        prune::start(app)?,
        api_key_uses::start(app)?,
        session_uses::start(app)?,
        locked_tries::start(app)?,
        hash_costs::start(app)?,
    ];
    workers.extend(delivery_worker::start(app)?);
    workers.extend(sealing::start(app)?);
    workers.extend(fleet::start(app)?);
    Ok(workers)
}

/// The first signal stops the servers in order; a second one ends the program at once.
fn stop_on_signal(mut signals: Signals, stoppers: Vec<Stopper>, supervisor: Supervisor) -> Result<(), Fault> {
    let wait = move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            stoppers.iter().for_each(Stopper::stop);
            supervisor.stopping();
        }
        if let Some(signal) = signals.next() {
            // To the first process of a container the kernel does nothing of itself.
            if std::process::id() == 1 {
                signal_hook::low_level::exit(128 + signal);
            }
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    };
    let spawned = std::thread::Builder::new().name("signals".into()).spawn(wait);
    spawned.map(|_| ()).map_err(|error| Fault::Internal(format!("can't start the signals' thread: {error}")))
}
