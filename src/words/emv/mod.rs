//! EMV Books 1 to 3: data elements, commands, certificates, cryptogram versions, a
//! card's data before keys. What only PBOC has is in `words::pboc`.

mod afl;
mod application_data;
pub mod certificate;
pub mod command;
pub mod cryptogram;
mod cvm;
mod date;
mod dol;
mod element;
mod fci;
pub mod mchip;
mod pan;
mod preferred_name;
mod script;

pub use afl::{Afl, AflEntry, AflError};
pub use application_data::{ApplicationData, PathData, Personal, RecordLayout, record};
pub use cvm::{CvmCode, CvmCondition, CvmEnd, CvmList, CvmListError, CvmResults, CvmRule};
pub use date::with_century;
pub use dol::assemble;
pub use element::{
    Aip, ApplicationCapabilities, Cid, CryptogramType, Ctq, ExtendedCapability, KernelConfiguration,
    TerminalCapabilities, Tsi, Ttq, Tvr, UsageControl,
};
pub use fci::{DirectoryEntry, Fci, FciError, directory_entries, printable};
pub use pan::{Pan, PanError, Track2};
pub use preferred_name::PreferredName;
pub use script::{IssuerScript, ScriptError, ScriptResult};
