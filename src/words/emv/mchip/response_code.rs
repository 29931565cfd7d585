//! The response code behind an M/Chip ARPC: the last two bytes of issuer authentication
//! data (91). Its bits are our own reading: those of byte 2 of the card status update
//! (EMV Book 3 C10), with the approval in bit 5, which makes the well-known 0010.

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

/// The two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseCode(pub [u8; 2]);

impl ResponseCode {
    /// The issuer approves, and the counters begin again.
    pub const APPROVED: Self = Self([0x00, 0x12]);
    /// The issuer does not approve.
    pub const DECLINED: Self = Self([0x00, 0x00]);

    /// Whether the issuer approves (byte 2 bit 5).
    pub const fn approves(self) -> bool {
        self.0[1] & 0x10 != 0
    }

    /// Whether the next transaction has to go online (byte 2 bit 3).
    pub const fn goes_online_next(self) -> bool {
        self.0[1] & 0x04 != 0
    }

    /// The PIN tries that are set (byte 2 bit 4, byte 1 bits 4 to 1).
    pub const fn pin_tries(self) -> Option<u8> {
        if self.0[1] & 0x08 != 0 { Some(self.0[0] & 0x0F) } else { None }
    }

    /// What happens to the offline counters (byte 2 bits 2 and 1).
    pub const fn counters(self) -> CounterUpdate {
        match self.0[1] & 0x03 {
            0 => CounterUpdate::Keep,
            1 => CounterUpdate::ToUpperLimits,
            2 => CounterUpdate::Reset,
            _ => CounterUpdate::Add,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_have_their_meanings() {
        assert!(ResponseCode::APPROVED.approves() && !ResponseCode::DECLINED.approves());
        assert_eq!(ResponseCode::APPROVED.counters(), CounterUpdate::Reset);
        let all = ResponseCode([0x03, 0x0D]);
        assert_eq!((all.pin_tries(), all.goes_online_next()), (Some(3), true));
        assert_eq!((all.counters(), all.approves()), (CounterUpdate::ToUpperLimits, false));
    }
}
