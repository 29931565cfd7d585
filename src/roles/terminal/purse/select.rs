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
use crate::words::pboc::{CityField, CityLayout, is_purse};
use std::fmt;

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

/// Which purse application of a card is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PurseChoice {
    /// The first one of a known layout.
    #[default]
    First,
    /// The first one of this layout.
    Layout(&'static CityLayout),
    /// The one whose name begins so.
    Name(Aid),
}

/// Selects the purse that is meant; `None` where the card has it not.
pub fn select(
    card: &mut dyn Card,
    choice: &PurseChoice,
    context: &mut Context,
) -> Result<Option<SelectedPurse>, TerminalError> {
    select_where(card, choice, |_| true, context)
}

/// Selects the purse that is meant; where the card has it not, the error lists those that it has.
pub fn expect(
    card: &mut dyn Card,
    choice: &PurseChoice,
    context: &mut Context,
) -> Result<SelectedPurse, TerminalError> {
    if let Some(selected) = select(card, choice, context)? {
        return Ok(selected);
    }
    let mut there = Vec::new();
    for name in find::names() {
        there.extend(find::by_name(card, name, context)?);
    }
    if there.is_empty() {
        there.extend(find::by_file(card, context)?);
    }
    let there: Vec<_> = there.iter().map(|found| format!("{} ({})", found.layout.word, found.name)).collect();
    Err(match there.is_empty() {
        true => TerminalError::NoPurse,
        false => TerminalError::OtherPurses { expected: choice.to_string(), found: there.join(", ") },
    })
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
    select_where(card, &PurseChoice::First, |selected| selected.number == *number, context)
}

/// Tries one name after another until a purse is the wanted one, and the card's files where no
/// name is known.
fn select_where(
    card: &mut dyn Card,
    choice: &PurseChoice,
    is_wanted: impl Fn(&SelectedPurse) -> bool,
    context: &mut Context,
) -> Result<Option<SelectedPurse>, TerminalError> {
    let mut has_names = false;
    for name in choice.names() {
        let Some(found) = find::by_name(card, name, context)? else { continue };
        has_names = true;
        if !choice.is_met_by(&found) {
            continue;
        }
        let selected = open(card, found, context)?;
        if is_wanted(&selected) {
            return Ok(Some(selected));
        }
    }
    let found = if has_names { None } else { find::by_file(card, context)? };
    let found = found.filter(|found| choice.is_met_by(found));
    let selected = found.map(|found| open(card, found, context)).transpose()?;
    Ok(selected.filter(is_wanted))
}

impl PurseChoice {
    /// The names by which it is looked for: a name that is longer than a layout's is that of one
    /// of several instances.
    fn names(&self) -> Vec<&Aid> {
        match self {
            Self::Name(aid) if is_purse(aid) => vec![aid],
            Self::Name(aid) => {
                find::names().into_iter().filter(|name| name.begins_with(aid.as_bytes())).collect()
            }
            Self::First | Self::Layout(_) => find::names(),
        }
    }

    fn is_met_by(&self, found: &Found) -> bool {
        match self {
            Self::First => true,
            Self::Layout(layout) => found.layout == *layout,
            Self::Name(_) => matches!(found.name, PurseName::Aid(_)),
        }
    }
}

impl fmt::Display for PurseChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("of any known layout"),
            Self::Layout(layout) => f.write_str(layout.word),
            Self::Name(aid) => aid.fmt(f),
        }
    }
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
