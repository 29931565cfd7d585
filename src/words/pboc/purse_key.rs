//! The keys of a purse card and the master keys that they come from: left half the master key
//! over the application serial number, right half over its complement.

use crate::base::bytes::{Secret, digits_to_bcd};
use crate::base::crypto::purse_card_key;
use crate::words::emv::Pan;

/// What a key of a purse card is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PurseKeyKind {
    /// Load (DLK).
    Load,
    /// Purchase and cash withdrawal (DPK).
    Purchase,
    /// Unload (DULK).
    Unload,
    /// Overdraft limit (DUK).
    Overdraft,
    /// TAC (DTK).
    Tac,
    /// MACs of updates, block and unblock (DAMK).
    Maintenance,
    /// RELOAD PIN (DRPK).
    ReloadPin,
    /// EXTERNAL and INTERNAL AUTHENTICATE.
    Authentication,
}

impl PurseKeyKind {
    /// Every kind, in the order of [`PurseKeys`].
    pub const ALL: [Self; 8] = [
        Self::Load,
        Self::Purchase,
        Self::Unload,
        Self::Overdraft,
        Self::Tac,
        Self::Maintenance,
        Self::ReloadPin,
        Self::Authentication,
    ];
}

/// One key of each kind: a card's, or the master keys of an issuer.
#[derive(Debug, Clone)]
pub struct PurseKeys([Secret<[u8; 16]>; 8]);

impl PurseKeys {
    /// Of these keys, in the order of [`PurseKeyKind::ALL`].
    pub const fn new(keys: [Secret<[u8; 16]>; 8]) -> Self {
        Self(keys)
    }

    /// The key of a kind.
    pub const fn of(&self, kind: PurseKeyKind) -> &Secret<[u8; 16]> {
        &self.0[kind as usize]
    }

    /// Every key, in the order of [`PurseKeyKind::ALL`].
    pub const fn all(&self) -> &[Secret<[u8; 16]>; 8] {
        &self.0
    }

    /// The keys of the card with this application serial number, where these are master keys.
    #[must_use]
    pub fn diversify(&self, serial: [u8; 8]) -> Self {
        Self(std::array::from_fn(|at| Secret::new(purse_card_key(self.0[at].expose(), serial))))
    }
}

/// The application serial number that keys come from: the last 16 digits of the card's number.
pub fn application_serial(number: &Pan) -> [u8; 8] {
    let digits = number.expose();
    let last = &digits[digits.len().saturating_sub(16)..];
    // A PAN holds decimal digits alone.
    digits_to_bcd(last, 8).ok().and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_and_purposes_have_keys_of_their_own() {
        let master = PurseKeys::new(std::array::from_fn(|at| Secret::new([at as u8; 16])));
        let number = Pan::new("3104000100000001").unwrap();
        let serial = application_serial(&number);
        assert_eq!(serial, [0x31, 0x04, 0, 1, 0, 0, 0, 1]);
        let card = master.diversify(serial);
        for (at, kind) in PurseKeyKind::ALL.into_iter().enumerate() {
            assert_eq!(*card.of(kind).expose(), purse_card_key(&[at as u8; 16], serial), "{kind:?}");
        }
        let longer = application_serial(&Pan::new("6200001234567890123").unwrap());
        assert_eq!(longer, [0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0x01, 0x23]);
    }
}
