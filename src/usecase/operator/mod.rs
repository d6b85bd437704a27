//! What whoever runs authd does beside accounts: backups, imports, exports, figures, the doctor.

mod alone;
pub mod apply;
pub mod backup;
mod backup_mac;
pub mod calibrate;
pub mod complete;
pub mod database;
pub mod doctor;
pub mod export;
pub mod figures;
pub mod fleet;
pub mod health;
pub mod import;
pub mod lifecycle;
pub mod move_database;
pub mod prune;
pub mod restore;
pub mod short_id;
pub mod transfer_format;
mod unclaimed;
pub mod version;
