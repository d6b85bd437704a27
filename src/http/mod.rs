//! The daemon's face: what authd says over HTTP. Authorization is the use-cases'; this room parses
//! requests, authenticates them, calls one use-case each, and writes the answer.

pub mod message;
pub mod server;
