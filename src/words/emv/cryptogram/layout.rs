//! Where issuer application data (9F10) have what a verifier needs: key index, version
//! number, card verification results (VIS; PBOC; EMV Book 3 C7; openemv/emv-utils).

use crate::words::emv::CryptogramType;

/// A layout of issuer application data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IadLayout {
    /// Length, key index, version, then the CVR behind its length 03 (VIS, PBOC).
    LengthFirst,
    /// Length 0F, common core identifier, key index, then five bytes of CVR.
    CommonCore,
    /// Key index, version, then six bytes of CVR; no length anywhere (M/Chip).
    Mchip,
}

/// Lengths of the M/Chip layout.
const MCHIP_LENGTHS: [usize; 4] = [18, 20, 26, 28];

impl IadLayout {
    /// The layout of these bytes; `None` where they are too short for any.
    pub fn of(iad: &[u8]) -> Option<Self> {
        match iad {
            [0x0F, identifier, ..] if identifier >> 4 == 0xA => Some(Self::CommonCore),
            // Bits 4 and 2 of the version are not used there.
            [first, version, _, cvr, ..]
                if MCHIP_LENGTHS.contains(&iad.len())
                    && version & 0xFA == 0x10
                    && !(matches!(first, 0x06 | 0x07) && *cvr == 0x03) =>
            {
                Some(Self::Mchip)
            }
            [_, _, _, ..] => Some(Self::LengthFirst),
            _ => None,
        }
    }

    /// The cryptogram version number.
    pub fn version(self, iad: &[u8]) -> Option<u8> {
        iad.get(if self == Self::LengthFirst { 2 } else { 1 }).copied()
    }

    /// The derivation key index.
    pub fn key_index(self, iad: &[u8]) -> Option<u8> {
        iad.get(match self {
            Self::LengthFirst => 1,
            Self::CommonCore => 2,
            Self::Mchip => 0,
        })
        .copied()
    }

    /// The card verification results, without their length.
    pub fn cvr(self, iad: &[u8]) -> Option<&[u8]> {
        iad.get(match self {
            Self::LengthFirst => 4..7,
            Self::CommonCore => 3..8,
            Self::Mchip => 2..8,
        })
    }

    /// Which cryptograms the card says that it gave.
    pub fn given(self, iad: &[u8]) -> Option<GivenCryptograms> {
        self.cvr(iad)?.first().map(|byte| GivenCryptograms::from_bits(*byte))
    }
}

/// Which cryptograms a card gave in a transaction: bits 8 to 5 of the first byte of the
/// CVR, which all layouts have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GivenCryptograms {
    /// At the first GENERATE AC, or at the quick path's GPO (bits 6 and 5).
    pub first: Option<CryptogramType>,
    /// At the second one; `None` while it was not asked for (bits 8 and 7 are 10).
    pub second: Option<CryptogramType>,
}

impl GivenCryptograms {
    /// From the byte; the other bits do not count.
    pub fn from_bits(byte: u8) -> Self {
        let second = CryptogramType::from_bits(byte).filter(|given| *given != CryptogramType::Arqc);
        Self { first: CryptogramType::from_bits(byte << 2), second }
    }

    /// The four bits in their place.
    pub fn bits(self) -> u8 {
        let second = self.second.map_or(0x80, CryptogramType::bits);
        second | self.first.map_or(0x30, |given| given.bits() >> 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    #[test]
    fn the_layouts_are_told_apart() {
        let layout = |text: &str| {
            let iad = parse_hex(text).unwrap();
            IadLayout::of(&iad).map(|layout| (layout, layout.version(&iad), layout.key_index(&iad)))
        };
        let expected = |layout, version, index| Some((layout, Some(version), Some(index)));
        assert_eq!(layout("07010103A00000010A010000038787868FD1FC"), expected(IadLayout::LengthFirst, 1, 1));
        assert_eq!(layout("06010A03A00000"), expected(IadLayout::LengthFirst, 10, 1));
        assert_eq!(layout("0110A00003220000000000000000000000FF"), expected(IadLayout::Mchip, 0x10, 1));
        assert_eq!(layout("0FA501A00000000000"), expected(IadLayout::CommonCore, 0xA5, 1));
        assert_eq!(layout("0701"), None);
    }

    #[test]
    fn given_cryptograms_survive() {
        for byte in [0xA0, 0x90, 0x80, 0x60, 0x20, 0x10] {
            assert_eq!(GivenCryptograms::from_bits(byte).bits(), byte);
        }
    }
}
