//! What a process has used so far, from `/proc`.

use std::fs;
use std::time::Duration;

use crate::fault::Fault;

// The unit of the CPU times in /proc/PID/stat, USER_HZ: 100 a second on every Linux architecture but Alpha.
const TICK: Duration = Duration::from_millis(10);
const UTIME_AFTER_NAME: usize = 11;

/// The usage of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU time of all its threads, ended ones included; in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// The most memory it had resident, in bytes, since it started or since [`reset_peak`].
    pub(crate) peak_resident_bytes: u64,
}

/// Reads the usage of a process.
pub(crate) fn read(pid: u32) -> Result<Usage, Fault> {
    let file = |name: &'static str| {
        fs::read_to_string(format!("/proc/{pid}/{name}"))
            .map_err(|source| Fault::Process { pid, source })
    };
    let unclear = |file| Fault::ProcessFormat { pid, file };
    Ok(Usage {
        cpu: cpu_time(&file("stat")?).ok_or(unclear("stat"))?,
        peak_resident_bytes: peak_resident_bytes(&file("status")?).ok_or(unclear("status"))?,
    })
}

/// Makes the peak begin anew (proc(5), `clear_refs`, value 5), so that each measurement has its own.
pub(crate) fn reset_peak(pid: u32) -> Result<(), Fault> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5")
        .map_err(|source| Fault::Process { pid, source })
}

fn cpu_time(stat: &str) -> Option<Duration> {
    // The name is in parentheses and may itself hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(UTIME_AFTER_NAME);
    let user: u32 = times.next()?.parse().ok()?;
    let system: u32 = times.next()?.parse().ok()?;
    TICK.checked_mul(user.checked_add(system)?)
}

fn peak_resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
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
    fn the_peak_is_in_bytes() {
        assert_eq!(
            peak_resident_bytes("VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\n"),
            Some(2 * 1024 * 1024)
        );
        assert_eq!(peak_resident_bytes("VmPeak:\t 9 kB\n"), None);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(read(std::process::id()).unwrap().peak_resident_bytes > 0);
    }
}
