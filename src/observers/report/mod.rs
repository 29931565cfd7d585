//! Reports: one file per format, as text for people and as JSON values for programs.
//! Nothing here decides.

mod ca_keys;
mod card_facts;
mod card_file;
mod exchange;
mod explain;
mod gate;
mod gate_book;
mod gate_page;
mod outcome;
mod position;
mod reconciliation;
mod recovery;
mod settlement;
/// What several formats need.
mod shared {
    pub(super) mod columns;
    pub(super) mod html;
    pub(super) mod purse;
    pub(super) mod standing;
    pub(super) mod values;
}
mod sighting;
mod story;
pub mod suite;
mod trace_difference;
mod trace_listing;
mod trace_page;
mod trace_script;
mod trace_timing;

pub use ca_keys::{ca_keys_capk, ca_keys_csv, ca_keys_json, ca_keys_text, ca_keys_toml, keys_without_capk};
pub use card_facts::{card_facts_json, card_facts_text};
pub use card_file::{card_file_json, card_file_text};
pub use exchange::{ExchangeReport, tree};
pub use explain::{explain_json, explain_text};
pub use gate::{gate_json, gate_text, passage_json, passage_line, upload_json, upload_line};
pub use gate_book::{gate_book_json, gate_book_text};
pub use gate_page::gate_page;
pub use outcome::{outcome_json, outcome_text};
pub use position::{position_header, position_json, position_row};
pub use reconciliation::{
    RECONCILIATION_HEADER, outcome_word, reconciled_csv, reconciled_json, reconciled_line, totals_json,
    totals_text,
};
pub use recovery::{recovery_json, recovery_text, settled_line};
pub use settlement::{batches_json, batches_text, settlement_json, settlement_text};
pub use shared::columns::Columns;
pub use sighting::{radio_json, radio_text, sighting_json, sighting_text};
pub use story::Story;
pub use trace_difference::{trace_difference_json, trace_difference_text};
pub use trace_listing::{trace_listing_json, trace_listing_text};
pub use trace_page::trace_page;
pub use trace_script::trace_script;
pub use trace_timing::{TraceTiming, trace_timing_json, trace_timing_text};

/// The version of every JSON value that a report makes.
pub const JSON_SCHEMA: u32 = 1;

/// The formats of reports, by name.
pub const FORMATS: &[&str] = &[
    ca_keys::NAME,
    card_facts::NAME,
    card_file::NAME,
    exchange::NAME,
    explain::NAME,
    gate::NAME,
    gate_book::NAME,
    gate_page::NAME,
    outcome::NAME,
    position::NAME,
    reconciliation::NAME,
    recovery::NAME,
    settlement::NAME,
    sighting::NAME,
    story::NAME,
    suite::NAME,
    trace_difference::NAME,
    trace_listing::NAME,
    trace_page::NAME,
    trace_script::NAME,
    trace_timing::NAME,
];
