//! The PN532, a chip for NFC on a serial line: frames, commands, and the chip's own side as
//! a simulator. No payment word may enter.

pub mod chip;
pub mod command;
mod frame;
mod line;

pub use frame::{Deframer, Found, Frame};
#[cfg(unix)]
pub use line::Terminal;
pub use line::{Line, Port};
