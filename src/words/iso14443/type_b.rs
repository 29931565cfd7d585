//! Type B from the request to the selection: ISO/IEC 14443-3, 7. The names are the NFC Forum's:
//! SENSB is REQB and ATQB.

use super::Iso14443Error;
use crate::base::bytes::Cursor;

const SENSB_REQ: u8 = 0x05;
const SENSB_RES: u8 = 0x50;
const ATTRIB: u8 = 0x1D;
/// PARAM: sleeping cards are meant too (WUPB).
const ALL: u8 = 0x08;

/// SENSB_REQ (REQB), or ALLB_REQ (WUPB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SensbReq {
    /// AFI: which kind of application; 00 is any.
    pub family: u8,
    /// PARAM: wake-up, and how many slots.
    pub parameter: u8,
}

impl SensbReq {
    /// Reads one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Iso14443Error> {
        let mut cursor = Cursor::new(bytes);
        begin(&mut cursor, SENSB_REQ, "05 (SENSB_REQ)")?;
        let [family, parameter] = cursor.array("AFI and PARAM")?;
        Ok(Self { family, parameter })
    }

    /// Its bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        vec![SENSB_REQ, self.family, self.parameter]
    }

    /// Whether sleeping cards are meant too.
    pub fn wakes(self) -> bool {
        self.parameter & ALL != 0
    }
}

/// SENSB_RES (ATQB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SensbRes {
    /// PUPI (NFCID0).
    pub id: [u8; 4],
    /// Application data.
    pub application: [u8; 4],
    /// Bit rates; FSCI and protocol; FWI, ADC and FO.
    pub protocol: [u8; 3],
}

impl SensbRes {
    /// Reads one; a fourth byte of protocol information is passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, Iso14443Error> {
        let mut cursor = Cursor::new(bytes);
        begin(&mut cursor, SENSB_RES, "50 (SENSB_RES)")?;
        Ok(Self {
            id: cursor.array("PUPI")?,
            application: cursor.array("application data")?,
            protocol: cursor.array("protocol information")?,
        })
    }

    /// Its bytes.
    pub fn to_bytes(self) -> [u8; 12] {
        let ([a, b, c, d], [e, f, g, h], [i, j, k]) = (self.id, self.application, self.protocol);
        [SENSB_RES, a, b, c, d, e, f, g, h, i, j, k]
    }

    /// FSCI, 0 to 8: the largest frame that the card takes.
    pub fn fsci(self) -> u8 {
        self.protocol[1] >> 4
    }

    /// FWI, 0 to 14: how long the card may take.
    pub fn fwi(self) -> u8 {
        self.protocol[2] >> 4
    }

    /// Whether it speaks ISO/IEC 14443-4.
    pub fn is_iso_dep(self) -> bool {
        self.protocol[1] & 1 == 1
    }
}

/// ATTRIB, which selects a card of type B.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attrib {
    /// PUPI of the card that is meant.
    pub id: [u8; 4],
    /// FSDI, 0 to 8: the largest frame that the reader takes.
    pub fsdi: u8,
    /// CID, 0 to 14.
    pub cid: u8,
}

impl Attrib {
    /// Reads one; rates other than 106 kbit/s and higher layer data are passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, Iso14443Error> {
        let mut cursor = Cursor::new(bytes);
        begin(&mut cursor, ATTRIB, "1D (ATTRIB)")?;
        let id = cursor.array("PUPI")?;
        let [_, second, _, fourth] = cursor.array("parameters 1 to 4")?;
        Ok(Self { id, fsdi: second & 0x0F, cid: fourth & 0x0F })
    }

    /// Its bytes, at 106 kbit/s both ways.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[ATTRIB][..], &self.id, &[0x00, self.fsdi & 0x0F, 0x01, self.cid & 0x0F]].concat()
    }
}

fn begin(cursor: &mut Cursor<'_>, wanted: u8, expected: &'static str) -> Result<(), Iso14443Error> {
    match cursor.byte(expected)? {
        found if found == wanted => Ok(()),
        found => Err(Iso14443Error::Unexpected { expected, found, offset: 0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_understood() {
        let request = SensbReq { family: 0, parameter: 0x08 };
        assert_eq!(SensbReq::parse(&request.to_bytes()), Ok(request));
        assert!(request.wakes());
        let protocol = [0x00, 0x81, 0x71];
        let response = SensbRes { id: [1, 2, 3, 4], application: [0; 4], protocol };
        assert_eq!(SensbRes::parse(&response.to_bytes()), Ok(response));
        assert_eq!((response.fsci(), response.fwi(), response.is_iso_dep()), (8, 7, true));
        let attrib = Attrib { id: [1, 2, 3, 4], fsdi: 8, cid: 0 };
        assert_eq!(attrib.to_bytes(), [0x1D, 1, 2, 3, 4, 0x00, 0x08, 0x01, 0x00]);
        assert_eq!(Attrib::parse(&attrib.to_bytes()), Ok(attrib));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = (SensbReq::parse(&bytes), SensbRes::parse(&bytes), Attrib::parse(&bytes));
        }
    }
}
