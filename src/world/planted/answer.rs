//! Data objects of an answer, changed in place: of TLV at any depth, and of the answers of
//! format 1 (EMV Book 3 6.5.5.4, 6.5.8.4), whose fields have tags and no TLV.

use crate::words::dictionary::tag;
use crate::words::iso7816::CommandApdu;
use crate::words::tlv::{self, Tag, Tlv, TlvStore, encode_into};

/// A change of one data object.
pub(super) struct Edit<'a> {
    pub tag: Tag,
    /// Its new value; `None` leaves it out.
    pub change: &'a dyn Fn(&[u8]) -> Option<Vec<u8>>,
}

/// Deepest nesting that is changed; an answer of a card nests to four.
const DEPTH_LIMIT: usize = 16;
/// Format 1: the template that holds the fields without tags.
const FORMAT_1: Tag = Tag(0x80);

/// An answer's data with one data object changed. Bytes that are no TLV stay.
pub(super) fn edited(command: &CommandApdu, data: &[u8], edit: Edit<'_>) -> Vec<u8> {
    match tlv::parse(data) {
        Ok(list) => rebuilt(command, &list, &edit, 0),
        Err(_) => data.to_vec(),
    }
}

/// The value of a data object in an answer.
pub(super) fn value(command: &CommandApdu, data: &[u8], tag: Tag) -> Option<Vec<u8>> {
    if let Some(found) = tlv::find(data, tag).ok().flatten() {
        return Some(found.value.to_vec());
    }
    let template = tlv::find(data, FORMAT_1).ok().flatten()?;
    let (from, to) = field(command, tag, template.value.len())?;
    template.value.get(from..to).map(<[u8]>::to_vec)
}

/// A record as if nothing were missing or came twice: each data object once, an expiration
/// date in any case.
pub(super) fn mended(data: &[u8]) -> Vec<u8> {
    let Ok(template) = tlv::parse_one(data) else { return data.to_vec() };
    let Ok(mut objects) = TlvStore::parse(template.value) else { return data.to_vec() };
    if !objects.has(tag::APPLICATION_EXPIRATION_DATE) {
        objects.put(tag::APPLICATION_EXPIRATION_DATE, [0x49, 0x12, 0x31]);
    }
    tlv::encode(template.tag, &objects.to_bytes())
}

fn rebuilt(command: &CommandApdu, list: &[Tlv<'_>], edit: &Edit<'_>, depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for element in list {
        if element.tag == edit.tag {
            if let Some(value) = (edit.change)(element.value) {
                encode_into(&mut out, element.tag, &value);
            }
        } else if element.tag == FORMAT_1 {
            encode_into(&mut out, element.tag, &fields(command, element.value, edit));
        } else if element.tag.is_constructed() && depth < DEPTH_LIMIT {
            let inner = rebuilt(command, &element.children().unwrap_or_default(), edit, depth + 1);
            encode_into(&mut out, element.tag, &inner);
        } else {
            encode_into(&mut out, element.tag, element.value);
        }
    }
    out
}

fn fields(command: &CommandApdu, template: &[u8], edit: &Edit<'_>) -> Vec<u8> {
    let Some((from, to)) = field(command, edit.tag, template.len()) else { return template.to_vec() };
    let Some(value) = template.get(from..to) else { return template.to_vec() };
    [&template[..from], &(edit.change)(value).unwrap_or_default(), &template[to..]].concat()
}

/// Where a field without a tag stands in the template of format 1.
fn field(command: &CommandApdu, tag: Tag, length: usize) -> Option<(usize, usize)> {
    Some(match (command.ins, tag.0) {
        (0xA8, 0x82) => (0, 2),
        (0xA8, 0x94) => (2, length),
        (0xAE, 0x9F27) => (0, 1),
        (0xAE, 0x9F36) => (1, 3),
        (0xAE, 0x9F26) => (3, 11),
        (0xAE, 0x9F10) => (11, length),
        (0x88, 0x9F4B) => (0, length),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::{Hex, parse_hex};

    fn changed(command: &str, data: &str, tag: u32, change: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> String {
        let command = CommandApdu::parse(&parse_hex(command).unwrap()).unwrap();
        let edit = Edit { tag: Tag(tag), change };
        Hex(&edited(&command, &parse_hex(data).unwrap(), edit)).to_string()
    }

    #[test]
    fn a_data_object_is_changed_wherever_it_stands() {
        let fci = "6F0A8402A000A5045F2D0141";
        assert_eq!(changed("00A4040000", fci, 0x84, &|_| None), "6F06A5045F2D0141");
        assert_eq!(changed("00A4040000", fci, 0x5F2D, &|_| Some(vec![1, 2])), "6F0B8402A000A5055F2D020102");
        let format_1 = "800D80000111223344556677880611";
        assert_eq!(
            changed("80AE800000", format_1, 0x9F36, &|_| Some(vec![0, 9])),
            "800D80000911223344556677880611"
        );
        assert_eq!(changed("80AE800000", format_1, 0x9F10, &|_| None), "800B8000011122334455667788");
        assert_eq!(changed("80AE800000", "0102", 0x9F10, &|_| None), "0102", "no TLV");
    }
}
