//! InListPassiveTarget, 4A: which cards are there (PN532 user manual, 7.3.5).

use super::{ChipCommand, Wire};
use crate::base::bytes::{Cursor, Truncated};

/// Looks for cards and selects them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InListPassiveTarget {
    /// MaxTg: 01 or 02.
    pub most: u8,
    /// BrTy: the constants below.
    pub kind: u8,
    /// Type A: the identifier of the card that is meant. Type B: AFI and how to poll. Type F: SENSF_REQ.
    pub data: Vec<u8>,
}

impl ChipCommand for InListPassiveTarget {
    const CODE: u8 = 0x4A;
    const NAME: &'static str = "InListPassiveTarget";
    type Answer = Listed;
}

impl Wire for InListPassiveTarget {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.most, self.kind]);
        out.extend_from_slice(&self.data);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [most, kind] = cursor.array("MaxTg and BrTy")?;
        Ok(Self { most, kind, data: cursor.rest().to_vec() })
    }
}

impl InListPassiveTarget {
    /// 106 kbit/s, type A.
    pub const A: u8 = 0x00;
    /// 212 kbit/s, FeliCa.
    pub const F212: u8 = 0x01;
    /// 424 kbit/s, FeliCa.
    pub const F424: u8 = 0x02;
    /// 106 kbit/s, type B.
    pub const B: u8 = 0x03;
}

/// The cards that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// NbTg.
    pub count: u8,
    /// Each with its number first: [`TargetA`] or [`TargetB`].
    pub data: Vec<u8>,
}

impl Wire for Listed {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.count);
        out.extend_from_slice(&self.data);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { count: cursor.byte("NbTg")?, data: cursor.rest().to_vec() })
    }
}

/// A card of type A.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetA {
    /// Tg.
    pub number: u8,
    /// SENS_RES, most significant byte first.
    pub sens_res: [u8; 2],
    /// SEL_RES.
    pub sel_res: u8,
    /// NFCID1.
    pub uid: Vec<u8>,
    /// ATS with its length byte, where the chip has asked for it.
    pub ats: Vec<u8>,
}

impl Wire for TargetA {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.number);
        out.extend(self.sens_res);
        out.extend([self.sel_res, self.uid.len() as u8]);
        out.extend_from_slice(&self.uid);
        out.extend_from_slice(&self.ats);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [number, high, low, sel_res, length] = cursor.array("Tg, SENS_RES, SEL_RES and a length")?;
        let uid = cursor.take(usize::from(length), "NFCID1")?.to_vec();
        Ok(Self { number, sens_res: [high, low], sel_res, uid, ats: cursor.rest().to_vec() })
    }
}

/// A card of type B.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetB {
    /// Tg.
    pub number: u8,
    /// SENSB_RES.
    pub response: [u8; 12],
    /// The answer to ATTRIB.
    pub attrib: Vec<u8>,
}

impl Wire for TargetB {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.number);
        out.extend(self.response);
        out.push(self.attrib.len() as u8);
        out.extend_from_slice(&self.attrib);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let number = cursor.byte("Tg")?;
        let response = cursor.array("SENSB_RES")?;
        let length = cursor.byte("a length")?;
        Ok(Self { number, response, attrib: cursor.take(usize::from(length), "ATTRIB_RES")?.to_vec() })
    }
}
