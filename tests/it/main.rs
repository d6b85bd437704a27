//! The one test binary: a file a feature, and `world`, in which they play.

mod accounts;
mod config;
mod jwt;
mod sessions;
mod store;
mod values;
mod world;
