//! The one test binary: a file a feature, and `world`, in which they play.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails best where it stands")]

mod accounts;
mod authenticator;
mod cli;
mod config;
mod cookies;
mod daemon;
mod http_contract;
mod install;
mod jwt;
mod limits;
mod lockout;
mod lockout_model;
mod mail;
mod man;
mod migration;
mod missing;
mod opening;
mod own_account;
mod pages;
mod passwords;
mod phone;
mod races;
mod readme;
mod second_factor_model;
mod service;
mod session_life;
mod sessions;
mod store;
mod tidy;
mod totp;
mod transport;
mod two_factor;
mod values;
mod world;
