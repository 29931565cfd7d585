//! The blocks of ISO/IEC 14443-4 (7.1): information, acknowledgements, and what rules the
//! conversation itself.

use super::Iso14443Error;
use crate::base::bytes::Cursor;

const KIND: u8 = 0xC0;
const RECEIVE_READY: u8 = 0x80;
const SUPERVISORY: u8 = 0xC0;
/// Chaining in an I-block, NAK in an R-block.
const FLAG: u8 = 0x10;
const HAS_CID: u8 = 0x08;
const HAS_NAD: u8 = 0x04;
/// Set in every I-block and R-block, and in S(DESELECT) and S(WTX).
const FIXED: u8 = 0x02;
/// Set in every R-block.
const FIXED_R: u8 = 0x20;
const NUMBER: u8 = 0x01;
/// S(WTX) has both of these, S(DESELECT) none.
const WTX: u8 = 0x30;

/// A block, without its check sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// I-block: a part of an APDU.
    Information {
        /// Block number, 0 or 1.
        number: u8,
        /// Whether more parts follow.
        more: bool,
        /// CID, where one is used.
        cid: Option<u8>,
        /// NAD, where one is used.
        nad: Option<u8>,
        /// The part.
        data: Vec<u8>,
    },
    /// R-block: R(ACK) or R(NAK).
    Acknowledge {
        /// Block number, 0 or 1.
        number: u8,
        /// R(ACK), else R(NAK).
        is_positive: bool,
        /// CID, where one is used.
        cid: Option<u8>,
    },
    /// S(DESELECT): the card sleeps.
    Deselect {
        /// CID, where one is used.
        cid: Option<u8>,
    },
    /// S(WTX): the card needs more time, or is granted it.
    WaitingTimeExtension {
        /// CID, where one is used.
        cid: Option<u8>,
        /// WTXM in bits 6 to 1, 1 to 59: how often the waiting time.
        multiplier: u8,
    },
}

impl Block {
    /// An I-block that is addressed to nobody.
    pub fn information(number: u8, more: bool, data: impl Into<Vec<u8>>) -> Self {
        Self::Information { number: number & NUMBER, more, cid: None, nad: None, data: data.into() }
    }

    /// R(ACK).
    pub fn ack(number: u8) -> Self {
        Self::Acknowledge { number: number & NUMBER, is_positive: true, cid: None }
    }

    /// R(NAK).
    pub fn nak(number: u8) -> Self {
        Self::Acknowledge { number: number & NUMBER, is_positive: false, cid: None }
    }

    /// The same block to or from the card with this CID.
    #[must_use]
    pub fn with_cid(mut self, to: Option<u8>) -> Self {
        match &mut self {
            Self::Information { cid, .. }
            | Self::Acknowledge { cid, .. }
            | Self::Deselect { cid }
            | Self::WaitingTimeExtension { cid, .. } => *cid = to,
        }
        self
    }

    /// CID, where one is used.
    pub fn cid(&self) -> Option<u8> {
        match self {
            Self::Information { cid, .. }
            | Self::Acknowledge { cid, .. }
            | Self::Deselect { cid }
            | Self::WaitingTimeExtension { cid, .. } => *cid,
        }
    }

    /// Reads a block.
    ///
    /// # Errors
    /// It ends early, or its PCB is none of the standard's.
    pub fn parse(bytes: &[u8]) -> Result<Self, Iso14443Error> {
        let mut cursor = Cursor::new(bytes);
        let pcb = cursor.byte("PCB")?;
        let wrong = |expected| Iso14443Error::Unexpected { expected, found: pcb, offset: 0 };
        if pcb & FIXED == 0 {
            return Err(wrong("a PCB with bit 2 set"));
        }
        let cid = (pcb & HAS_CID != 0).then(|| cursor.byte("CID")).transpose()?.map(|cid| cid & 0x0F);
        let (number, flag) = (pcb & NUMBER, pcb & FLAG != 0);
        match pcb & KIND {
            0 if pcb & FIXED_R == 0 => {
                let nad = (pcb & HAS_NAD != 0).then(|| cursor.byte("NAD")).transpose()?;
                Ok(Self::Information { number, more: flag, cid, nad, data: cursor.rest().to_vec() })
            }
            RECEIVE_READY if pcb & FIXED_R != 0 && pcb & HAS_NAD == 0 => {
                Ok(Self::Acknowledge { number, is_positive: !flag, cid })
            }
            SUPERVISORY if pcb & WTX == WTX && pcb & (HAS_NAD | NUMBER) == 0 => {
                let multiplier = cursor.byte("WTXM")? & 0x3F;
                Ok(Self::WaitingTimeExtension { cid, multiplier })
            }
            SUPERVISORY if pcb & (WTX | HAS_NAD | NUMBER) == 0 => Ok(Self::Deselect { cid }),
            _ => Err(wrong("a PCB of an I-block, R-block, S(DESELECT) or S(WTX)")),
        }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let cid = self.cid();
        let has_cid = flag(cid.is_some(), HAS_CID);
        let (pcb, nad, data): (u8, Option<u8>, &[u8]) = match self {
            Self::Information { number, more, nad, data, .. } => {
                (number & NUMBER | flag(*more, FLAG) | flag(nad.is_some(), HAS_NAD), *nad, data)
            }
            Self::Acknowledge { number, is_positive, .. } => {
                (RECEIVE_READY | FIXED_R | number & NUMBER | flag(!is_positive, FLAG), None, &[])
            }
            Self::Deselect { .. } => (SUPERVISORY, None, &[]),
            Self::WaitingTimeExtension { multiplier, .. } => {
                (SUPERVISORY | WTX, None, std::slice::from_ref(multiplier))
            }
        };
        [pcb | FIXED | has_cid].into_iter().chain(cid).chain(nad).chain(data.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_standards_blocks_are_written() {
        let rows: [(Block, &[u8]); 8] = [
            (Block::information(0, false, [0x00, 0xA4]), &[0x02, 0x00, 0xA4]),
            (Block::information(1, true, [1]), &[0x13, 1]),
            (Block::ack(0), &[0xA2]),
            (Block::ack(1), &[0xA3]),
            (Block::nak(0), &[0xB2]),
            (Block::Deselect { cid: None }, &[0xC2]),
            (Block::WaitingTimeExtension { cid: None, multiplier: 1 }, &[0xF2, 1]),
            (Block::Deselect { cid: Some(3) }, &[0xCA, 3]),
        ];
        for (block, bytes) in rows {
            assert_eq!((block.to_bytes().as_slice(), Block::parse(bytes)), (bytes, Ok(block)));
        }
    }

    #[test]
    fn what_is_no_block_says_so() {
        for pcb in [0x00, 0x22, 0x42, 0x82, 0xA6, 0xD2, 0xC3] {
            let told = Block::parse(&[pcb, 0, 0]).unwrap_err().to_string();
            assert!(told.contains(&format!("at offset 0, found {pcb:02X}")), "{told}");
        }
        assert!(Block::parse(&[]).is_err() && Block::parse(&[0xF2]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            if let Ok(block) = Block::parse(&bytes) {
                prop_assert_eq!(Block::parse(&block.to_bytes()), Ok(block));
            }
        }
    }
}
