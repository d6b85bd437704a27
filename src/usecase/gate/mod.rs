//! The gate: which applications there are behind it, who may use each, and why.

pub mod apps;
pub mod enter;
pub mod judge;
