//! What a process has used so far, from `/proc`.

use std::fs;
use std::time::Duration;

use crate::fault::Fault;

// The unit of the CPU times in /proc/PID/stat, USER_HZ: 100 a second on every Linux architecture but Alpha.
const TICK: Duration = Duration::from_millis(10);
const UTIME_AFTER_NAME: usize = 11;
const PARENT_AFTER_NAME: usize = 1;

/// The usage of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU time of all its threads, ended ones included; in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// The most memory it had resident, in bytes, since it started or since [`reset_peak`].
    pub(crate) peak_resident_bytes: u64,
    /// The memory that it has resident now, in bytes.
    pub(crate) resident_bytes: u64,
}

/// Reads the usage of a process.
pub(crate) fn read(pid: u32) -> Result<Usage, Fault> {
    let file = |name: &'static str| {
        fs::read_to_string(format!("/proc/{pid}/{name}"))
            .map_err(|source| Fault::Process { pid, source })
    };
    let unclear = |file| Fault::ProcessFormat { pid, file };
    let status = file("status")?;
    let memory = |name| memory_bytes(&status, name).ok_or(unclear("status"));
    Ok(Usage {
        cpu: cpu_time(&file("stat")?).ok_or(unclear("stat"))?,
        peak_resident_bytes: memory("VmHWM:")?,
        resident_bytes: memory("VmRSS:")?,
    })
}

/// Reads the usage of a process and all its descendants: that of a server with workers. Memory that they share counts for
/// each of them.
pub(crate) fn read_tree(pid: u32) -> Result<Usage, Fault> {
    let mut total = read(pid)?;
    for descendant in descendants(pid, &parents()?) {
        // One that has ended since has no usage.
        if let Ok(usage) = read(descendant) {
            total.cpu += usage.cpu;
            total.peak_resident_bytes += usage.peak_resident_bytes;
            total.resident_bytes += usage.resident_bytes;
        }
    }
    Ok(total)
}

/// Makes the peak of a process and its descendants begin anew (proc(5), `clear_refs`, value 5), so that each measurement
/// has its own.
pub(crate) fn reset_peak(pid: u32) -> Result<(), Fault> {
    let mut all = descendants(pid, &parents()?);
    all.push(pid);
    all.into_iter().try_for_each(|pid| {
        fs::write(format!("/proc/{pid}/clear_refs"), "5")
            .map_err(|source| Fault::Process { pid, source })
    })
}

/// Every process with its parent.
fn parents() -> Result<Vec<(u32, u32)>, Fault> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        if let Some(parent) = stat.as_deref().and_then(parent) {
            parents.push((pid, parent));
        }
    }
    Ok(parents)
}

fn descendants(pid: u32, parents: &[(u32, u32)]) -> Vec<u32> {
    let mut found = Vec::new();
    let mut unvisited = vec![pid];
    while let Some(parent) = unvisited.pop() {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        let children = children.map(|(child, _)| *child);
        for child in children {
            found.push(child);
            unvisited.push(child);
        }
    }
    found
}

fn parent(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(PARENT_AFTER_NAME);
    fields.next()?.parse().ok()
}

fn cpu_time(stat: &str) -> Option<Duration> {
    // The name is in parentheses and may itself hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(UTIME_AFTER_NAME);
    let user: u32 = times.next()?.parse().ok()?;
    let system: u32 = times.next()?.parse().ok()?;
    TICK.checked_mul(user.checked_add(system)?)
}

/// A figure of /proc/PID/status, in bytes.
fn memory_bytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_does_not_move_the_fields() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 31 0 0 20 0 3 0 1 2 3";
        assert_eq!(cpu_time(stat), Some(Duration::from_millis(2810)));
        assert_eq!(cpu_time("42 (a) S 1"), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        let status = "VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(memory_bytes(status, "VmHWM:"), Some(2 * 1024 * 1024));
        assert_eq!(memory_bytes(status, "VmRSS:"), Some(1024));
        assert_eq!(memory_bytes("VmPeak:\t 9 kB\n", "VmHWM:"), None);
    }

    #[test]
    fn descendants_are_those_of_all_generations() {
        let parents = [(2, 1), (5, 4), (4, 2), (3, 1), (7, 6)];
        let mut found = descendants(2, &parents);
        found.sort_unstable();
        assert_eq!(found, [4, 5]);
        assert_eq!(parent("42 (a ) b) S 17 42 42"), Some(17));
    }

    #[test]
    fn this_process_has_memory() {
        assert!(read(std::process::id()).unwrap().peak_resident_bytes > 0);
    }
}
