//! InAtr, 50: a greeting in NFC-DEP (PN532 user manual, 7.3.6).

use super::{ChipCommand, Exchanged, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Greets a target of NFC-DEP that was found before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InAtr {
    /// Tg, the target's number.
    pub target: u8,
    /// NFCID3i; the chip draws one itself.
    pub id: Option<[u8; 10]>,
    /// Gi, at most 48 bytes.
    pub general: Vec<u8>,
}

impl ChipCommand for InAtr {
    const CODE: u8 = 0x50;
    const NAME: &'static str = "InAtr";
    type Answer = Exchanged;
}

impl Wire for InAtr {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.target);
        out.push(u8::from(self.id.is_some()) | u8::from(!self.general.is_empty()) << 1);
        out.extend(self.id.iter().flatten());
        out.extend_from_slice(&self.general);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [target, next] = cursor.array("Tg and Next")?;
        let id = (next & 1 != 0).then(|| cursor.array("NFCID3i")).transpose()?;
        let general = if next & 2 != 0 { cursor.rest().to_vec() } else { Vec::new() };
        Ok(Self { target, id, general })
    }
}
