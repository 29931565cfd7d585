//! The files of a purse and the fields in them. What is malformed says where, what was expected
//! and what came; a number's own digits are never in such a reason.

use super::calendar::date;
use super::find::{Found, again};
use crate::air::link::{Card, LinkError};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::roles::terminal::Fact;
use crate::words::dictionary::tag;
use crate::words::iso7816::command::{ReadBinary, ReadRecord, Select, SelectFile};
use crate::words::iso7816::{ApduCommand, CommandError, StatusWord};
use crate::words::pboc::{CityField, CityLayout, FieldKind, Home, PurseNumber};
use crate::words::tlv;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Files that were read, each once.
#[derive(Default)]
pub(super) struct Files {
    read: BTreeMap<(Home, u8, Option<u8>), Fact<Vec<u8>>>,
    /// What stands for what is missing.
    pub remarks: Vec<String>,
}

impl Files {
    /// Reads the files of some fields, those of other directories first. Afterwards the purse is
    /// selected.
    pub(super) fn of<'a>(
        card: &mut dyn Card,
        found: &Found,
        fields: impl Iterator<Item = &'a CityField> + Clone,
        context: &mut Context,
    ) -> Result<Self, LinkError> {
        let mut files = Self::default();
        let elsewhere = fields.clone().filter(|field| field.home != Home::Application);
        let mut refusals: BTreeMap<&Home, String> = BTreeMap::new();
        let mut here = None;
        for field in elsewhere {
            if here != Some(&field.home) {
                let status = enter(card, &field.home, context)?;
                here = Some(&field.home);
                if !status.is_ok() {
                    let what = match &field.home {
                        Home::Other(aid) => format!("application {aid}"),
                        _ => "the master file".into(),
                    };
                    refusals.insert(&field.home, format!("SELECT of {what} answered {status}"));
                }
            }
            match refusals.get(&field.home) {
                Some(reason) => {
                    let place = (field.home.clone(), field.sfi, field.record);
                    files.read.insert(place, Fact::Absent(reason.clone()));
                }
                None => files.take(card, field, context)?,
            }
        }
        if here.is_some() {
            again(card, &found.name, context)?;
        }
        for field in fields.filter(|field| field.home == Home::Application) {
            files.take(card, field, context)?;
        }
        files.stand_in(found);
        Ok(files)
    }

    fn take(
        &mut self,
        card: &mut dyn Card,
        field: &CityField,
        context: &mut Context,
    ) -> Result<(), LinkError> {
        let place = (field.home.clone(), field.sfi, field.record);
        if let Entry::Vacant(vacant) = self.read.entry(place) {
            vacant.insert(file(card, field.sfi, field.record, context)?);
        }
        Ok(())
    }

    /// The FCI's copy stands for a file that the card does not give.
    fn stand_in(&mut self, found: &Found) {
        let Some(sfi) = found.layout.fci_file else { return };
        let Some(Fact::Absent(reason)) = self.read.get(&(Home::Application, sfi, None)) else { return };
        let (reason, place) = (reason.clone(), (Home::Application, sfi, None));
        match fci_copy(&found.fci) {
            Some(copy) => {
                self.remarks.push(format!("{reason}: the FCI's copy of the file (9F0C) stands for it"));
                self.read.insert(place, Fact::Known(copy));
            }
            None => {
                let reason = format!("{reason}, and the FCI has no copy of the file (9F0C)");
                self.read.insert(place, Fact::Absent(reason));
            }
        }
    }

    /// The bytes of a field.
    pub(super) fn bytes(&self, field: &CityField) -> Fact<Vec<u8>> {
        match self.read.get(&(field.home.clone(), field.sfi, field.record)) {
            Some(Fact::Known(bytes)) => match bytes.get(field.offset..field.offset + field.length) {
                Some(part) => Fact::Known(part.to_vec()),
                None => Fact::Absent(format!(
                    "{}: expected {} bytes, the file has {}",
                    place(field),
                    field.length,
                    bytes.len()
                )),
            },
            Some(Fact::Absent(reason)) => Fact::Absent(reason.clone()),
            None => Fact::Absent("its file was not read".into()),
        }
    }

    /// The card's number.
    pub(super) fn number(&self, layout: &CityLayout) -> Fact<PurseNumber> {
        let Some(field) = layout.number() else { return Fact::Absent("the layout names no number".into()) };
        let bytes = match self.bytes(field) {
            Fact::Known(bytes) => bytes,
            Fact::Absent(reason) => return Fact::Absent(reason),
        };
        let number = match field.kind {
            FieldKind::NumberReversed => PurseNumber::from_reversed(&bytes),
            _ => PurseNumber::from_bcd(&bytes),
        };
        number.map_or_else(|error| Fact::Absent(format!("{}: {error}", place(field))), Fact::Known)
    }

    /// A field as people read it.
    pub(super) fn value(&self, field: &CityField, layout: &CityLayout) -> Fact<String> {
        match self.bytes(field) {
            Fact::Known(bytes) => shown(&bytes, field, layout),
            Fact::Absent(reason) => Fact::Absent(reason),
        }
    }
}

/// The FCI's copy of a purse's public data: tag 9F0C.
pub(super) fn fci_copy(fci: &[u8]) -> Option<Vec<u8>> {
    let copy = tlv::find(fci, tag::ISSUER_IDENTIFICATION_NUMBER_EXTENDED).ok()??;
    Some(copy.value.to_vec())
}

/// Selects where files are that are not the purse's own; its status.
fn enter(card: &mut dyn Card, home: &Home, context: &mut Context) -> Result<StatusWord, LinkError> {
    let apdu = match home {
        Home::Other(aid) => Select::first(aid.clone()).to_apdu(),
        _ => SelectFile::MASTER_FILE.to_apdu(),
    };
    Ok(card.transmit(&apdu, context)?.status)
}

/// A binary file, or a record of a file.
pub(super) fn file(
    card: &mut dyn Card,
    sfi: u8,
    record: Option<u8>,
    context: &mut Context,
) -> Result<Fact<Vec<u8>>, LinkError> {
    let (what, answer) = match record {
        Some(record) => {
            let ask = ReadRecord { sfi, record };
            ("READ RECORD", ask.answer(&card.transmit(&ask.to_apdu(), context)?))
        }
        None => {
            let ask = ReadBinary { sfi, offset: 0, length: 256 };
            ("READ BINARY", ask.answer(&card.transmit(&ask.to_apdu(), context)?))
        }
    };
    Ok(match answer {
        Ok(bytes) => Fact::Known(bytes),
        Err(CommandError::Refused { status, .. }) => {
            Fact::Absent(format!("{what} of file {sfi:02X} answered {status}"))
        }
        Err(error) => Fact::Absent(error.to_string()),
    })
}

fn place(field: &CityField) -> String {
    format!("file {:02X}, offset {}", field.sfi, field.offset)
}

fn shown(bytes: &[u8], field: &CityField, layout: &CityLayout) -> Fact<String> {
    let hex = Hex(bytes).to_string();
    let not = |expected: &str| Fact::Absent(format!("{}: expected {expected}, found {hex}", place(field)));
    match field.kind {
        FieldKind::Hex | FieldKind::Number | FieldKind::NumberReversed => Fact::Known(hex),
        FieldKind::Digits if hex.bytes().all(|digit| digit.is_ascii_digit()) => Fact::Known(hex),
        FieldKind::Digits => not("decimal digits"),
        FieldKind::Count => {
            let count = bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
            Fact::Known(count.to_string())
        }
        FieldKind::Code => Fact::Known(match layout.words_of(&hex) {
            Some(words) => format!("{words} ({hex})"),
            None => format!("{hex} (not in the layout's list)"),
        }),
        FieldKind::Date => match date(bytes) {
            Some(date) => Fact::Known(date),
            None => not("a date YYYYMMDD"),
        },
        FieldKind::Text => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            let text = text.trim_matches(['\0', ' ']).to_owned();
            match text.chars().all(|letter| letter.is_ascii_graphic() || letter == ' ') {
                true => Fact::Known(text),
                false => not("ASCII text"),
            }
        }
    }
}
