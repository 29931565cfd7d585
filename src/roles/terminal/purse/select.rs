//! The purse of a card that is there, selected, and the number by which its issuer knows it.

use super::facts::PurseName;
use super::file::Files;
use super::find::{self, Found};
use crate::air::link::Card;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::{Fact, TerminalError};
use crate::words::emv::Pan;
use crate::words::iso7816::Aid;
use crate::words::pboc::{CityField, CityLayout};

/// What a purchase needs of a purse beside its number, by the names of layouts.
const NEEDED: [&str; 3] = ["issuer", "valid from", "valid until"];

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
    /// Its first day, BCD YYYYMMDD, where its layout and the card tell it.
    pub valid_from: Option<[u8; 4]>,
    /// Its last day, the same.
    pub valid_until: Option<[u8; 4]>,
    /// Whether the issuer has blocked it.
    pub blocked: bool,
}

/// Selects the first purse of a known layout; `None` where the card has none.
pub fn select(card: &mut dyn Card, context: &mut Context) -> Result<Option<SelectedPurse>, TerminalError> {
    select_where(card, |_| true, context)
}

/// Selects the first of these purses; `None` where the card has none of them. A name that no
/// layout knows is passed over.
pub fn select_named(
    card: &mut dyn Card,
    aids: &[Aid],
    context: &mut Context,
) -> Result<Option<SelectedPurse>, TerminalError> {
    for aid in aids {
        if let Some(found) = find::by_name(card, aid, context)? {
            return open(card, found, context).map(Some);
        }
    }
    Ok(None)
}

/// Selects the purse of an account number, where the card has several.
pub(super) fn select_numbered(
    card: &mut dyn Card,
    number: &Pan,
    context: &mut Context,
) -> Result<Option<SelectedPurse>, TerminalError> {
    select_where(card, |selected| selected.number == *number, context)
}

/// Tries one name after another until a purse is the wanted one, and the card's files where no
/// name is known.
fn select_where(
    card: &mut dyn Card,
    is_wanted: impl Fn(&SelectedPurse) -> bool,
    context: &mut Context,
) -> Result<Option<SelectedPurse>, TerminalError> {
    let mut has_names = false;
    for name in find::names() {
        let Some(found) = find::by_name(card, name, context)? else { continue };
        has_names = true;
        let selected = open(card, found, context)?;
        if is_wanted(&selected) {
            return Ok(Some(selected));
        }
    }
    let found = if has_names { None } else { find::by_file(card, context)? };
    let selected = found.map(|found| open(card, found, context)).transpose()?;
    Ok(selected.filter(is_wanted))
}

/// Reads what a purchase needs of the purse that is selected.
fn open(card: &mut dyn Card, found: Found, context: &mut Context) -> Result<SelectedPurse, TerminalError> {
    let layout = found.layout;
    let wanted = |field: &&CityField| field.kind.is_number() || NEEDED.contains(&field.name.as_str());
    let files = Files::of(card, &found, layout.fields.iter().filter(wanted), context)?;
    let unknown = |found: String| TerminalError::PurseNumber { found };
    let number = match files.number(layout) {
        Fact::Known(number) => number.account().map_err(|error| unknown(error.to_string()))?,
        Fact::Absent(reason) => return Err(unknown(reason)),
    };
    let [issuer, valid_from, valid_until] = NEEDED.map(|name| {
        let field = layout.fields.iter().find(|field| field.name == name);
        field.and_then(|field| files.bytes(field).known().cloned())
    });
    let reason = format!("{} is a {}", found.name, layout.name);
    context.emit(Event::new("terminal", "purse selected").because(reason));
    Ok(SelectedPurse {
        aid: found.name,
        layout,
        number,
        issuer: fixed(issuer).unwrap_or_default(),
        valid_from: fixed(valid_from),
        valid_until: fixed(valid_until),
        blocked: found.blocked,
    })
}

fn fixed<const N: usize>(bytes: Option<Vec<u8>>) -> Option<[u8; N]> {
    bytes?.try_into().ok()
}
