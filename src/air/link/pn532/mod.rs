//! The PN532, a chip for NFC on a serial line: frames, commands, and the chip's own side as
//! a simulator. No payment word may enter.

pub mod chip;
pub mod command;
mod command_row;
mod driver;
mod emulation;
mod frame;
mod line;
mod peer;
mod reader;
mod status;
#[cfg(feature = "pcsc")]
mod tunnel;
mod watch;
mod wire;

pub use driver::Pn532;
pub use emulation::{Pn532Target, TARGET_DRIVER};
pub use frame::{Deframer, Found, Frame};
#[cfg(unix)]
pub use line::Terminal;
pub use line::{Line, Native, Port, SPEED};
pub use peer::Pn532Peer;
pub use reader::{Pn532Reader, open_line};

use super::ReaderDriver;
use watch::Pn532Watcher;

/// The row of this driver in the registry.
pub const DRIVER: ReaderDriver = ReaderDriver {
    scheme: "pn532",
    rest: "DEVICE|pcsc:NAME-PART",
    // Its cards are radio, and nobody else has the line: neither a protocol nor sharing is a choice.
    open: |rest, _| Ok(Box::new(Pn532Reader::open(rest)?)),
    watch: |rest| Ok(Box::new(Pn532Watcher::open(rest)?)),
    // Asking a serial port what it is could disturb whatever it is.
    list: || Ok(Vec::new()),
    nothing_there: "serial ports are not searched; name one, as pn532:/dev/ttyUSB0",
};
