//! Kinds of riders: what comes to a gate, how often, and what must become of it.

use super::pool::Make;

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
    /// How its cards are made.
    pub(super) make: Make,
    /// How many cards there are of it.
    pub(super) cards: usize,
}

const fn row(name: &'static str, expected: Expected, share: u32, cards: usize, make: Make) -> RiderRow {
    RiderRow { name, expected, share, make, cards }
}

/// Every kind. Shares come to a hundred.
pub const RIDERS: &[RiderRow] = &[
    row("good, quick path", Expected::Open, 40, 40, Make::Good("unionpay-transit")),
    row("good, legacy", Expected::Open, 14, 16, Make::Legacy),
    row("good, kernel 3", Expected::Open, 8, 16, Make::Good("visa-like")),
    row("good, kernel 2", Expected::Open, 8, 16, Make::Good("mastercard-like")),
    row("same card again", Expected::Shut, 4, 0, Make::Again),
    row("poor", Expected::OpenUntilDeclined, 2, 8, Make::Poor),
    row("denied", Expected::Shut, 5, 8, Make::Denied),
    row("expired", Expected::Shut, 4, 4, Make::Expired),
    row("cloned", Expected::Shut, 5, 4, Make::Copied),
    row("replayed", Expected::Shut, 2, 2, Make::Replayed),
    row("torn", Expected::Shut, 5, 12, Make::Torn),
    row("unreadable", Expected::Shut, 3, 3, Make::Unreadable),
];
