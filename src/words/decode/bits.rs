//! Which bit table an element has, and what its set bits say.

use crate::words::dictionary::tag;
use crate::words::emv::{Aip, Ctq, KernelConfiguration, Tsi, Ttq, Tvr, mchip};
use crate::words::pboc::{ApplicationDefaultAction, CardAdditionalProcessing, Cvr};
use crate::words::tlv::Tag;

/// One set bit: byte from 1, bit 8 to 1, what it says.
pub(super) type SetBit = (u8, u8, &'static str);

/// What is said of a set bit without a row.
const RESERVED: &str = "reserved for future use";

macro_rules! set_bits {
    ($field:ty, $value:expr) => {
        <$field>::from_bytes($value).map(|field| {
            let named = |byte: u8, bit: u8| {
                <$field>::ROWS.iter().find(|row| (row.byte, row.bit) == (byte, bit)).map(|row| row.words)
            };
            set_bits(&field.0, named)
        })
    };
}

/// The set bits of an element that has a bit table; `None` where it has none or the
/// value has another length.
pub(super) fn of_tag(tag: Tag, value: &[u8]) -> Option<Vec<SetBit>> {
    match tag {
        tag::AIP => set_bits!(Aip, value),
        tag::TVR | tag::IAC_DEFAULT | tag::IAC_DENIAL | tag::IAC_ONLINE => set_bits!(Tvr, value),
        tag::TSI => set_bits!(Tsi, value),
        tag::TTQ => set_bits!(Ttq, value),
        tag::CTQ => set_bits!(Ctq, value),
        tag::KERNEL_CONFIGURATION => set_bits!(KernelConfiguration, value),
        tag::CARD_ADDITIONAL_PROCESSING => set_bits!(CardAdditionalProcessing, value),
        // Some cards have four bytes, of which the first two have names.
        tag::APPLICATION_DEFAULT_ACTION => {
            value.get(..2).and_then(|head| set_bits!(ApplicationDefaultAction, head))
        }
        _ => None,
    }
}

/// The set bits of card verification results, without those that are numbers: the
/// cryptograms given (byte 1, bits 8 to 5) and the script commands (byte 3, bits 8 to 5).
pub(super) fn of_cvr(cvr: Cvr) -> Vec<SetBit> {
    let [first, second, third] = cvr.0;
    set_bits!(Cvr, &[first & 0x0F, second, third & 0x0F]).unwrap_or_default()
}

/// The same of an M/Chip card, whose byte 3 is numbers alone: script commands, PIN tries.
pub(super) fn of_mchip_cvr(cvr: mchip::Cvr) -> Vec<SetBit> {
    let [first, second, _, rest @ ..] = cvr.0;
    let [fourth, fifth, sixth] = rest;
    set_bits!(mchip::Cvr, &[first & 0x0F, second, 0, fourth, fifth, sixth]).unwrap_or_default()
}

fn set_bits(bytes: &[u8], named: impl Fn(u8, u8) -> Option<&'static str>) -> Vec<SetBit> {
    let places =
        (1u8..).zip(bytes).flat_map(|(byte, value)| (1..=8u8).rev().map(move |bit| (byte, bit, value)));
    places
        .filter(|(_, bit, value)| **value & 1 << (bit - 1) != 0)
        .map(|(byte, bit, _)| (byte, bit, named(byte, bit).unwrap_or(RESERVED)))
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
        assert_eq!(of_tag(tag::AIP, &[0x7D]), None);
        assert_eq!(of_tag(tag::ATC, &[0, 1]), None);
        assert_eq!(of_cvr(Cvr([0xA4, 0, 0x30])), [(1, 3, "offline PIN verification performed")]);
    }
}
