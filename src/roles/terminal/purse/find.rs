//! Finding the purses on a card: by name, by the marks that tell cities of one name apart, and by
//! file identifier.

use super::facts::PurseName;
use crate::air::link::{Card, LinkError};
use crate::base::context::Context;
use crate::words::iso7816::command::{ReadBinary, Select, SelectFile};
use crate::words::iso7816::{Aid, ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::{CityLayout, Mark};

/// A purse application that a card has.
#[derive(Debug, Clone)]
pub(in crate::roles::terminal) struct Found {
    pub name: PurseName,
    pub layout: &'static CityLayout,
    pub blocked: bool,
    /// What the card answered to SELECT.
    pub fci: Vec<u8>,
}

impl Found {
    /// Its layout's place among all: the lowest is chosen to pay with.
    pub(in crate::roles::terminal) fn rank(&self) -> Option<usize> {
        CityLayout::all().iter().position(|layout| layout == self.layout)
    }
}

/// Selects a purse by its name; `None` where it is not there.
pub(in crate::roles::terminal) fn by_name(
    card: &mut dyn Card,
    aid: &Aid,
    context: &mut Context,
) -> Result<Option<Found>, LinkError> {
    let answer = card.transmit(&Select::first(aid.clone()).to_apdu(), context)?;
    let blocked = is_blocked(&answer);
    if !answer.status.is_ok() && !blocked {
        return Ok(None);
    }
    let found =
        |layout| Found { name: PurseName::Aid(aid.clone()), layout, blocked, fci: answer.data.clone() };
    for layout in CityLayout::all() {
        let shares = |known: &&Aid| aid.begins_with(known.as_bytes());
        if layout.aids.iter().any(|known| shares(&known)) {
            return Ok(Some(found(layout)));
        }
        for shared in layout.shared.iter().filter(|shared| shares(&&shared.aid)) {
            if bears(card, layout, &shared.mark, &answer.data, context)? {
                return Ok(Some(found(layout)));
            }
        }
    }
    Ok(None)
}

/// Selects a purse that has no name, by the file that marks its card.
pub(in crate::roles::terminal) fn by_file(
    card: &mut dyn Card,
    context: &mut Context,
) -> Result<Option<Found>, LinkError> {
    for layout in CityLayout::all() {
        let Some(by_file) = &layout.by_file else { continue };
        let master = card.transmit(&SelectFile::MASTER_FILE.to_apdu(), context)?;
        if !master.status.is_ok() {
            return Ok(None);
        }
        let mut is_marked = false;
        for mark in &by_file.marks {
            is_marked = is_marked || bears(card, layout, mark, &[], context)?;
        }
        if !is_marked {
            continue;
        }
        let select = SelectFile { identifier: by_file.identifier };
        let answer = card.transmit(&select.to_apdu(), context)?;
        let blocked = is_blocked(&answer);
        if answer.status.is_ok() || blocked {
            let name = PurseName::File(by_file.identifier);
            return Ok(Some(Found { name, layout, blocked, fci: answer.data }));
        }
    }
    Ok(None)
}

/// Selects a purse again that was found.
pub(super) fn again(card: &mut dyn Card, name: &PurseName, context: &mut Context) -> Result<(), LinkError> {
    match name {
        PurseName::Aid(aid) => card.transmit(&Select::first(aid.clone()).to_apdu(), context)?,
        PurseName::File(identifier) => {
            // A file is known in its directory.
            card.transmit(&SelectFile::MASTER_FILE.to_apdu(), context)?;
            card.transmit(&SelectFile { identifier: *identifier }.to_apdu(), context)?
        }
    };
    Ok(())
}

/// The names of all layouts, each once.
pub(super) fn names() -> Vec<&'static Aid> {
    let mut names: Vec<&Aid> = Vec::new();
    for name in CityLayout::all().iter().flat_map(CityLayout::names) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether SELECT found a blocked application: 6283, or as some cities' cards say it, 6A81 with
/// the FCI.
pub(in crate::roles::terminal) fn is_blocked(answer: &ResponseApdu) -> bool {
    answer.status == StatusWord::FILE_INVALIDATED
        || (answer.status == StatusWord::NOT_SUPPORTED && !answer.data.is_empty())
}

/// Whether a file of what is selected bears a mark, or the FCI's copy of it.
fn bears(
    card: &mut dyn Card,
    layout: &CityLayout,
    mark: &Mark,
    fci: &[u8],
    context: &mut Context,
) -> Result<bool, LinkError> {
    let ask = ReadBinary { sfi: mark.sfi, offset: 0, length: 256 };
    let answer = card.transmit(&ask.to_apdu(), context)?;
    let copy = || layout.fci_file.filter(|sfi| *sfi == mark.sfi).and_then(|_| super::file::fci_copy(fci));
    let file = ask.answer(&answer).ok().or_else(copy);
    Ok(file.is_some_and(|file| mark.is_in(&file)))
}
