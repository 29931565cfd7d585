//! RATS, ATS and PPS: how a card of type A goes over to ISO/IEC 14443-4 (5.1 to 5.3).

use super::on_air::CARRIER_HZ;
use super::{FRAME_SIZES, Iso14443Error};
use crate::base::bytes::Cursor;
use std::time::Duration;

const RATS: u8 = 0xE0;
const PPS: u8 = 0xD0;
/// PPS0: PPS1 follows, which is always so here.
const PPS0: u8 = 0x11;
/// T0: TA, TB and TC follow.
const HAS_TA: u8 = 0x10;
const HAS_TB: u8 = 0x20;
const HAS_TC: u8 = 0x40;
/// FSCI where an ATS says nothing (5.2.2).
const DEFAULT_FSCI: u8 = 2;
/// FWI where an ATS says nothing (5.2.5).
const DEFAULT_FWI: u8 = 4;
/// The highest FWI; 15 is not to be used and means the default.
const HIGHEST_FWI: u8 = 14;

/// The largest frame in bytes that an FSDI or FSCI stands for, CRC counted.
pub fn frame_size(index: u8) -> usize {
    let last = FRAME_SIZES.len() - 1;
    usize::from(FRAME_SIZES[usize::from(index).min(last)])
}

/// FWT, the time in which a card answers: 256 x 16/fc x 2^FWI (7.2).
pub fn frame_waiting_time(fwi: u8) -> Duration {
    let fwi = if fwi > HIGHEST_FWI { DEFAULT_FWI } else { fwi };
    Duration::from_nanos((4096_u64 << fwi) * 1_000_000_000 / CARRIER_HZ)
}

/// RATS, the request for the answer to select.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rats {
    /// FSDI, 0 to 8: the largest frame that the reader takes.
    pub fsdi: u8,
    /// CID, 0 to 14: the number by which the card is called.
    pub cid: u8,
}

impl Rats {
    /// Reads one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Iso14443Error> {
        let mut cursor = Cursor::new(bytes);
        let expected = "E0 (RATS)";
        match cursor.byte(expected)? {
            RATS => {}
            found => return Err(Iso14443Error::Unexpected { expected, found, offset: 0 }),
        }
        let parameter = cursor.byte("FSDI and CID")?;
        Ok(Self { fsdi: parameter >> 4, cid: parameter & 0x0F })
    }

    /// Its bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        vec![RATS, self.fsdi << 4 | self.cid & 0x0F]
    }
}

/// ATS, the answer to select.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ats {
    /// FSCI, 0 to 8: the largest frame that the card takes; `None` where T0 is absent.
    pub fsci: Option<u8>,
    /// TA: bit rates.
    pub rates: Option<u8>,
    /// TB: FWI and SFGI.
    pub times: Option<u8>,
    /// TC: whether NAD and CID are understood.
    pub options: Option<u8>,
    /// Historical bytes.
    pub historical: Vec<u8>,
}

impl Ats {
    /// Reads one, with its length byte TL.
    pub fn parse(bytes: &[u8]) -> Result<Self, Iso14443Error> {
        let mut cursor = Cursor::new(bytes);
        let length = cursor.byte("TL")?;
        if length == 0 {
            let expected = "TL of 1 or more";
            return Err(Iso14443Error::Unexpected { expected, found: length, offset: 0 });
        }
        let mut cursor = Cursor::new(cursor.take(usize::from(length) - 1, "ATS")?);
        if cursor.is_empty() {
            return Ok(Self::default());
        }
        let format = cursor.byte("T0")?;
        let mut interface = |bit: u8, what| (format & bit != 0).then(|| cursor.byte(what)).transpose();
        let (rates, times, options) =
            (interface(HAS_TA, "TA")?, interface(HAS_TB, "TB")?, interface(HAS_TC, "TC")?);
        let historical = cursor.rest().to_vec();
        Ok(Self { fsci: Some(format & 0x0F), rates, times, options, historical })
    }

    /// Its bytes, with TL. Without an FSCI it is TL alone.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Some(fsci) = self.fsci else { return vec![1] };
        let interface = [(HAS_TA, self.rates), (HAS_TB, self.times), (HAS_TC, self.options)];
        let present = interface.iter().filter(|(_, byte)| byte.is_some());
        let format = present.fold(fsci & 0x0F, |format, (bit, _)| format | bit);
        let mut bytes = vec![0, format];
        bytes.extend(interface.iter().filter_map(|(_, byte)| *byte));
        bytes.extend_from_slice(&self.historical);
        bytes[0] = bytes.len() as u8;
        bytes
    }

    /// The largest frame that the card takes, bytes.
    pub fn frame_size(&self) -> usize {
        frame_size(self.fsci.unwrap_or(DEFAULT_FSCI))
    }

    /// How long the card may take for an answer.
    pub fn waiting_time(&self) -> Duration {
        frame_waiting_time(self.times.map_or(DEFAULT_FWI, |times| times >> 4))
    }
}

/// PPS: the bit rates change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pps {
    /// CID of the card.
    pub cid: u8,
    /// DSI and DRI: the divisor towards the reader in bits 4 and 3, to the card in 2 and 1.
    pub divisors: u8,
}

impl Pps {
    /// Reads one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Iso14443Error> {
        let mut cursor = Cursor::new(bytes);
        let start = cursor.byte("PPSS")?;
        if start & 0xF0 != PPS {
            let expected = "Dx (PPS)";
            return Err(Iso14443Error::Unexpected { expected, found: start, offset: 0 });
        }
        // Without PPS1 nothing changes.
        let has_rates = cursor.byte("PPS0")? & 0x10 != 0;
        let divisors = if has_rates { cursor.byte("PPS1")? & 0x0F } else { 0 };
        Ok(Self { cid: start & 0x0F, divisors })
    }

    /// Its bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        vec![PPS | self.cid & 0x0F, PPS0, self.divisors & 0x0F]
    }

    /// The card's answer: its first byte.
    pub fn answer(self) -> Vec<u8> {
        vec![PPS | self.cid & 0x0F]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use proptest::prelude::*;

    #[test]
    fn an_ats_of_a_real_card_is_understood() {
        // DESFire EV1's, NXP AN10833.
        let bytes = parse_hex("067577810280").unwrap();
        let ats = Ats::parse(&bytes).unwrap();
        assert_eq!((ats.frame_size(), ats.waiting_time().as_micros()), (64, 77_328));
        assert_eq!((ats.rates, ats.options, ats.historical.as_slice()), (Some(0x77), Some(2), &[0x80][..]));
        assert_eq!(ats.to_bytes(), bytes);
        let least = Ats::parse(&[1]).unwrap();
        assert_eq!((least.frame_size(), least.to_bytes()), (32, vec![1]));
    }

    #[test]
    fn what_is_no_frame_says_where() {
        assert!(Ats::parse(&[0]).unwrap_err().to_string().contains("TL of 1 or more at offset 0"));
        assert!(Ats::parse(&[3, 0x70]).unwrap_err().to_string().contains("2 bytes of ATS"));
        assert!(Ats::parse(&[2, 0x70]).unwrap_err().to_string().contains("1 bytes of TA"));
        assert!(Rats::parse(&[0xE1, 0]).unwrap_err().to_string().contains("E0 (RATS)"));
        assert_eq!(Pps::parse(&[0xD0, 0x01]), Ok(Pps { cid: 0, divisors: 0 }));
        assert_eq!((frame_size(8), frame_size(15)), (256, 256));
        assert_eq!(frame_waiting_time(15), frame_waiting_time(4));
    }

    proptest! {
        #[test]
        fn what_is_written_is_understood(
            fsci in 0u8..16, interface in any::<[Option<u8>; 3]>(),
            historical in prop::collection::vec(any::<u8>(), 0..16), parameter in any::<u8>(),
        ) {
            let [rates, times, options] = interface;
            let ats = Ats { fsci: Some(fsci), rates, times, options, historical };
            prop_assert_eq!(Ats::parse(&ats.to_bytes()), Ok(ats));
            let rats = Rats { fsdi: parameter >> 4, cid: parameter & 0x0F };
            prop_assert_eq!(Rats::parse(&rats.to_bytes()), Ok(rats));
            let pps = Pps { cid: parameter >> 4, divisors: parameter & 0x0F };
            prop_assert_eq!(Pps::parse(&pps.to_bytes()), Ok(pps));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..30)) {
            let _ = (Rats::parse(&bytes), Ats::parse(&bytes), Pps::parse(&bytes));
        }
    }
}
