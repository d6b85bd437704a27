//! The one test binary: a file a feature, and `world`, in which they play.

mod config;
mod jwt;
mod man;
mod sessions;
mod values;
mod world;
