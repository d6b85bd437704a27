//! What is so of a database that is a file alone: copies that are files, too, whose they are and who can read
//! them, disks that fail or are full, and schemas of before.

pub mod copies;
mod disk;
pub mod folders;
mod full_disk;
pub mod migrations;
pub mod owners;
mod readiness;
mod tampered;
