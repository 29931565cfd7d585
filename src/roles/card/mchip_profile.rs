//! What an M/Chip application does where public sources leave it open: switches of a card
//! profile, each with the reading that is ours. Data objects of the card may not enter.

use crate::words::emv::mchip::ResponseBits;
use serde::{Deserialize, Serialize};

/// The switches, `[application.mchip]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MchipProfile {
    /// Whether the decline code (C3, CF) turns down an ARQC that the terminal asks for too;
    /// else a TC alone.
    pub declines_requests: bool,
    /// Whether, at a terminal without a line to an issuer, the default code (C4, CD) counts
    /// by itself; else only where the online code (C5, CE) has a bit as well.
    pub default_alone: bool,
    /// Whether every offline approval is counted; else only one whose amount cannot be added
    /// to the total, as it is in another currency.
    pub counts_every: bool,
    /// Which bits of the code behind an ARPC say what.
    pub response_bits: ResponseBits,
}

impl Default for MchipProfile {
    fn default() -> Self {
        Self {
            declines_requests: true,
            default_alone: false,
            counts_every: true,
            response_bits: ResponseBits::default(),
        }
    }
}
