//! authd: an authentication server in one binary and one SQLite file.
//!
//! The rooms, in reading order. Each may use only those named in its line; `tests/it/tidy`
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
//! | [`oidc`] | OpenID Connect and OAuth 2.0 as a client speaks them, no I/O | domain, config |
//! | [`webauthn`] | WebAuthn as a relying party speaks it, no I/O | domain |
//! | [`usecase`] | what authd can do: one function an action, one transaction each | all of the above |
//! | [`views`] | how objects look as JSON, one file a subject | usecase, domain, config, error |
//! | [`transport`] | bounded requests out of bytes; it alone names hyper | domain, config, counters, error |
//! | [`web`] | what holds for all requests and answers | usecase, domain, config, error, ports, transport |
//! | [`api`] | the daemon's face to programs | web, views, usecase, domain, config, error, ports, transport |
//! | [`pages`] | the daemon's face to people | web, views, usecase, domain, config, error, ports, transport |
//! | [`metrics`] | the daemon's face to Prometheus | usecase, counters, config, error, transport |
//! | [`cli`] | the operator's face | web, views, usecase, domain, config, error, ports |
//!
//! Requests of both HTTP faces, `api` and `pages`, go through `web`; mails lead to `pages`; `metrics` has an
//! address of its own.
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
pub mod oidc;
pub mod store;
pub mod webauthn;

pub mod usecase;
pub mod views;

pub mod transport;
pub mod web;

pub mod api;
pub mod cli;
pub mod metrics;
pub mod pages;
