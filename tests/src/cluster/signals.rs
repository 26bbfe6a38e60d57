//! Signals to processes and to their children, by process id.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::HarnessError;

const POLL: Duration = Duration::from_millis(5);

/// Sends a signal. A process that has ended is no error.
///
/// # Errors
/// The process belongs to another user.
pub fn send(process: u32, signal: Signal) -> Result<(), HarnessError> {
    let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    match kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(HarnessError::io("send a signal")(error.into())),
    }
}

/// The processes whose parent this is, in no order.
///
/// # Errors
/// `/proc` cannot be read.
pub fn children(parent: u32) -> Result<Vec<u32>, HarnessError> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").map_err(HarnessError::io("list processes"))? {
        let entry = entry.map_err(HarnessError::io("list processes"))?;
        let Some(process) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if stat(process).is_some_and(|(_, of)| of == parent) {
            found.push(process);
        }
    }
    Ok(found)
}

/// Waits until a process that is not our child has ended.
pub fn await_end(process: u32) {
    while stat(process).is_some_and(|(state, _)| state != 'Z') {
        std::thread::sleep(POLL);
    }
}

/// State and parent; `None` if the process has ended.
fn stat(process: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn finds_signals_and_awaits_a_child() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        assert!(children(std::process::id()).unwrap().contains(&child.id()));
        send(child.id(), Signal::STOP).unwrap();
        send(child.id(), Signal::KILL).unwrap();
        await_end(child.id());
        child.wait().unwrap();
        send(child.id(), Signal::KILL).unwrap();
    }
}
