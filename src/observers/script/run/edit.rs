//! Changes to the data of an answer: an element with another value, gone, twice, one more,
//! or with its last bit turned. Lengths around it follow.

use crate::words::dictionary::tag;
use crate::words::iso7816::CommandApdu;
use crate::words::tlv::{self, Tag, Tlv, TlvError, encode_into};

/// Deepest nesting that is read.
const DEPTH_LIMIT: usize = 16;

/// What becomes of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edited {
    Value(Vec<u8>),
    Remove,
    Repeat,
    Corrupt,
}

/// Data objects that can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Object {
    Value(Tag, Vec<u8>),
    List(Tag, Vec<Object>),
}

/// The data with the element at a path changed; `None` where there is none.
pub(super) fn edit(
    data: &[u8],
    path: &[Tag],
    edited: &Edited,
    command: &CommandApdu,
) -> Result<Option<Vec<u8>>, TlvError> {
    let mut objects = read(&tlv::parse(data)?, 0)?;
    if let ([Object::Value(tag::RESPONSE_TEMPLATE_FORMAT_1, value)], [wanted]) =
        (objects.as_mut_slice(), path)
        && let Some(parts) = format_1(command, value)
    {
        let mut parts = parts;
        if !at(&mut parts, &[*wanted], edited) {
            return Ok(None);
        }
        *value = parts.iter().flat_map(|part| part.value().to_vec()).collect();
        return Ok(Some(write(&objects)));
    }
    Ok(at(&mut objects, path, edited).then(|| write(&objects)))
}

/// The data with one element more: at its end, or at that of the first template of this tag.
pub(super) fn add(
    data: &[u8],
    tag: Tag,
    value: &[u8],
    within: Option<Tag>,
) -> Result<Option<Vec<u8>>, TlvError> {
    let mut objects = read(&tlv::parse(data)?, 0)?;
    let list = match within {
        None => Some(&mut objects),
        Some(wanted) => template(&mut objects, wanted),
    };
    let Some(list) = list else { return Ok(None) };
    list.push(Object::Value(tag, value.to_vec()));
    Ok(Some(write(&objects)))
}

fn at(objects: &mut Vec<Object>, path: &[Tag], edited: &Edited) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    if let Some(place) = objects.iter().position(|object| object.tag() == *first && rest.is_empty()) {
        match edited {
            Edited::Value(value) => objects[place] = Object::Value(*first, value.clone()),
            Edited::Remove => drop(objects.remove(place)),
            Edited::Repeat => objects.insert(place, objects[place].clone()),
            Edited::Corrupt => {
                let mut value = objects[place].value();
                match value.last_mut() {
                    Some(last) => *last ^= 1,
                    None => return false,
                }
                objects[place] = Object::Value(*first, value);
            }
        }
        return true;
    }
    // One tag is looked for everywhere, several from where they stand.
    objects.iter_mut().any(|object| match object {
        Object::List(_, inner) if path.len() == 1 => at(inner, path, edited),
        Object::List(tag, inner) if tag == first => at(inner, rest, edited),
        _ => false,
    })
}

fn template(objects: &mut [Object], wanted: Tag) -> Option<&mut Vec<Object>> {
    objects.iter_mut().find_map(|object| match object {
        Object::List(tag, inner) => match *tag == wanted {
            true => Some(inner),
            false => template(inner, wanted),
        },
        Object::Value(..) => None,
    })
}

/// The parts of a template of format 1, which has no tags: EMV Book 3 6.5.5.4, 6.5.8.4 and
/// 6.5.9.4.
fn format_1(command: &CommandApdu, value: &[u8]) -> Option<Vec<Object>> {
    let layout: &[(Tag, usize)] = match (command.cla, command.ins) {
        (0x00, 0x88) => &[(tag::SIGNED_DYNAMIC_APPLICATION_DATA, usize::MAX)],
        (0x80, 0xA8) => &[(tag::AIP, 2), (tag::AFL, usize::MAX)],
        (0x80, 0xAE) => &[
            (tag::CRYPTOGRAM_INFORMATION_DATA, 1),
            (tag::ATC, 2),
            (tag::APPLICATION_CRYPTOGRAM, 8),
            (tag::ISSUER_APPLICATION_DATA, usize::MAX),
        ],
        _ => return None,
    };
    let mut rest = value;
    let mut parts = Vec::new();
    for (tag, length) in layout {
        let (part, tail) = rest.split_at((*length).min(rest.len()));
        parts.push(Object::Value(*tag, part.to_vec()));
        rest = tail;
    }
    Some(parts)
}

fn read(list: &[Tlv<'_>], depth: usize) -> Result<Vec<Object>, TlvError> {
    let one = |object: &Tlv<'_>| {
        if !object.tag.is_constructed() || depth >= DEPTH_LIMIT {
            return Ok(Object::Value(object.tag, object.value.to_vec()));
        }
        Ok(Object::List(object.tag, read(&object.children()?, depth + 1)?))
    };
    list.iter().map(one).collect()
}

fn write(objects: &[Object]) -> Vec<u8> {
    let mut out = Vec::new();
    for object in objects {
        encode_into(&mut out, object.tag(), &object.value());
    }
    out
}

impl Object {
    fn tag(&self) -> Tag {
        match self {
            Self::Value(tag, _) | Self::List(tag, _) => *tag,
        }
    }

    fn value(&self) -> Vec<u8> {
        match self {
            Self::Value(_, value) => value.clone(),
            Self::List(_, inner) => write(inner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::{Hex, parse_hex};

    const READ: CommandApdu = CommandApdu { cla: 0, ins: 0xB2, p1: 1, p2: 0x0C, data: Vec::new(), le: None };
    const RECORD: &str = "70 08 5A02 1122 5F3401 01";

    fn edited(data: &str, path: &[u32], edited: &Edited, command: &CommandApdu) -> Option<String> {
        let path: Vec<Tag> = path.iter().map(|tag| Tag(*tag)).collect();
        let found = edit(&parse_hex(data).unwrap(), &path, edited, command).unwrap();
        found.map(|bytes| Hex(&bytes).to_string())
    }

    #[test]
    fn lengths_follow_what_is_changed() {
        let of = |path: &[u32], change| edited(RECORD, path, &change, &READ);
        assert_eq!(of(&[0x5A], Edited::Value(vec![0xFF; 3])).unwrap(), "70095A03FFFFFF5F340101");
        assert_eq!(of(&[0x70, 0x5F34], Edited::Remove).unwrap(), "70045A021122");
        assert_eq!(of(&[0x5A], Edited::Repeat).unwrap(), "700C5A0211225A0211225F340101");
        assert_eq!(of(&[0x5A], Edited::Corrupt).unwrap(), "70085A0211235F340101");
        assert_eq!(of(&[0x57], Edited::Remove), None);
        assert_eq!(of(&[0x77, 0x5A], Edited::Remove), None);
    }

    #[test]
    fn format_1_has_elements_without_tags() {
        let generate = CommandApdu::new(0x80, 0xAE, 0x80, 0);
        let answer = "80 0D 80 0001 1122334455667788 0706";
        assert_eq!(
            edited(answer, &[0x9F26], &Edited::Corrupt, &generate).unwrap(),
            "800D80000111223344556677890706"
        );
        assert_eq!(
            edited(answer, &[0x9F10], &Edited::Remove, &generate).unwrap(),
            "800B8000011122334455667788"
        );
    }

    #[test]
    fn an_element_is_added_at_an_end() {
        let data = parse_hex(RECORD).unwrap();
        let added =
            |within| add(&data, Tag(0x9C), &[0], within).unwrap().map(|bytes| Hex(&bytes).to_string());
        assert_eq!(added(Some(Tag(0x70))).unwrap(), "700B5A0211225F3401019C0100");
        assert_eq!(added(None).unwrap(), "70085A0211225F3401019C0100");
        assert_eq!(added(Some(Tag(0x77))), None);
    }
}
