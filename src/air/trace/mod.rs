//! The recording of a transaction: its file format and its masking. It is
//! written from events and never asks a role.
//!
//! # The format, version 1
//!
//! A `.cwt` file is JSON Lines: UTF-8, one object a line, each line ended by a line
//! feed. Every number is an integer. A reader passes over members that it does not
//! know; it refuses another `format` or `version`.
//!
//! The first line is the header:
//!
//! ```json
//! {"format":"cardwright-trace","version":1,"cardwright":"0.1.0","masked":true,"started_us":1795248000000000,"interface":"contactless","atr":"3B80800101","place":"sim:pboc-debit","seed":7}
//! ```
//!
//! | member | what it is |
//! |---|---|
//! | `format`, `version` | `cardwright-trace`, 1 |
//! | `cardwright` | the version of the program that wrote it |
//! | `masked` | whether card data is masked; `false` only where a person asked for it |
//! | `started_us` | microseconds from 1970-01-01 00:00:00 UTC to the start |
//! | `interface` | `contact` or `contactless`; left out where unknown |
//! | `atr` | answer to reset in hexadecimal; empty where there is none |
//! | `place` | where the card is: reader, profile or file |
//! | `seed` | the seed of a simulated world; left out otherwise |
//!
//! Every other line is an event, in the order in which they happened:
//!
//! ```json
//! {"at_us":1830,"speaker":"link","name":"response","clause":"","reason":"","elements":[{"name":"R-APDU","value":"9F79060000000050009000"}]}
//! ```
//!
//! `at_us` counts from `started_us`. An element has a `tag` (hexadecimal) or, where
//! it has none, the `name` of its dictionary row, and a `value` in hexadecimal. The
//! exchanges of a card are the events `command` (element `C-APDU`), `response`
//! (`R-APDU`) and `reset` (`ATR`) of the speaker `link`. The event `step` of the speaker
//! `terminal` says by its `reason` which step of the transaction the events after it are
//! of. Every other event is a decision: what, by which rule, why, from which data.
//!
//! Each line is written whole and flushed, so a crash leaves a readable file; a last
//! line that was cut short is left out and [`Trace::cut`] says so.

mod align;
mod capture;
mod difference;
mod error;
mod exchange;
mod format;
/// What other programs write: a file for each, and a row in [`IMPORTERS`].
mod import {
    pub(super) mod apdutool;
    pub(super) mod cardpeek;
    pub(super) mod global_platform_pro;
    pub(super) mod libnfc;
    pub(super) mod pcsc_spy;
    pub(super) mod pcscd;
    pub(super) mod proxmark;
    pub(super) mod scriptor;
}
mod importer;
mod mask;
mod meaning;
mod read;
mod tee;
mod write;

pub use difference::{Compared, Difference, Fact};
pub use error::TraceError;
pub use exchange::Exchange;
pub use format::{FORMAT, Trace, TraceEvent, TraceHeader};
pub use importer::{Conversation, Importer, Odd, import};
pub use meaning::{Meaning, Meanings};
pub use tee::Tee;
pub use write::TraceWriter;

/// The importers, those whose texts are told from others most surely first.
pub const IMPORTERS: &[Importer] = &[
    import::proxmark::IMPORTER,
    import::pcsc_spy::IMPORTER,
    import::libnfc::IMPORTER,
    import::pcscd::IMPORTER,
    import::global_platform_pro::IMPORTER,
    import::apdutool::IMPORTER,
    import::cardpeek::IMPORTER,
    import::scriptor::IMPORTER,
];
