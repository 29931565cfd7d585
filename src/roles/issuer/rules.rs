//! The issuer's rules: figures and switches that a deployment may change.

use super::Limits;
use crate::words::pboc::idd_mac::IddMacPadding;

/// What the issuer allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What accounts of each class and electronic cash may come to.
    pub limits: Limits,
    /// How the MAC over issuer discretionary data is padded.
    pub idd_mac_padding: IddMacPadding,
    /// How many wrong online PINs in a row a card may have, 1 to 15.
    pub pin_tries: u8,
    /// Whether a load from the linked account needs the online PIN of a card that has one.
    pub load_needs_pin: bool,
    /// The rules by which money in flight is settled.
    pub recovery: Recovery,
}

/// The host's recovery rules. All are on; a test switches one off to show that
/// money is lost or stays in flight without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The balance in a card's later cryptograms settles an open load.
    pub settle_by_evidence: bool,
    /// A script result that says that the card refused gives the money back.
    pub return_on_refusal: bool,
    /// A reversal of an unknown request bars it from acting later.
    pub bar_unknown_originals: bool,
    /// A transfer of phones is one row, whoever tells of it and how often.
    pub one_transfer_row: bool,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            settle_by_evidence: true,
            return_on_refusal: true,
            bar_unknown_originals: true,
            one_transfer_row: true,
        }
    }
}

impl Default for Rules {
    /// The built-in limits, three PIN tries, PIN with every load.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            idd_mac_padding: IddMacPadding::default(),
            pin_tries: 3,
            load_needs_pin: true,
            recovery: Recovery::default(),
        }
    }
}
