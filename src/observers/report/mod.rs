//! Reports: one file per format. Nothing here decides.

mod exchange;

pub use exchange::{ExchangeReport, tree};

/// The formats of reports, by name.
pub const FORMATS: &[&str] = &[exchange::NAME];
