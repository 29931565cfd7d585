//! The issuer's rules: figures and switches that a deployment may change.

use crate::words::iso4217::Currency;
use crate::words::pboc::idd_mac::IddMacPadding;

/// What the issuer allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The most that an electronic cash balance may come to in a currency, minor
    /// units, whatever the card's own limit (9F77, DF77) says. A currency that is
    /// absent has no such cap.
    pub ecash_caps_minor: Vec<(Currency, u64)>,
    /// How the MAC over issuer discretionary data is padded.
    pub idd_mac_padding: IddMacPadding,
    /// How many wrong online PINs in a row a card may have, 1 to 15.
    pub pin_tries: u8,
    /// Whether a load from the linked account needs the online PIN of a card that has one.
    pub load_needs_pin: bool,
}

impl Rules {
    /// The cap of a currency, minor units.
    pub fn ecash_cap_minor(&self, currency: Currency) -> Option<u64> {
        self.ecash_caps_minor.iter().find(|row| row.0 == currency).map(|row| row.1)
    }
}

impl Default for Rules {
    /// Electronic cash up to 1000.00 renminbi, three PIN tries, PIN with every load.
    fn default() -> Self {
        Self {
            ecash_caps_minor: vec![(Currency::CNY, 100_000)],
            idd_mac_padding: IddMacPadding::default(),
            pin_tries: 3,
            load_needs_pin: true,
        }
    }
}
