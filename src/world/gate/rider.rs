//! Kinds of riders: what comes to a gate, how often, and what must become of it.

use super::pool::{Flaw, Hold};

/// What must become of a tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The gate opens.
    Open,
    /// It stays shut.
    Shut,
    /// It opens until the issuer has declined a ride, and stays shut from then on.
    OpenUntilDeclined,
}

/// A kind of riders.
#[derive(Debug, Clone, Copy)]
pub struct RiderRow {
    /// Its name.
    pub name: &'static str,
    /// What must become of it.
    pub expected: Expected,
    /// Of a hundred taps.
    pub share: u32,
    /// What its riders hold.
    pub(super) hold: Hold,
    /// What is wrong with it.
    pub(super) flaw: Flaw,
    /// How many cards there are of it.
    pub(super) cards: usize,
}

impl RiderRow {
    /// The kind of those who hold the same and have nothing wrong with it.
    pub(super) fn unflawed(&self) -> usize {
        let same = |row: &Self| row.hold == self.hold && row.flaw == Flaw::None;
        RIDERS.iter().position(same).unwrap_or(0)
    }
}

const fn row(
    name: &'static str,
    expected: Expected,
    share: u32,
    cards: usize,
    hold: Hold,
    flaw: Flaw,
) -> RiderRow {
    RiderRow { name, expected, share, hold, flaw, cards }
}

const BANK: Hold = Hold::Card("unionpay-transit");
const PURSE: Hold = Hold::Purse("t-union");

/// Every kind. Shares come to a hundred.
pub const RIDERS: &[RiderRow] = &[
    row("good, quick path", Expected::Open, 26, 40, BANK, Flaw::None),
    row("good, legacy", Expected::Open, 10, 16, Hold::Legacy("unionpay-transit"), Flaw::None),
    row("good, kernel 3", Expected::Open, 6, 16, Hold::Card("visa-like"), Flaw::None),
    row("good, kernel 2", Expected::Open, 6, 16, Hold::Card("mastercard-like"), Flaw::None),
    row("same card again", Expected::Shut, 3, 0, BANK, Flaw::Again),
    row("poor", Expected::OpenUntilDeclined, 2, 8, BANK, Flaw::Poor),
    row("denied", Expected::Shut, 3, 8, BANK, Flaw::Denied),
    row("expired", Expected::Shut, 3, 4, BANK, Flaw::Expired),
    row("cloned", Expected::Shut, 4, 4, BANK, Flaw::Copied),
    row("replayed", Expected::Shut, 2, 2, BANK, Flaw::Replayed),
    row("torn", Expected::Shut, 4, 12, BANK, Flaw::Torn),
    row("unreadable", Expected::Shut, 2, 3, Hold::Noise, Flaw::Unreadable),
    row("purse, good", Expected::Open, 12, 40, PURSE, Flaw::None),
    row("purse, good, PBOC ED/EP", Expected::Open, 3, 8, Hold::Purse("eped"), Flaw::None),
    row("purse, same again", Expected::Shut, 1, 0, PURSE, Flaw::Again),
    row("purse, denied", Expected::Shut, 2, 8, PURSE, Flaw::Denied),
    row("purse, expired", Expected::Shut, 2, 4, PURSE, Flaw::Expired),
    row("purse, empty", Expected::Shut, 2, 4, PURSE, Flaw::Poor),
    row("purse, torn", Expected::Shut, 4, 12, PURSE, Flaw::Torn),
    row("purse, cloned", Expected::Shut, 1, 4, PURSE, Flaw::Copied),
    row("purse, forged proof", Expected::Shut, 2, 16, PURSE, Flaw::Forged),
];
