//! What a transaction of the extended application writes: the records of industries, what is
//! offset or held, and its certificate, in one step with the money (JR/T 0025.14).

use super::decision::{Extended, Left};
use super::file::Place;
use crate::roles::card::memory::ApplicationMemory;
use crate::roles::card::simulator::Refusal;
use crate::words::dictionary::tag;
use crate::words::iso7816::StatusWord;
use crate::words::pboc::CappTransaction;

/// What waits, beside the money, for the last record to be read.
#[derive(Debug, Clone)]
pub(in crate::roles::card) struct Extension {
    pub wanted: Extended,
    pub left: Left,
    pub atc: u16,
    /// The certificate; zeros for a pre-authorisation, whose answer has none.
    pub certificate: [u8; 8],
    /// New contents of records, in their order.
    pub updates: Vec<(Place, Vec<u8>)>,
}

impl Extension {
    /// A transaction that was granted.
    pub(in crate::roles::card) fn new(wanted: Extended, left: Left, atc: u16, certificate: [u8; 8]) -> Self {
        let certificate = match wanted.kind {
            CappTransaction::PreAuthorisation => [0; 8],
            _ => certificate,
        };
        Self { wanted, left, atc, certificate, updates: Vec::new() }
    }
}

/// Writes all of it; refused where the record that was read did not get its new content.
pub(in crate::roles::card) fn complete(
    application: &mut ApplicationMemory,
    extension: Extension,
) -> Result<(), Refusal> {
    if !extension.updates.iter().any(|(place, _)| *place == extension.wanted.place) {
        return Err(Refusal::because(
            StatusWord::CAPP_RECORD_DIFFERS,
            "the record that was read before was not updated after GET PROCESSING OPTIONS",
        ));
    }
    if let Some(minor) = extension.left.offset_minor {
        application.put_amount(tag::SEGMENT_OFFSET_USED, minor);
    }
    let memory = application.capp.as_mut().ok_or_else(Refusal::lost)?;
    for (place, data) in extension.updates {
        memory.write(place, data);
    }
    memory.open.retain(|reserved| Some(reserved.place) != extension.left.closes);
    memory.open.extend(extension.left.opens);
    memory.last = Some((extension.atc, extension.certificate));
    Ok(())
}
