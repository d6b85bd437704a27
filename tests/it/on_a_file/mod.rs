//! What is so of a database that is a file alone.

mod growth;
mod migration;
