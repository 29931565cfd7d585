//! PFB, the first byte of a DEP_REQ and DEP_RES: which block it is (ISO/IEC 18092, 12.6.4.1).

/// PFB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pfb(pub u8);

/// What a PFB says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PfbKind {
    /// Information; `more` of it follows.
    Information {
        /// MI.
        more: bool,
    },
    /// The last block has come.
    Ack,
    /// The last block has not come, or not whole.
    Nack,
    /// Is the other still there?
    Attention,
    /// The target needs more time; one byte follows, RTOX.
    TimeoutExtension,
    /// None of these.
    Unknown,
}

const KIND: u8 = 0xE0;
const ACKNOWLEDGEMENT: u8 = 0x40;
const SUPERVISORY: u8 = 0x80;
/// MI of information, NACK of an acknowledgement, the timeout of a supervisory block.
const FLAG: u8 = 0x10;
const HAS_NAD: u8 = 0x08;
const HAS_DID: u8 = 0x04;
const NUMBER: u8 = 0x03;

impl Pfb {
    /// Attention.
    pub const ATTENTION: Self = Self(SUPERVISORY);
    /// Timeout extension.
    pub const TIMEOUT_EXTENSION: Self = Self(SUPERVISORY | FLAG);

    /// Information with a block number; the number is taken modulo 4.
    pub fn information(number: u8, more: bool) -> Self {
        Self(number & NUMBER | if more { FLAG } else { 0 })
    }

    /// An acknowledgement of a block.
    pub fn ack(number: u8) -> Self {
        Self(ACKNOWLEDGEMENT | number & NUMBER)
    }

    /// A block is asked for again.
    pub fn nack(number: u8) -> Self {
        Self(ACKNOWLEDGEMENT | FLAG | number & NUMBER)
    }

    /// What it says.
    pub fn kind(self) -> PfbKind {
        match (self.0 & KIND, self.0 & FLAG != 0) {
            (0, more) => PfbKind::Information { more },
            (ACKNOWLEDGEMENT, false) => PfbKind::Ack,
            (ACKNOWLEDGEMENT, true) => PfbKind::Nack,
            (SUPERVISORY, false) => PfbKind::Attention,
            (SUPERVISORY, true) => PfbKind::TimeoutExtension,
            _ => PfbKind::Unknown,
        }
    }

    /// PNI, 0 to 3.
    pub fn number(self) -> u8 {
        self.0 & NUMBER
    }

    /// Whether a DID follows.
    pub fn has_did(self) -> bool {
        self.0 & HAS_DID != 0
    }

    /// Whether a NAD follows.
    pub fn has_nad(self) -> bool {
        self.0 & HAS_NAD != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_understood() {
        let rows = [
            (Pfb::information(2, false), 0x02, PfbKind::Information { more: false }),
            (Pfb::information(5, true), 0x11, PfbKind::Information { more: true }),
            (Pfb::ack(3), 0x43, PfbKind::Ack),
            (Pfb::nack(1), 0x51, PfbKind::Nack),
            (Pfb::ATTENTION, 0x80, PfbKind::Attention),
            (Pfb::TIMEOUT_EXTENSION, 0x90, PfbKind::TimeoutExtension),
            (Pfb(0x20), 0x20, PfbKind::Unknown),
        ];
        for (pfb, byte, kind) in rows {
            assert_eq!((pfb.0, pfb.kind()), (byte, kind));
        }
        assert_eq!((Pfb(0x0E).has_did(), Pfb(0x0E).has_nad(), Pfb(0x0E).number()), (true, true, 2));
    }
}
