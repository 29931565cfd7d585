//! What stands between this program and a reader, found by looking at the machine: the library,
//! the daemon, the kernel's drivers, other programs, leave. It changes nothing.

mod diagnose;
mod finding;
mod machine;
mod pcsc;
#[cfg(feature = "serial")]
mod probe;
mod serial;
mod surroundings;
mod usb;

pub use diagnose::diagnose;
pub use finding::{Finding, Grade};
#[cfg(feature = "serial")]
pub use probe::probe_speed;
pub use surroundings::{Daemon, Surroundings};

/// Looks for one kind of trouble.
type Check = fn(&Surroundings) -> Vec<Finding>;

/// Every check, in the order in which they are told.
const CHECKS: &[Check] = &[
    pcsc::library,
    pcsc::daemon,
    pcsc::readers,
    usb::kernel_drivers,
    usb::readers_without_driver,
    usb::other_programs,
    serial::devices,
    serial::other_programs,
];
