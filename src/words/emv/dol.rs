//! Filling a data object list: EMV Book 3 5.4.

use crate::words::dictionary::{Format, Row};
use crate::words::tlv::{Dol, TlvStore};

/// Gathers what the list asks for. A value that is too long is cut, one that is
/// too short is filled, on the side that its format says; one that the terminal
/// does not have, or that is constructed, is zeros.
pub fn assemble(dol: &Dol, store: &TlvStore) -> Vec<u8> {
    let mut out = Vec::with_capacity(dol.data_length());
    for entry in &dol.0 {
        let length = usize::from(entry.length);
        let value = store.value(entry.tag).filter(|_| !entry.tag.is_constructed());
        out.extend(fit(value.unwrap_or_default(), length, format(entry.tag)));
    }
    out
}

fn format(tag: crate::words::tlv::Tag) -> Format {
    Row::of_tag(tag).map_or(Format::Binary, |row| row.format)
}

fn fit(value: &[u8], length: usize, format: Format) -> Vec<u8> {
    let numeric = matches!(format, Format::Numeric | Format::Amount | Format::Date);
    let room = length.saturating_sub(value.len());
    match (numeric, value.len() > length) {
        (true, true) => value[value.len() - length..].to_vec(),
        (false, true) => value[..length].to_vec(),
        (true, false) => [vec![0; room], value.to_vec()].concat(),
        (false, false) => {
            let filler = if format == Format::CompressedNumeric && !value.is_empty() { 0xFF } else { 0x00 };
            [value.to_vec(), vec![filler; room]].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::dictionary::tag;

    #[test]
    fn cuts_and_fills_on_the_side_of_the_format() {
        let store: TlvStore = [
            (tag::AMOUNT_AUTHORISED, vec![0, 0, 0, 0, 0x12, 0x50]),
            (tag::TERMINAL_CAPABILITIES, vec![0xE0, 0xF9, 0xC8]),
            (tag::PAN, vec![0x62, 0x99]),
        ]
        .into_iter()
        .collect();
        let ask = |tag, length| assemble(&Dol(vec![crate::words::tlv::DolEntry { tag, length }]), &store);
        assert_eq!(ask(tag::AMOUNT_AUTHORISED, 2), [0x12, 0x50]);
        assert_eq!(ask(tag::AMOUNT_AUTHORISED, 7), [0, 0, 0, 0, 0, 0x12, 0x50]);
        assert_eq!(ask(tag::TERMINAL_CAPABILITIES, 2), [0xE0, 0xF9]);
        assert_eq!(ask(tag::TERMINAL_CAPABILITIES, 4), [0xE0, 0xF9, 0xC8, 0]);
        assert_eq!(ask(tag::PAN, 4), [0x62, 0x99, 0xFF, 0xFF]);
        assert_eq!(ask(tag::TVR, 5), [0; 5]);
        assert_eq!(ask(tag::RECORD_TEMPLATE, 2), [0; 2]);
    }
}
