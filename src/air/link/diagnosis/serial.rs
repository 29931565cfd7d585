//! Serial devices, where a PN532 board may be: whether this user may have them, and who has them.

use super::machine::Leave;
use super::{Finding, Surroundings};

/// Programs that take serial devices for themselves: what they do, and what to do.
const RIVALS: &[(&str, &str, &str)] = &[
    (
        "ModemManager",
        "asks every new serial device whether it is a modem, and disturbs a board for some seconds",
        "systemctl disable --now ModemManager, or wait half a minute after plugging in",
    ),
    (
        "brltty",
        "takes USB adapters with the chips CH340, CP210x and FTDI for Braille displays, and their /dev/ttyUSB goes",
        "on Debian: apt remove brltty; then plug the adapter in again",
    ),
];

/// The devices, and whether they can be used.
pub(super) fn devices(around: &Surroundings) -> Vec<Finding> {
    let machine = &around.machine;
    let told = |path: String| {
        if let Some(process) = machine.holders(&path).first() {
            let what = format!("{process} has {path}: a serial line is one program's at a time");
            return Finding::trouble("serial-held", what, "end it, or name another device");
        }
        match machine.leave(&path) {
            Some(Leave::Given) => Finding::fine(
                "serial",
                format!(
                    "{path} can be opened; `cardwright doctor --reader pn532:{path}` asks for a PN532 at it"
                ),
            ),
            Some(Leave::OfGroup(group)) => Finding::trouble(
                "serial-forbidden",
                format!("{path} is for the group {group}, which this user is not in"),
                format!("as root: adduser USER {group}; then log in again"),
            ),
            Some(Leave::Refused) | None => Finding::trouble(
                "serial-refused",
                format!("{path} cannot be opened by this user, whatever the group"),
                "as root: see who owns it (ls -l), and a udev rule of hardware/ for such devices",
            ),
        }
    };
    machine.serial_devices().into_iter().map(told).collect()
}

/// Programs that take serial devices.
pub(super) fn other_programs(around: &Surroundings) -> Vec<Finding> {
    let processes = around.machine.processes();
    let rival = |(name, what, remedy): &(&str, &str, &str)| {
        let process = processes.iter().find(|process| process.name == *name)?;
        Some(Finding::note("serial-rival", format!("{process} runs: it {what}"), *remedy))
    };
    RIVALS.iter().filter_map(rival).collect()
}
