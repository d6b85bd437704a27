//! usecase
