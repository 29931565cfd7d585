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
pub use reader::{DRIVER, Pn532Reader, open_line};
