//! InJumpForDep, 56: finds a target of NFC-DEP and greets it (PN532 user manual, 7.3.3).

use super::{ChipCommand, Exchanged, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Finds a target of NFC-DEP and greets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InJumpForDep {
    /// ActPass: 00 passive, 01 active communication.
    pub mode: u8,
    /// BR: 00 is 106, 01 is 212, 02 is 424 kbit/s.
    pub rate: u8,
    /// What polls in passive communication: five bytes of SENSF_REQ at 212 and 424 kbit/s; at 106 an NFCID1 of four.
    pub passive: Vec<u8>,
    /// NFCID3i; the chip draws one itself.
    pub id: Option<[u8; 10]>,
    /// Gi, at most 48 bytes.
    pub general: Vec<u8>,
}

impl ChipCommand for InJumpForDep {
    const CODE: u8 = 0x56;
    const NAME: &'static str = "InJumpForDep";
    /// Behind the status Tg, and ATR_RES behind its command bytes: NFCID3t, DIDt, BSt, BRt, TO, PPt, Gt.
    type Answer = Exchanged;
}

impl Wire for InJumpForDep {
    fn write(&self, out: &mut Vec<u8>) {
        let next = |is_there: bool, bit: u8| if is_there { bit } else { 0 };
        out.extend([self.mode, self.rate]);
        out.push(
            next(!self.passive.is_empty(), Self::HAS_PASSIVE)
                | next(self.id.is_some(), Self::HAS_ID)
                | next(!self.general.is_empty(), Self::HAS_GENERAL),
        );
        out.extend_from_slice(&self.passive);
        out.extend(self.id.iter().flatten());
        out.extend_from_slice(&self.general);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [mode, rate, next] = cursor.array("ActPass, BR and Next")?;
        let length = if rate == 0 { 4 } else { 5 };
        let passive = if next & Self::HAS_PASSIVE != 0 { cursor.take(length, "what polls")? } else { &[] };
        let id = (next & Self::HAS_ID != 0).then(|| cursor.array("NFCID3i")).transpose()?;
        let general = if next & Self::HAS_GENERAL != 0 { cursor.rest() } else { &[] };
        Ok(Self { mode, rate, passive: passive.to_vec(), id, general: general.to_vec() })
    }
}

impl InJumpForDep {
    /// Active communication, which both fields serve.
    pub const ACTIVE: u8 = 0x01;
    /// Next: what polls or names the target in passive communication is there.
    const HAS_PASSIVE: u8 = 0x01;
    /// Next: NFCID3 is there.
    const HAS_ID: u8 = 0x02;
    /// Next: general bytes are there.
    const HAS_GENERAL: u8 = 0x04;
}
