//! TgInitAsTarget, 8C: the chip becomes a card or target (PN532 user manual, 7.3.14).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// The chip becomes a card, or a target of NFC-DEP, and waits for a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TgInitAsTarget {
    /// The bits below.
    pub mode: u8,
    /// SENS_RES, least significant byte first.
    pub sens_res: [u8; 2],
    /// The last three bytes of NFCID1; the first one is 08.
    pub uid: [u8; 3],
    /// SEL_RES.
    pub sel_res: u8,
    /// NFCID2, PAD and system code.
    pub felica: [u8; 18],
    /// NFCID3t.
    pub id: [u8; 10],
    /// Gt.
    pub general: Vec<u8>,
    /// Tk, the historical bytes of the ATS.
    pub historical: Vec<u8>,
}

impl ChipCommand for TgInitAsTarget {
    const CODE: u8 = 0x8C;
    const NAME: &'static str = "TgInitAsTarget";
    type Answer = Met;
}

impl Wire for TgInitAsTarget {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.mode);
        out.extend(self.sens_res);
        out.extend(self.uid);
        out.push(self.sel_res);
        out.extend(self.felica);
        out.extend(self.id);
        out.push(self.general.len() as u8);
        out.extend_from_slice(&self.general);
        out.push(self.historical.len() as u8);
        out.extend_from_slice(&self.historical);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let mode = cursor.byte("Mode")?;
        let (sens_res, uid) = (cursor.array("SENS_RES")?, cursor.array("NFCID1t")?);
        let sel_res = cursor.byte("SEL_RES")?;
        let (felica, id) = (cursor.array("FeliCaParams")?, cursor.array("NFCID3t")?);
        // Hosts leave out lengths of nothing.
        let mut part = |what| -> Result<Vec<u8>, Truncated> {
            let length = if cursor.is_empty() { 0 } else { cursor.byte(what)? };
            Ok(cursor.take(usize::from(length), what)?.to_vec())
        };
        let (general, historical) = (part("Gt")?, part("Tk")?);
        Ok(Self { mode, sens_res, uid, sel_res, felica, id, general, historical })
    }
}

impl TgInitAsTarget {
    /// Passive communication only.
    pub const PASSIVE: u8 = 0x01;
    /// NFC-DEP only.
    pub const DEP: u8 = 0x02;
    /// ISO/IEC 14443-4 only.
    pub const PICC: u8 = 0x04;
}

/// A reader, or an initiator, has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// The rate in bits 7 to 5; bit 4 ISO/IEC 14443-4, bit 3 NFC-DEP, bits 2 and 1 the framing.
    pub mode: u8,
    /// Its first words.
    pub command: Vec<u8>,
}

impl Met {
    /// The reader speaks ISO/IEC 14443-4.
    pub const PICC: u8 = 0x08;
    /// The initiator speaks NFC-DEP.
    pub const DEP: u8 = 0x04;
    /// Frames are FeliCa's.
    pub const FELICA: u8 = 0x02;
}

impl Wire for Met {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.mode);
        out.extend_from_slice(&self.command);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { mode: cursor.byte("Mode")?, command: cursor.rest().to_vec() })
    }
}
