//! ATR_REQ and ATR_RES: who the two are, and how long frames may be (ISO/IEC 18092, 12.6.1).

use super::NfcDepError;
use crate::base::bytes::Cursor;

/// General bytes follow (bit 2 of PP).
const GENERAL_BYTES: u8 = 0x02;
/// Where the length reduction stands in PP.
const REDUCTION_SHIFT: u8 = 4;

/// The most bytes that a transport frame may have, command bytes included (table of PP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LengthReduction(u8);

impl LengthReduction {
    /// 254 bytes, the most.
    pub const LONGEST: Self = Self(3);

    /// In bytes: 64, 128, 192 or 254.
    pub fn bytes(self) -> usize {
        [64, 128, 192, 254][usize::from(self.0 & 3)]
    }

    fn of(pp: u8) -> Self {
        Self(pp >> REDUCTION_SHIFT & 3)
    }

    fn pp(self, general: &[u8]) -> u8 {
        self.0 << REDUCTION_SHIFT | if general.is_empty() { 0 } else { GENERAL_BYTES }
    }
}

/// ATR_REQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeRequest {
    /// NFCID3i.
    pub id: [u8; 10],
    /// DID that the target shall have, 0 for none.
    pub did: u8,
    /// BSi and BRi: rates that the initiator knows beside those of passive communication.
    pub rates: [u8; 2],
    /// How long frames to it may be.
    pub length: LengthReduction,
    /// Gi.
    pub general: Vec<u8>,
}

/// ATR_RES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeResponse {
    /// NFCID3t.
    pub id: [u8; 10],
    /// DID that the target has, 0 for none.
    pub did: u8,
    /// BSt and BRt.
    pub rates: [u8; 2],
    /// TO: how long it may take to answer, see [`super::waiting_time`].
    pub timeout: u8,
    /// How long frames to it may be.
    pub length: LengthReduction,
    /// Gt.
    pub general: Vec<u8>,
}

impl AttributeRequest {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, NfcDepError> {
        let id = cursor.array("NFCID3i")?;
        let [did, bs, br, pp] = cursor.array("DIDi, BSi, BRi and PPi")?;
        let general = cursor.rest().to_vec();
        Ok(Self { id, did, rates: [bs, br], length: LengthReduction::of(pp), general })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.id);
        out.extend([self.did, self.rates[0], self.rates[1], self.length.pp(&self.general)]);
        out.extend_from_slice(&self.general);
    }
}

impl AttributeResponse {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, NfcDepError> {
        let id = cursor.array("NFCID3t")?;
        let [did, bs, br, to, pp] = cursor.array("DIDt, BSt, BRt, TO and PPt")?;
        let general = cursor.rest().to_vec();
        let (timeout, length) = (to & 0x0F, LengthReduction::of(pp));
        Ok(Self { id, did, rates: [bs, br], timeout, length, general })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.id);
        let pp = self.length.pp(&self.general);
        out.extend([self.did, self.rates[0], self.rates[1], self.timeout & 0x0F, pp]);
        out.extend_from_slice(&self.general);
    }
}
