//! What the kernel says of this process, on Linux.

use std::fs;

/// Memory that is really there, in bytes. `None`: this system doesn't tell.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// How many files and sockets are open. `None`: this system doesn't tell.
#[must_use]
pub fn open_descriptors() -> Option<u64> {
    // The one that lists them is among them, and closed again by the time of the answer.
    let listed = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(listed).ok()?.checked_sub(1)
}
