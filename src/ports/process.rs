//! What the kernel says of this process, on Linux.

use std::fs;

/// Memory that is really there, in bytes. `None`: this system doesn't tell.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let kib: u64 = status("VmRSS:")?.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// What the machine is called.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Whether the process lets a signal pass, as `nohup` has it from the start. Where the system doesn't tell:
/// no.
#[must_use]
pub fn ignores(signal: i32) -> bool {
    let ignored = status("SigIgn:").and_then(|mask| u64::from_str_radix(&mask, 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).is_ok_and(|bit| ignored.checked_shr(bit).is_some_and(|mask| mask & 1 == 1))
}

fn status(name: &str) -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().to_owned())
}

/// How many files and sockets are open. `None`: this system doesn't tell.
#[must_use]
pub fn open_descriptors() -> Option<u64> {
    // The one that lists them is among them, and closed again by the time of the answer.
    let listed = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(listed).ok()?.checked_sub(1)
}
