//! EMV Books 1 to 3: data elements, commands, cryptogram versions, a card's data
//! before keys. What only PBOC has is in `words::pboc`.

mod afl;
mod application_data;
pub mod command;
pub mod cryptogram;
mod dol;
mod element;
mod fci;
mod pan;
mod script;

pub use afl::{Afl, AflEntry, AflError};
pub use application_data::{ApplicationData, PathData, Personal, RecordLayout, record};
pub use dol::assemble;
pub use element::{Aip, Cid, CryptogramType, Ctq, CvmResults, Tsi, Ttq, Tvr};
pub use fci::{DirectoryEntry, Fci, FciError, directory_entries, printable};
pub use pan::{Pan, PanError, Track2};
pub use script::{IssuerScript, ScriptError, ScriptResult};
