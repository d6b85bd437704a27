//! One test binary, a file a feature.

mod man;
