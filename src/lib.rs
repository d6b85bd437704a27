//! authd: an authentication server in one binary and one SQLite file.
//!
//! The rooms, in reading order. Each may use only those named in its line; `tests/it/tidy.rs`
//! reads the `use` lines and holds this.
//!
//! | room | owns | may import |
//! | --- | --- | --- |
//! | [`domain`] | values and rules, no I/O | value crates |
//! | [`counters`] | how often and how long, in plain atomics without names | value crates |
//! | [`error`], [`ports`] | what can go wrong; the outside world as traits | domain |
//! | [`config`] | file, environment and flags as typed values, each with its origin | domain, error, ports |
//! | [`crypto`] | password hashes, tokens, secrets at rest | domain, counters, error, ports |
//! | [`store`] | all SQL and the write transaction | domain, counters, error, ports |
//! | [`usecase`] | what authd can do: one function an action, one transaction each | all of the above |
//! | [`views`] | how objects look as JSON, one file a subject | usecase, domain, config, error |
//! | [`transport`] | bytes to bounded requests and back, the only room that names hyper | config, counters, error |
//! | [`web`] | what happens to every request of both HTTP faces, and what every answer carries | usecase, domain, config, error, ports, transport |
//! | [`api`] | the daemon's face to programs | web, views, usecase, domain, config, error, ports, transport |
//! | [`pages`] | the daemon's face to people, where mails lead | web, views, usecase, domain, config, error, ports, transport |
//! | [`metrics`] | the daemon's face to Prometheus, on an address of its own | usecase, counters, config, error, transport |
//! | [`cli`] | the operator's face | web, views, usecase, domain, config, error, ports |
//!
//! `cli/serve.rs` alone may name `api`, `pages`, `metrics` and `transport`, because `authd serve` is a
//! command like any other.

#![forbid(unsafe_code)]

pub mod counters;
pub mod domain;
pub mod error;
pub mod ports;

pub mod config;
pub mod crypto;
pub mod store;

pub mod usecase;
pub mod views;

pub mod transport;
pub mod web;

pub mod api;
pub mod cli;
pub mod metrics;
pub mod pages;
