//! The machine as its files show it: `/proc`, `/sys`, `/dev` and `/etc` below a root. Nothing is
//! judged here, and what cannot be read is not there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of a machine.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    root: PathBuf,
}

/// A program that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub id: u32,
    /// The program's name, at most 15 bytes of it.
    pub name: String,
    /// The words of its command line.
    pub words: Vec<String>,
}

/// A device on USB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UsbDevice {
    /// Vendor and product, `VVVV:PPPP` in capitals.
    pub id: String,
    pub product: String,
    /// Class of each interface, and the kernel's driver that has it.
    pub interfaces: Vec<(u8, Option<String>)>,
}

/// Whether this user may read and write a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leave {
    Given,
    /// The group that has leave.
    OfGroup(String),
    Refused,
}

impl Machine {
    pub(super) fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// A path of the machine below its root.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    pub(super) fn has(&self, path: &str) -> bool {
        // A link whose aim is away is there, too.
        fs::symlink_metadata(self.at(path)).is_ok()
    }

    /// The kernel's modules that are loaded.
    pub(super) fn modules(&self) -> Vec<String> {
        let text = text(&self.at("/proc/modules")).unwrap_or_default();
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    /// The programs that run, oldest number first.
    pub(super) fn processes(&self) -> Vec<Process> {
        let mut ids: Vec<u32> =
            names(&self.at("/proc")).iter().filter_map(|name| name.parse().ok()).collect();
        ids.sort_unstable();
        let process = |id: u32| {
            let name = text(&self.at(&format!("/proc/{id}/comm")))?.trim().to_owned();
            let line = text(&self.at(&format!("/proc/{id}/cmdline"))).unwrap_or_default();
            let words = line.split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect();
            Some(Process { id, name, words })
        };
        ids.into_iter().filter_map(process).collect()
    }

    /// The programs that have a file open, as far as this user may see it.
    pub(super) fn holders(&self, path: &str) -> Vec<Process> {
        let holds = |process: &Process| {
            let folder = self.at(&format!("/proc/{}/fd", process.id));
            names(&folder)
                .iter()
                .any(|name| fs::read_link(folder.join(name)).is_ok_and(|aim| aim == Path::new(path)))
        };
        self.processes().into_iter().filter(holds).collect()
    }

    /// The devices on USB.
    pub(super) fn usb(&self) -> Vec<UsbDevice> {
        let folder = self.at("/sys/bus/usb/devices");
        let all = names(&folder);
        let device = |name: &String| {
            let part = |part: &str| text(&folder.join(name).join(part)).map(|text| text.trim().to_owned());
            let id = format!("{}:{}", part("idVendor")?, part("idProduct")?).to_uppercase();
            let of_device =
                |other: &&String| other.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(':'));
            let interface = |other: &String| {
                let class = text(&folder.join(other).join("bInterfaceClass")).unwrap_or_default();
                let driver = fs::read_link(folder.join(other).join("driver")).ok();
                let driver = driver.and_then(|aim| Some(aim.file_name()?.to_string_lossy().into_owned()));
                (u8::from_str_radix(class.trim(), 16).unwrap_or(0), driver)
            };
            let interfaces = all.iter().filter(of_device).map(interface).collect();
            Some(UsbDevice { id, product: part("product").unwrap_or_default(), interfaces })
        };
        all.iter().filter_map(device).collect()
    }

    /// The serial devices that a board may be at.
    pub(super) fn serial_devices(&self) -> Vec<String> {
        const KINDS: [&str; 4] = ["ttyUSB", "ttyACM", "ttyAMA", "serial"];
        let is_one = |name: &String| {
            KINDS.iter().any(|kind| {
                name.strip_prefix(kind).is_some_and(|number| {
                    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                })
            })
        };
        names(&self.at("/dev")).into_iter().filter(is_one).map(|name| format!("/dev/{name}")).collect()
    }

    /// Whether this user may read and write a file; `None` where it is not there.
    pub(super) fn leave(&self, path: &str) -> Option<Leave> {
        let found = fs::metadata(self.at(path)).ok()?;
        let user = self.user();
        let mode = found.mode();
        let both = |shift: u32| mode >> shift & 0o6 == 0o6;
        Some(match () {
            () if user.id == 0 => Leave::Given,
            () if user.id == found.uid() => {
                if both(6) {
                    Leave::Given
                } else {
                    Leave::Refused
                }
            }
            () if user.groups.contains(&found.gid()) => {
                if both(3) {
                    Leave::Given
                } else {
                    Leave::Refused
                }
            }
            () if both(0) => Leave::Given,
            () if both(3) => self.group(found.gid()).map_or(Leave::Refused, Leave::OfGroup),
            () => Leave::Refused,
        })
    }

    fn group(&self, id: u32) -> Option<String> {
        let groups = text(&self.at("/etc/group"))?;
        let named = |line: &str| {
            let mut parts = line.split(':');
            let name = parts.next()?;
            (parts.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
        };
        groups.lines().find_map(named)
    }

    fn user(&self) -> User {
        let status = text(&self.at("/proc/self/status")).unwrap_or_default();
        let numbers = |name: &str| -> Vec<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().filter_map(|number| number.parse().ok()).collect()
        };
        // The second number is the one that leave is given to.
        let effective = |name: &str| numbers(name).get(1).copied();
        let groups = numbers("Groups:").into_iter().chain(effective("Gid:")).collect();
        User { id: effective("Uid:").unwrap_or(u32::MAX), groups }
    }
}

struct User {
    id: u32,
    groups: Vec<u32>,
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.name, self.id)
    }
}

fn text(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
