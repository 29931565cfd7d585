//! ISO/IEC 7816-4: APDUs, status words, application identifiers, ATR, and the
//! trait that one command implements for both ends. No payment command may enter.

mod aid;
mod apdu;
mod apdu_command;
mod argument;
mod atr;
pub mod command;
mod status_word;

pub use aid::Aid;
pub use apdu::{ApduError, CommandApdu, ResponseApdu};
pub use apdu_command::{ApduCommand, CommandError, CommandRow, Effect};
pub use argument::{Argument, ArgumentError, Arguments, Parameter, ParameterKind};
pub use atr::{Atr, AtrError};
pub use status_word::StatusWord;
