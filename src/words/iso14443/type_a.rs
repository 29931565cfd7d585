//! Type A from the first request to the selection: ISO/IEC 14443-3, 6. The names are the NFC
//! Forum's: SENS is REQA and ATQA, SDD the anticollision, SEL the selection and SAK.

/// SENS_REQ (REQA), a short frame of seven bits.
pub const SENS_REQ: u8 = 0x26;
/// ALL_REQ (WUPA), a short frame that wakes sleeping cards too.
pub const ALL_REQ: u8 = 0x52;
/// SLP_REQ (HLTA); it has no answer.
pub const SLP_REQ: [u8; 2] = [0x50, 0x00];
/// The command byte of anticollision and selection at each cascade level.
pub const SEL: [u8; 3] = [0x93, 0x95, 0x97];
/// NVB where nothing of the identifier is known.
pub const NVB_NONE: u8 = 0x20;
/// NVB where all of it is.
pub const NVB_ALL: u8 = 0x70;
/// CT, which stands before the first bytes of an identifier that goes on at the next level.
pub const CASCADE_TAG: u8 = 0x88;

/// SEL_RES (SAK): what the card speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SelRes(pub u8);

impl SelRes {
    /// The identifier goes on at the next level.
    pub const CASCADE: Self = Self(0x04);
    /// ISO/IEC 14443-4.
    pub const ISO_DEP: Self = Self(0x20);
    /// ISO/IEC 18092.
    pub const NFC_DEP: Self = Self(0x40);

    /// Whether every bit of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// BCC: the exclusive-or of the four bytes before it.
pub fn check_byte(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// The identifier (UID, NFCID1) of a card: 4, 7 or 10 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uid(Vec<u8>);

/// First byte of a single size identifier that is drawn anew each time (ISO/IEC 14443-3, 6.5.4).
const DRAWN: u8 = 0x08;

impl Uid {
    /// An identifier of four bytes that was drawn: 08 and these.
    pub fn drawn([a, b, c]: [u8; 3]) -> Self {
        Self(vec![DRAWN, a, b, c])
    }

    /// An identifier; `None` where it has another length than the standard's three.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        matches!(bytes.len(), 4 | 7 | 10).then_some(Self(bytes))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What each cascade level answers to an anticollision: four bytes, cascade tag
    /// included where the identifier goes on, and BCC.
    pub fn levels(&self) -> Vec<[u8; 5]> {
        let mut left = self.0.as_slice();
        let mut levels = Vec::new();
        while !left.is_empty() {
            let mut level = [0; 5];
            let goes_on = left.len() > 4;
            let (taken, rest) = left.split_at(if goes_on { 3 } else { 4.min(left.len()) });
            if goes_on {
                level[0] = CASCADE_TAG;
            }
            level[usize::from(goes_on)..][..taken.len()].copy_from_slice(taken);
            level[4] = check_byte(&level[..4]);
            levels.push(level);
            left = rest;
        }
        levels
    }

    /// SENS_RES (ATQA) that goes with its length, least significant byte first, with bit
    /// frame anticollision in bit 3.
    pub fn sens_res(&self) -> [u8; 2] {
        [0x04 | (self.levels().len() as u8 - 1) << 6, 0x00]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_lies_on_one_to_three_levels() {
        let uid = |length: u8| Uid::new((1..=length).collect::<Vec<_>>()).unwrap();
        assert_eq!(uid(4).levels(), [[1, 2, 3, 4, 4]]);
        assert_eq!(uid(7).levels(), [[0x88, 1, 2, 3, 0x88], [4, 5, 6, 7, 0]]);
        assert_eq!(uid(10).levels()[2], [7, 8, 9, 10, 0x0C]);
        assert_eq!([4, 7, 10].map(|length| uid(length).sens_res()[0]), [0x04, 0x44, 0x84]);
        assert_eq!(Uid::drawn([1, 2, 3]).levels(), [[8, 1, 2, 3, 8]]);
        for length in [0, 3, 5, 8, 11] {
            assert_eq!(Uid::new(vec![0; length]), None);
        }
    }

    #[test]
    fn what_a_card_speaks_is_told_apart() {
        assert!(SelRes(0x28).has(SelRes::ISO_DEP) && !SelRes(0x28).has(SelRes::NFC_DEP));
        assert!(SelRes(0x60).has(SelRes::NFC_DEP) && !SelRes(0x60).has(SelRes::CASCADE));
    }
}
