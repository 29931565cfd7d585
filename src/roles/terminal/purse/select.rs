//! The purse of a card that is there, selected, and the number by which its issuer knows it.

use super::facts::PurseName;
use super::file::Files;
use super::find::{self, Found, every};
use crate::air::link::Card;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::{Fact, TerminalError};
use crate::words::emv::Pan;
use crate::words::pboc::{CityField, CityLayout};

/// A purse application that is selected.
#[derive(Debug, Clone)]
pub struct SelectedPurse {
    /// Its name.
    pub aid: PurseName,
    /// Where it keeps what.
    pub layout: &'static CityLayout,
    /// The card's account number; printed, it is masked.
    pub number: Pan,
    /// The card's issuer, as security modules want it.
    pub issuer: [u8; 8],
    /// Whether the issuer has blocked it.
    pub blocked: bool,
}

/// Selects the first purse of a known layout; `None` where the card has none.
pub fn select(card: &mut dyn Card, context: &mut Context) -> Result<Option<SelectedPurse>, TerminalError> {
    let first = every(card, context)?.into_iter().next();
    first.map(|found| open(card, found, context)).transpose()
}

/// Selects the purse of an account number, where the card has several.
pub(super) fn select_numbered(
    card: &mut dyn Card,
    number: &Pan,
    context: &mut Context,
) -> Result<Option<SelectedPurse>, TerminalError> {
    for found in every(card, context)? {
        let selected = open(card, found, context)?;
        if selected.number == *number {
            return Ok(Some(selected));
        }
    }
    Ok(None)
}

/// Selects a purse that was found again, and reads its number.
fn open(card: &mut dyn Card, found: Found, context: &mut Context) -> Result<SelectedPurse, TerminalError> {
    let layout = found.layout;
    find::again(card, &found.name, context)?;
    let wanted = |field: &&CityField| field.kind.is_number() || is_issuer(field);
    let files = Files::of(card, &found, layout.fields.iter().filter(wanted), context)?;
    let unknown = |found: String| TerminalError::PurseNumber { found };
    let number = match files.number(layout) {
        Fact::Known(number) => number.account().map_err(|error| unknown(error.to_string()))?,
        Fact::Absent(reason) => return Err(unknown(reason)),
    };
    let issuer = layout.fields.iter().find(|field| is_issuer(field));
    let issuer = issuer.and_then(|field| files.bytes(field).known().cloned());
    let reason = format!("{} is a {}", found.name, layout.name);
    context.emit(Event::new("terminal", "purse selected").because(reason));
    Ok(SelectedPurse {
        aid: found.name,
        layout,
        number,
        issuer: issuer.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default(),
        blocked: found.blocked,
    })
}

fn is_issuer(field: &CityField) -> bool {
    field.name == "issuer"
}
