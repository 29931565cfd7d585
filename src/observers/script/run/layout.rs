//! How a list of the card's lays out what a terminal sends: a command's data as elements.

use super::knowledge::Knowledge;
use crate::base::event::{Element, ElementKey};
use crate::words::decode::command_row;
use crate::words::dictionary::tag;
use crate::words::iso7816::{CommandApdu, ParameterKind, ResponseApdu};
use crate::words::tlv::{self, Dol, Tag, TlvStore};

/// The list whose turn it is, of those that a command's data may answer.
pub(super) fn list_in_turn(lists: &[Tag], known: &Knowledge) -> Option<Tag> {
    lists.get(known.cryptograms.min(lists.len().saturating_sub(1))).copied()
}

/// The elements of a command: those that its row reads, and what the card's list laid out.
pub(super) fn gathered_elements(command: &CommandApdu, known: &Knowledge) -> TlvStore {
    let Some(row) = command_row(command) else { return TlvStore::new() };
    let mut elements = tagged((row.elements)(command).unwrap_or_default());
    let lists = row.parameters.iter().find_map(|parameter| match parameter.kind {
        ParameterKind::Gathered(lists) => Some(lists),
        _ => None,
    });
    let Some(list) = lists.and_then(|lists| list_in_turn(lists, known)) else { return elements };
    let bytes = match (known.card.value(list), list) {
        (Some(bytes), _) => bytes,
        (None, tag::DDOL) => known.default_ddol.as_slice(),
        (None, _) => return elements,
    };
    // Only GET PROCESSING OPTIONS wraps its data.
    let wrapped = tlv::parse_one(&command.data).ok().filter(|object| object.tag == tag::COMMAND_TEMPLATE);
    let data = wrapped.map_or(command.data.as_slice(), |object| object.value);
    let split = Dol::parse(bytes).ok().and_then(|dol| {
        Some(dol.split(data)?.into_iter().map(|(tag, value)| (tag, value.to_vec())).collect::<Vec<_>>())
    });
    for (tag, value) in split.unwrap_or_default() {
        elements.put(tag, value);
    }
    elements
}

/// The elements of an answer that its command's row reads from it.
pub(super) fn answered_elements(command: &CommandApdu, response: &ResponseApdu) -> TlvStore {
    let row = command_row(command).filter(|_| response.status.is_ok() || response.status.sw1() == 0x62);
    tagged(row.and_then(|row| (row.response_elements)(command, &response.data).ok()).unwrap_or_default())
}

fn tagged(elements: Vec<Element>) -> TlvStore {
    let mut store = TlvStore::new();
    for element in elements {
        if let ElementKey::Tag(tag) = element.key {
            store.put(Tag(tag), element.value);
        }
    }
    store
}
