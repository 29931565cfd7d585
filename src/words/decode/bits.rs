//! Which bit table an element has, and what its set bits say.

use super::fields::{self, BitRow, FIELDS};
use crate::words::dictionary::tag;
use crate::words::emv::{
    Aip, Ctq, KernelConfiguration, TerminalCapabilities, Tsi, Ttq, Tvr, UsageControl, mchip,
};
use crate::words::pboc::{ApplicationDefaultAction, CardAdditionalProcessing, Cvr};
use crate::words::tlv::Tag;

/// One set bit: byte from 1, bit 8 to 1, what it says.
pub(super) type SetBit = BitRow;

/// What is said of a set bit without a row.
const RESERVED: &str = "reserved for future use";

macro_rules! set_bits {
    ($field:ty, $value:expr, $later:expr) => {
        <$field>::from_bytes($value).map(|field| {
            let own = <$field>::ROWS.iter().map(|row| (row.byte, row.bit, row.words));
            set_bits(&field.0, &own.collect::<Vec<_>>(), $later)
        })
    };
}

/// The set bits of an element that has a bit table; `None` where it has none or the
/// value has another length.
pub(super) fn of_tag(tag: Tag, value: &[u8]) -> Option<Vec<SetBit>> {
    let later = fields::later(tag);
    match tag {
        tag::AIP => set_bits!(Aip, value, later),
        tag::TVR | tag::IAC_DEFAULT | tag::IAC_DENIAL | tag::IAC_ONLINE => set_bits!(Tvr, value, later),
        tag::TSI => set_bits!(Tsi, value, later),
        tag::TTQ => set_bits!(Ttq, value, later),
        tag::CTQ => set_bits!(Ctq, value, later),
        tag::TERMINAL_CAPABILITIES => set_bits!(TerminalCapabilities, value, later),
        tag::APPLICATION_USAGE_CONTROL => set_bits!(UsageControl, value, later),
        tag::KERNEL_CONFIGURATION => set_bits!(KernelConfiguration, value, later),
        tag::CARD_ADDITIONAL_PROCESSING => set_bits!(CardAdditionalProcessing, value, later),
        // Some cards have four bytes, of which the first two have names.
        tag::APPLICATION_DEFAULT_ACTION => {
            value.get(..2).and_then(|head| set_bits!(ApplicationDefaultAction, head, later))
        }
        _ => {
            let field = FIELDS.iter().find(|field| (field.tag, field.length_bytes) == (tag, value.len()))?;
            Some(of_rows(value, field.rows))
        }
    }
}

/// The set bits of card verification results, without those that are numbers: the
/// cryptograms given (byte 1, bits 8 to 5) and the script commands (byte 3, bits 8 to 5).
pub(super) fn of_cvr(cvr: Cvr) -> Vec<SetBit> {
    let [first, second, third] = cvr.0;
    let later = [(3, 1, "PIN verification command not received for a PIN-expecting card")];
    set_bits!(Cvr, &[first & 0x0F, second, third & 0x0F], &later).unwrap_or_default()
}

/// The same of an M/Chip card, whose byte 3 is numbers alone: script commands, PIN tries.
pub(super) fn of_mchip_cvr(cvr: mchip::Cvr) -> Vec<SetBit> {
    let [first, second, _, rest @ ..] = cvr.0;
    let [fourth, fifth, sixth] = rest;
    set_bits!(mchip::Cvr, &[first & 0x0F, second, 0, fourth, fifth, sixth], &[]).unwrap_or_default()
}

/// The set bits by a table.
pub(super) fn of_rows(bytes: &[u8], rows: &[BitRow]) -> Vec<SetBit> {
    set_bits(bytes, rows, &[])
}

/// Bits that the table does not name are looked up among the later ones.
fn set_bits(bytes: &[u8], rows: &[BitRow], later: &[BitRow]) -> Vec<SetBit> {
    let named = |byte: u8, bit: u8| {
        let row = rows.iter().chain(later).find(|row| (row.0, row.1) == (byte, bit));
        row.map_or(RESERVED, |row| row.2)
    };
    let places =
        (1u8..).zip(bytes).flat_map(|(byte, value)| (1..=8u8).rev().map(move |bit| (byte, bit, value)));
    places
        .filter(|(_, bit, value)| **value & 1 << (bit - 1) != 0)
        .map(|(byte, bit, _)| (byte, bit, named(byte, bit)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_bits_are_named_and_reserved_ones_kept() {
        let bits = of_tag(tag::AIP, &[0x7D, 0x02]).unwrap();
        assert_eq!(bits.len(), 7);
        assert_eq!(bits[0], (1, 7, "SDA supported"));
        assert_eq!(bits[6], (2, 2, RESERVED));
        assert_eq!(of_tag(tag::AIP, &[0x80, 0]).unwrap(), [(1, 8, "XDA supported")]);
        assert_eq!(of_tag(tag::AIP, &[0x7D]), None);
        assert_eq!(of_tag(tag::ATC, &[0, 1]), None);
        assert_eq!(of_cvr(Cvr([0xA4, 0, 0x30])), [(1, 3, "offline PIN verification performed")]);
    }
}
