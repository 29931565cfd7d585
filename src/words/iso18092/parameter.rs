//! PSL_REQ: the bit rates change (ISO/IEC 18092, 12.6.3); and the times and rates that
//! both sides speak of.

use super::NfcDepError;
use crate::base::bytes::Cursor;
use std::time::Duration;

/// The carrier's frequency, in hertz (ISO/IEC 18092, 7).
const CARRIER_HZ: u64 = 13_560_000;

/// A bit rate of the air, by its divisor as ISO/IEC 18092 codes it: 0 to 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BitRate {
    /// 106 kbit/s.
    Kbps106,
    /// 212 kbit/s.
    Kbps212,
    /// 424 kbit/s.
    Kbps424,
}

impl BitRate {
    /// All that passive communication has, slowest first.
    pub const ALL: [Self; 3] = [Self::Kbps106, Self::Kbps212, Self::Kbps424];

    /// In kbit/s.
    pub fn kbps(self) -> u16 {
        106 << self.divisor()
    }

    /// As PSL_REQ has it.
    pub fn divisor(self) -> u8 {
        self as u8
    }

    /// The rate that PSL_REQ has so; `None` where passive communication has none.
    pub fn of_divisor(divisor: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rate| rate.divisor() == divisor)
    }
}

/// RWT, the time in which a target answers: 4096/fc x 2^TO, TO at most 14 (12.6.2).
pub fn waiting_time(to: u8) -> Duration {
    Duration::from_nanos((4096 << to.min(14)) * 1_000_000_000 / CARRIER_HZ)
}

/// PSL_REQ: which rates hold from the next frame on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterRequest {
    /// DID of the target, 0 where none is used.
    pub did: u8,
    /// BRS: the rate from initiator to target in bits 6 to 4, back in bits 3 to 1.
    pub rates: u8,
    /// FSL: the length reduction that holds, in bits 2 and 1.
    pub length: u8,
}

impl ParameterRequest {
    /// The same rate both ways, and frames of 254 bytes.
    pub fn at(rate: BitRate) -> Self {
        Self { did: 0, rates: rate.divisor() << 3 | rate.divisor(), length: 3 }
    }

    /// The rate of both ways; `None` where they differ or are not of passive communication.
    pub fn rate(self) -> Option<BitRate> {
        let (sent, back) = (self.rates >> 3 & 7, self.rates & 7);
        BitRate::of_divisor(sent).filter(|_| sent == back)
    }

    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, NfcDepError> {
        let [did, rates, length] = cursor.array("DID, BRS and FSL")?;
        Ok(Self { did, rates, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_are_the_standards() {
        assert_eq!(waiting_time(8).as_micros(), 77_328);
        assert_eq!(waiting_time(14).as_millis(), 4949);
        assert_eq!(waiting_time(15), waiting_time(14));
    }

    #[test]
    fn a_rate_is_named_both_ways() {
        assert_eq!(ParameterRequest::at(BitRate::Kbps424).rates, 0x12);
        assert_eq!(ParameterRequest::at(BitRate::Kbps212).rate(), Some(BitRate::Kbps212));
        assert_eq!(ParameterRequest { did: 0, rates: 0x0A, length: 3 }.rate(), None);
        assert_eq!(BitRate::ALL.map(BitRate::kbps), [106, 212, 424]);
    }
}
