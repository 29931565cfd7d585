//! A card that takes another's place: with another number where that one was lost or is
//! replaced, with the same number where it expires. Nothing of tokens enters: they follow.

use super::error::WorldError;
use super::issue::{NewCard, card_memory_under, fresh_pan, new_card_memory, order_of, own_on_file};
use crate::air::host::Standing;
use crate::base::bytes::{bcd_to_u64, u64_to_bcd};
use crate::base::context::Context;
use crate::roles::bureau::Authority;
use crate::roles::card::{CardMemory, Order};
use crate::roles::issuer::Issuer;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;

/// How many years longer than its predecessor a renewed card can be used.
const RENEWED_YEARS: u64 = 5;
/// PAN sequence number has two digits (5F34).
const LAST_PSN: u8 = 99;

/// A card whose place another takes, as its issuer and its chip name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerCard {
    /// Its PAN.
    pub pan: Pan,
    /// PAN sequence number (5F34), 00 where it has none.
    pub psn: u8,
    /// Application expiration date (5F24), YYMMDD in BCD.
    pub expiry: [u8; 3],
}

impl FormerCard {
    /// The card that has this memory; `None` where that has no number or no expiry.
    pub fn of(memory: &CardMemory) -> Option<Self> {
        let expiry = memory.value(tag::APPLICATION_EXPIRATION_DATE)?.try_into().ok()?;
        Some(Self { pan: memory.pan()?, psn: memory.psn(), expiry })
    }
}

/// Makes a card with another number that takes a card's place, under a certification
/// authority or else the test one, and puts it on the issuer's file.
pub fn replace_card(
    authority: Option<&Authority>,
    issuer: &mut Issuer,
    old: &FormerCard,
    card: &NewCard,
    context: &mut Context,
) -> Result<CardMemory, WorldError> {
    let order = order_of(card, fresh_pan(context)?);
    take_place(authority, issuer, old, card, &order, context)
}

/// The same with the number kept: the next PAN sequence number, and five years longer.
pub fn renew_card(
    authority: Option<&Authority>,
    issuer: &mut Issuer,
    old: &FormerCard,
    card: &NewCard,
    context: &mut Context,
) -> Result<CardMemory, WorldError> {
    // Of one number and sequence number there is one card: made again, it would be its clone.
    match issuer.card_standing(&old.pan, context)? {
        Some(Standing::Good(known) | Standing::Blocked(known)) if known.psn == old.psn => {}
        found => return Err(WorldError::NotInUse { psn: old.psn, found: as_words(found.as_ref()) }),
    }
    let refused = || WorldError::Renewal { psn: old.psn, expiry: old.expiry };
    let psn = Some(old.psn).filter(|psn| *psn < LAST_PSN).ok_or_else(refused)? + 1;
    let expiry = later(old.expiry).ok_or_else(refused)?;
    let order = Order { psn, expiry, ..order_of(card, old.pan.clone()) };
    take_place(authority, issuer, old, card, &order, context)
}

fn take_place(
    authority: Option<&Authority>,
    issuer: &mut Issuer,
    old: &FormerCard,
    card: &NewCard,
    order: &Order,
    context: &mut Context,
) -> Result<CardMemory, WorldError> {
    let memory = match authority {
        Some(authority) => card_memory_under(authority, &card.profile, order)?,
        None => new_card_memory(&card.profile, order)?,
    };
    issuer.replace_card(&old.pan, old.psn, &own_on_file(card, order, &memory), context)?;
    Ok(memory)
}

fn as_words(found: Option<&Standing>) -> String {
    match found {
        None => "no card of this number".to_owned(),
        Some(Standing::Cancelled) => "a cancelled one".to_owned(),
        Some(Standing::ReplacedBy(_)) => "one that another number has replaced".to_owned(),
        Some(Standing::Good(card) | Standing::Blocked(card)) => format!("sequence number {:02}", card.psn),
    }
}

/// An expiry [`RENEWED_YEARS`] on; 29 February becomes the 28th, which every year has.
/// `None` for what is no date, or would leave EMV's century, which ends with 49.
fn later(expiry: [u8; 3]) -> Option<[u8; 3]> {
    let number = bcd_to_u64(&expiry).ok()?;
    let (year, date) = (number / 10_000 + RENEWED_YEARS, number % 10_000);
    let date = if date == 229 { 228 } else { date };
    let fits = (RENEWED_YEARS..50).contains(&year);
    u64_to_bcd(year * 10_000 + date, 3).ok().filter(|_| fits)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_five_years_on() {
        assert_eq!(later([0x35, 0x12, 0x31]), Some([0x40, 0x12, 0x31]));
        assert_eq!(later([0x28, 0x02, 0x29]), Some([0x33, 0x02, 0x28]));
        assert_eq!(later([0x45, 0x01, 0x31]), None);
        assert_eq!(later([0x3A, 0x01, 0x31]), None);
    }
}
