//! The response code behind an M/Chip ARPC: the last two bytes of issuer authentication
//! data (91). No public source has its bits, so there are two readings of them.

use serde::{Deserialize, Serialize};

/// What happens to the offline counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterUpdate {
    /// They stay.
    Keep,
    /// They are set to their upper limits: the next transaction goes online.
    ToUpperLimits,
    /// They begin again.
    Reset,
    /// The transaction is added to them.
    Add,
}

/// Which bits of byte 2 say what. PIN tries stand in byte 1 bits 4 to 1, and what happens to
/// the counters in byte 2 bits 2 and 1, either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseBits {
    /// Approval in bit 5, PIN tries in bit 4, online next in bit 3: what makes the well-known
    /// 0010 an approval.
    #[default]
    ApprovalInBit5,
    /// As byte 2 of the card status update: approval in bit 8, PIN tries in bit 5, online
    /// next in bit 4 (EMV Book 3 C10).
    CardStatusUpdate,
}

/// The two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseCode(pub [u8; 2]);

impl ResponseCode {
    /// The issuer approves, and the counters begin again.
    pub const APPROVED: Self = Self([0x00, 0x12]);
    /// The issuer does not approve.
    pub const DECLINED: Self = Self([0x00, 0x00]);

    /// Whether the issuer approves.
    pub const fn approves(self, bits: ResponseBits) -> bool {
        self.0[1] & bits.approval() != 0
    }

    /// Whether the next transaction has to go online.
    pub const fn goes_online_next(self, bits: ResponseBits) -> bool {
        self.0[1] & bits.online_next() != 0
    }

    /// The PIN tries that are set.
    pub const fn pin_tries(self, bits: ResponseBits) -> Option<u8> {
        if self.0[1] & bits.pin_tries() != 0 { Some(self.0[0] & 0x0F) } else { None }
    }

    /// What happens to the offline counters.
    pub const fn counters(self) -> CounterUpdate {
        match self.0[1] & 0x03 {
            0 => CounterUpdate::Keep,
            1 => CounterUpdate::ToUpperLimits,
            2 => CounterUpdate::Reset,
            _ => CounterUpdate::Add,
        }
    }
}

impl ResponseBits {
    const fn approval(self) -> u8 {
        match self {
            Self::ApprovalInBit5 => 0x10,
            Self::CardStatusUpdate => 0x80,
        }
    }

    const fn pin_tries(self) -> u8 {
        match self {
            Self::ApprovalInBit5 => 0x08,
            Self::CardStatusUpdate => 0x10,
        }
    }

    const fn online_next(self) -> u8 {
        match self {
            Self::ApprovalInBit5 => 0x04,
            Self::CardStatusUpdate => 0x08,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_have_their_meanings() {
        let bits = ResponseBits::ApprovalInBit5;
        assert!(ResponseCode::APPROVED.approves(bits) && !ResponseCode::DECLINED.approves(bits));
        assert_eq!(ResponseCode::APPROVED.counters(), CounterUpdate::Reset);
        let all = ResponseCode([0x03, 0x0D]);
        assert_eq!((all.pin_tries(bits), all.goes_online_next(bits)), (Some(3), true));
        assert_eq!((all.counters(), all.approves(bits)), (CounterUpdate::ToUpperLimits, false));
    }

    #[test]
    fn a_card_status_update_has_them_elsewhere() {
        let bits = ResponseBits::CardStatusUpdate;
        assert!(!ResponseCode::APPROVED.approves(bits));
        let all = ResponseCode([0x03, 0x98]);
        assert!(all.approves(bits) && all.goes_online_next(bits));
        assert_eq!((all.pin_tries(bits), all.counters()), (Some(3), CounterUpdate::Keep));
    }
}
