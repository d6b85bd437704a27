//! The one test binary: a file a feature.

mod config;
