//! Tags that mean something else in applications of RID A000000004: EMV Book C-2 Annex A.
//! No other scheme's second meanings.

use super::{Format, Row, Sensitivity, Source};
use crate::words::tlv::Tag;

/// Registered application provider identifier of these applications.
pub const RID: [u8; 5] = [0xA0, 0x00, 0x00, 0x00, 0x04];

/// Data object list of RECOVER AC.
pub const DRDOL: Tag = Tag(0x9F51);
/// What the application can do besides the Books.
pub const APPLICATION_CAPABILITIES: Tag = Tag(0x9F5D);
/// Data of third parties: country, identifier, device type.
pub const THIRD_PARTY_DATA: Tag = Tag(0x9F6E);

/// Their rows.
pub(super) const ROWS: &[Row] = &[
    Row { format: Format::Dol, ..row(DRDOL, "Data Recovery Data Object List (DRDOL)", 0, 250) },
    row(APPLICATION_CAPABILITIES, "Application Capabilities Information", 3, 3),
    row(THIRD_PARTY_DATA, "Third Party Data", 5, 32),
];

const fn row(tag: Tag, name: &'static str, min: u32, max: u32) -> Row {
    Row {
        tag: Some(tag),
        name,
        source: Source::Card,
        format: Format::Binary,
        min,
        max,
        sensitivity: Sensitivity::Plain,
    }
}
