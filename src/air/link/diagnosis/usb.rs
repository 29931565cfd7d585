//! Readers on USB: who has them, the daemon, the kernel or another program.

use super::machine::UsbDevice;
use super::{Finding, Surroundings};
use crate::air::link::{KnownReader, ReachedBy};

/// The class of smart-card readers, CCID.
const CCID: u8 = 0x0B;
/// Modules of the kernel that take chips of readers for themselves, and what to unload with them.
const KERNEL_DRIVERS: &[&str] = &["pn533_usb", "port100"];
/// Programs that open readers themselves, by the beginnings of their names.
const RIVALS: &[(&str, &str)] = &[
    ("nfc-", "libnfc's tools"),
    ("pn53x-", "libnfc's tools"),
    ("mifare-", "libfreefare's tools"),
    ("neard", "the NFC daemon neard"),
];

/// Drivers of the kernel that hold a reader, or would.
pub(super) fn kernel_drivers(around: &Surroundings) -> Vec<Finding> {
    let modules = around.machine.modules();
    let devices = around.machine.usb();
    let mut found = Vec::new();
    for module in KERNEL_DRIVERS.iter().filter(|module| modules.iter().any(|loaded| loaded == *module)) {
        let remedy = format!(
            "as root: modprobe -r {module}; for good: echo 'blacklist {module}' > /etc/modprobe.d/cardwright.conf; \
             then plug the reader in again, or restart pcscd"
        );
        let held: Vec<&UsbDevice> = devices
            .iter()
            .filter(|device| device.interfaces.iter().any(|(_, driver)| driver.as_deref() == Some(module)))
            .collect();
        if held.is_empty() {
            let what =
                format!("the kernel's driver {module} is loaded: it takes such a reader before pcscd can");
            found.push(Finding::note("kernel-driver", what, remedy.clone()));
        }
        for device in held {
            let what = format!(
                "the kernel's driver {module} holds {}: pcscd and libnfc cannot have it",
                words(device)
            );
            found.push(Finding::trouble("kernel-holds", what, remedy.clone()));
        }
    }
    found
}

/// Readers that are plugged in and that the daemon does not show.
pub(super) fn readers_without_driver(around: &Surroundings) -> Vec<Finding> {
    if around.library.is_err() || !around.readers().is_empty() {
        return Vec::new();
    }
    let known = KnownReader::all();
    let is_reader = |device: &UsbDevice| {
        device.interfaces.iter().any(|(class, _)| *class == CCID)
            || known.iter().any(|known| known.is_at_usb(&device.id))
    };
    let is_held = |device: &UsbDevice| {
        device
            .interfaces
            .iter()
            .any(|(_, driver)| driver.as_deref().is_some_and(|driver| KERNEL_DRIVERS.contains(&driver)))
    };
    let devices = around.machine.usb();
    let left = devices.iter().filter(|device| is_reader(device) && !is_held(device));
    let told = |device: &UsbDevice| {
        let unreached =
            known.iter().find(|known| known.is_at_usb(&device.id) && known.driver == ReachedBy::None);
        if let Some(known) = unreached {
            let what = format!(
                "{} is plugged in, a reader that neither PC/SC nor a driver of ours reaches",
                known.name
            );
            let instead = known.quirks.first().map_or("use another reader", |quirk| quirk.instead.as_str());
            return Finding::note("reader-unreached", what, instead);
        }
        let what = format!("{} is plugged in, and no PC/SC reader is there", words(device));
        let mut remedy = String::from(
            "on Debian: apt install pcscd libccid, then systemctl restart pcscd; a reader of ACS may need libacsccid1",
        );
        let quirks = known.iter().filter(|known| known.is_at_usb(&device.id)).flat_map(|known| &known.quirks);
        quirks.for_each(|quirk| remedy.push_str(&format!(". {} {}", quirk.what, quirk.instead)));
        Finding::trouble("reader-unseen", what, remedy)
    };
    left.map(told).collect()
}

/// Other programs that open readers themselves, beside a daemon that holds them.
pub(super) fn other_programs(around: &Surroundings) -> Vec<Finding> {
    let processes = around.machine.processes();
    let mut found = Vec::new();
    for process in &processes {
        let rival = RIVALS.iter().find(|(name, _)| process.name.starts_with(name));
        if let Some((_, whose)) = rival {
            let what = format!("{process} runs: {whose} and pcscd cannot have one reader at a time");
            found.push(Finding::trouble("rival", what, format!("end it: kill {}", process.id)));
        }
    }
    let has_libnfc = around.machine.has("/etc/nfc/libnfc.conf") || around.machine.has("/usr/bin/nfc-list");
    if has_libnfc && found.is_empty() && !around.readers().is_empty() {
        found.push(Finding::note(
            "libnfc",
            "libnfc is installed: its tools fail on a reader on USB (\"Unable to claim\") while pcscd has it",
            "to use them: systemctl stop pcscd.socket pcscd; start it again to come back here",
        ));
    }
    found
}

fn words(device: &UsbDevice) -> String {
    match device.product.as_str() {
        "" => format!("the USB device {}", device.id),
        product => format!("{product} (USB {})", device.id),
    }
}
