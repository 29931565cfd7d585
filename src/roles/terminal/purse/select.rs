//! Finding the purse on a card, and its number.

use crate::air::link::{Card, LinkError};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::TerminalError;
use crate::words::emv::Pan;
use crate::words::iso7816::command::{ReadBinary, Select};
use crate::words::iso7816::{Aid, ApduCommand, StatusWord};
use crate::words::pboc::{CityField, CityLayout, FieldKind};

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
    /// Whether the issuer has blocked it.
    pub blocked: bool,
}

/// Selects the first purse of a known layout; `None` where the card has none.
pub fn select(card: &mut dyn Card, context: &mut Context) -> Result<Option<SelectedPurse>, TerminalError> {
    for layout in CityLayout::all() {
        for aid in &layout.aids {
            let answer = card.transmit(&Select::first(aid.clone()).to_apdu(), context)?;
            let blocked = answer.status == StatusWord::FILE_INVALIDATED;
            if !answer.status.is_ok() && !blocked {
                continue;
            }
            let number = number(card, layout, context)?;
            let issuer = bytes_of(card, layout, "issuer", context)?;
            context.emit(
                Event::new("terminal", "purse selected").because(format!("{aid} is a {}", layout.name)),
            );
            return Ok(Some(SelectedPurse {
                aid: aid.clone(),
                layout,
                number,
                issuer: issuer.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default(),
                blocked,
            }));
        }
    }
    Ok(None)
}

/// The number by which the card is known.
fn number(card: &mut dyn Card, layout: &CityLayout, context: &mut Context) -> Result<Pan, TerminalError> {
    let field = layout.fields.iter().find(|field| field.kind == FieldKind::Number);
    let bytes = match field {
        Some(field) => field_bytes(card, field, context)?,
        None => None,
    };
    let unknown = |found: String| TerminalError::PurseNumber { found };
    let bytes = bytes.ok_or_else(|| unknown("nothing".into()))?;
    let digits = number_digits(&bytes).ok_or_else(|| unknown(format!("{} bytes", bytes.len())))?;
    Pan::new(&digits).map_err(|error| unknown(error.to_string()))
}

/// The digits of a number: BCD, without the zeros and the filling before and after them.
pub(super) fn number_digits(bytes: &[u8]) -> Option<String> {
    let text = Hex(bytes).to_string();
    let digits = text.trim_matches('F').trim_start_matches('0');
    (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.to_owned())
}

/// The bytes of a named field; `None` where the layout or the card has none.
pub(super) fn bytes_of(
    card: &mut dyn Card,
    layout: &CityLayout,
    name: &str,
    context: &mut Context,
) -> Result<Option<Vec<u8>>, LinkError> {
    match layout.fields.iter().find(|field| field.name == name) {
        Some(field) => field_bytes(card, field, context),
        None => Ok(None),
    }
}

fn field_bytes(
    card: &mut dyn Card,
    field: &CityField,
    context: &mut Context,
) -> Result<Option<Vec<u8>>, LinkError> {
    let ask = ReadBinary { sfi: field.sfi, offset: 0, length: 256 };
    let answer = card.transmit(&ask.to_apdu(), context)?;
    let bytes = ask.answer(&answer).unwrap_or_default();
    Ok(bytes.get(field.offset..field.offset + field.length).map(<[u8]>::to_vec))
}
