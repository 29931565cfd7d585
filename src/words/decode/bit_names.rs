//! The named bits of an element, for who writes about them: scripts and references.

use crate::base::bytes::Bit;
use crate::words::dictionary::tag;
use crate::words::emv::{Aip, Ctq, ExtendedCapability, TerminalCapabilities, Tsi, Ttq, Tvr, UsageControl};
use crate::words::pboc::{ApplicationDefaultAction, CardAdditionalProcessing};
use crate::words::tlv::Tag;

/// One named bit of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitName {
    /// Byte, from 1.
    pub byte: u8,
    /// Bit, 8 (most significant) to 1.
    pub bit: u8,
    /// Its constant: `CDA_SUPPORTED`.
    pub name: &'static str,
    /// What it says when it is set: `CDA supported`.
    pub words: &'static str,
}

/// The named bits of an element; none where it has no table of bits.
pub fn bit_names(tag: Tag) -> Vec<BitName> {
    match tag {
        tag::AIP => named(Aip::ROWS),
        tag::TVR | tag::IAC_DEFAULT | tag::IAC_DENIAL | tag::IAC_ONLINE => named(Tvr::ROWS),
        tag::TSI => named(Tsi::ROWS),
        tag::TTQ => named(Ttq::ROWS),
        tag::CTQ => named(Ctq::ROWS),
        tag::TERMINAL_CAPABILITIES => named(TerminalCapabilities::ROWS),
        tag::APPLICATION_USAGE_CONTROL => named(UsageControl::ROWS),
        tag::EXTENDED_APPLICATION_CAPABILITY => named(ExtendedCapability::ROWS),
        tag::CARD_ADDITIONAL_PROCESSING => named(CardAdditionalProcessing::ROWS),
        tag::APPLICATION_DEFAULT_ACTION => named(ApplicationDefaultAction::ROWS),
        _ => Vec::new(),
    }
}

fn named<F>(rows: &[Bit<F>]) -> Vec<BitName> {
    let name = |row: &Bit<F>| BitName { byte: row.byte, bit: row.bit, name: row.name, words: row.words };
    rows.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_with_a_table_names_its_bits() {
        let cda = bit_names(tag::AIP).into_iter().find(|row| row.name == "CDA_SUPPORTED").unwrap();
        assert_eq!((cda.byte, cda.bit, cda.words), (1, 1, "CDA supported"));
        assert!(bit_names(tag::ATC).is_empty());
    }
}
