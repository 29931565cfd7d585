//! Finding the purse on a card, and its number.

use crate::air::link::{Card, LinkError};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::TerminalError;
use crate::words::emv::Pan;
use crate::words::iso7816::command::{ReadBinary, Select};
use crate::words::iso7816::{Aid, ApduCommand, StatusWord};
use crate::words::pboc::{CityField, CityLayout, FieldKind, layout_of};

/// A purse application that is selected.
#[derive(Debug, Clone)]
pub struct SelectedPurse {
    /// Its name.
    pub aid: Aid,
    /// Where it keeps what.
    pub layout: &'static CityLayout,
    /// The card's number; printed, it is masked.
    pub number: Pan,
    /// The card's issuer, as security modules want it.
    pub issuer: [u8; 8],
    /// Its first day, BCD YYYYMMDD, where its layout and the card tell it.
    pub valid_from: Option<[u8; 4]>,
    /// Its last day, the same.
    pub valid_until: Option<[u8; 4]>,
    /// Whether the issuer has blocked it.
    pub blocked: bool,
}

/// Selects the first purse of a known layout; `None` where the card has none.
pub fn select(card: &mut dyn Card, context: &mut Context) -> Result<Option<SelectedPurse>, TerminalError> {
    let known = CityLayout::all().iter();
    first_of(card, known.flat_map(|layout| layout.aids.iter().map(move |aid| (aid, layout))), context)
}

/// Selects the first of these purses; `None` where the card has none of them. A name that no
/// layout knows is passed over.
pub fn select_named(
    card: &mut dyn Card,
    aids: &[Aid],
    context: &mut Context,
) -> Result<Option<SelectedPurse>, TerminalError> {
    first_of(card, aids.iter().filter_map(|aid| Some((aid, layout_of(aid)?))), context)
}

fn first_of<'a>(
    card: &mut dyn Card,
    purses: impl Iterator<Item = (&'a Aid, &'static CityLayout)>,
    context: &mut Context,
) -> Result<Option<SelectedPurse>, TerminalError> {
    for (aid, layout) in purses {
        let answer = card.transmit(&Select::first(aid.clone()).to_apdu(), context)?;
        let blocked = answer.status == StatusWord::FILE_INVALIDATED;
        if !answer.status.is_ok() && !blocked {
            continue;
        }
        let mut files = Files { layout, read: Vec::new() };
        let number = files.number(card, context)?;
        let issuer = files.value("issuer", card, context)?.unwrap_or_default();
        let valid_from = files.value("valid from", card, context)?;
        let valid_until = files.value("valid until", card, context)?;
        context.emit(Event::new("terminal", "purse selected").because(format!("{aid} is a {}", layout.name)));
        return Ok(Some(SelectedPurse {
            aid: aid.clone(),
            layout,
            number,
            issuer,
            valid_from,
            valid_until,
            blocked,
        }));
    }
    Ok(None)
}

/// The digits of a number: BCD, without the zeros and the filling before and after them.
pub(super) fn number_digits(bytes: &[u8]) -> Option<String> {
    let text = Hex(bytes).to_string();
    let digits = text.trim_matches('F').trim_start_matches('0');
    (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.to_owned())
}

/// The binary files of a card, each read once: a gate counts every exchange.
struct Files {
    layout: &'static CityLayout,
    read: Vec<(u8, Vec<u8>)>,
}

impl Files {
    /// The number by which the card is known.
    fn number(&mut self, card: &mut dyn Card, context: &mut Context) -> Result<Pan, TerminalError> {
        let field = self.layout.fields.iter().find(|field| field.kind == FieldKind::Number);
        let bytes = match field {
            Some(field) => self.bytes(field, card, context)?,
            None => None,
        };
        let unknown = |found: String| TerminalError::PurseNumber { found };
        let bytes = bytes.ok_or_else(|| unknown("nothing".into()))?;
        let digits = number_digits(bytes).ok_or_else(|| unknown(format!("{} bytes", bytes.len())))?;
        Pan::new(&digits).map_err(|error| unknown(error.to_string()))
    }

    /// A named field of so many bytes; `None` where the layout or the card has none.
    fn value<const N: usize>(
        &mut self,
        name: &str,
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Result<Option<[u8; N]>, LinkError> {
        let Some(field) = self.layout.fields.iter().find(|field| field.name == name) else { return Ok(None) };
        Ok(self.bytes(field, card, context)?.and_then(|bytes| bytes.try_into().ok()))
    }

    fn bytes(
        &mut self,
        field: &CityField,
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Result<Option<&[u8]>, LinkError> {
        let place = match self.read.iter().position(|(sfi, _)| *sfi == field.sfi) {
            Some(place) => place,
            None => {
                let ask = ReadBinary { sfi: field.sfi, offset: 0, length: 256 };
                let answer = card.transmit(&ask.to_apdu(), context)?;
                self.read.push((field.sfi, ask.answer(&answer).unwrap_or_default()));
                self.read.len() - 1
            }
        };
        let file = self.read.get(place).map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        Ok(file.get(field.offset..field.offset + field.length))
    }
}
