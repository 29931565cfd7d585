//! Readers behind the PC/SC daemon, by the crate `pcsc`. On Linux its library is
//! loaded at first use, so nothing PC/SC need be there to build or to start.

mod card;
mod direct;
#[cfg(target_os = "linux")]
mod loader;
mod reader;
mod trouble;
mod watch;

pub use direct::ReaderItself;
#[cfg(target_os = "linux")]
pub use loader::{Library, answer_with};
#[cfg(target_os = "linux")]
pub use pcsc::ffi::{SCARD_IO_REQUEST, SCARD_READERSTATE};
pub use reader::PcscReader;
pub use trouble::library_ready;

use super::ReaderDriver;

/// The row of this driver in the registry.
pub const DRIVER: ReaderDriver = ReaderDriver {
    scheme: "pcsc",
    rest: "[NAME-PART]",
    open: reader::open,
    watch: watch::watch,
    list: reader::list,
    nothing_there: "the daemon runs and sees no reader: plug one in",
};
