//! A protocol data unit (NFC Forum LLCP 1.3, 4.2): two service access points, a type,
//! a sequence field where the type has one, information.

use super::error::LlcpError;
use crate::base::bytes::Cursor;
use std::fmt;

/// A service access point, 0 to 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sap(u8);

impl Sap {
    /// The link itself.
    pub const LINK: Self = Self(0);
    /// Service discovery.
    pub const DISCOVERY: Self = Self(1);
    /// The default SNEP server, well known.
    pub const SNEP: Self = Self(4);

    /// The point with this number, of which six bits count.
    pub const fn new(number: u8) -> Self {
        Self(number & 0x3F)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Sap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SAP {}", self.0)
    }
}

/// What a unit is (table 3), four bits; unknown ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PduType(pub u8);

impl PduType {
    /// Symmetry: nothing to say.
    pub const SYMM: Self = Self(0);
    /// Parameter exchange.
    pub const PAX: Self = Self(1);
    /// Aggregated frame.
    pub const AGF: Self = Self(2);
    /// Unnumbered information.
    pub const UI: Self = Self(3);
    /// Connect.
    pub const CONNECT: Self = Self(4);
    /// Disconnect.
    pub const DISC: Self = Self(5);
    /// Connection complete.
    pub const CC: Self = Self(6);
    /// Disconnected mode.
    pub const DM: Self = Self(7);
    /// Frame reject.
    pub const FRMR: Self = Self(8);
    /// Service name lookup.
    pub const SNL: Self = Self(9);
    /// Information.
    pub const I: Self = Self(12);
    /// Receive ready.
    pub const RR: Self = Self(13);
    /// Receive not ready.
    pub const RNR: Self = Self(14);

    /// Whether a sequence field follows the header.
    pub fn is_numbered(self) -> bool {
        [Self::I, Self::RR, Self::RNR].contains(&self)
    }
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pdu {
    /// Destination.
    pub dsap: Sap,
    /// What it is.
    pub kind: PduType,
    /// Source.
    pub ssap: Sap,
    /// N(S) and N(R), 0 to 15 each; 0 where its type has none.
    pub sequence: (u8, u8),
    /// What follows.
    pub information: Vec<u8>,
}

impl Pdu {
    /// A unit without sequence field.
    pub fn new(dsap: Sap, kind: PduType, ssap: Sap, information: impl Into<Vec<u8>>) -> Self {
        Self { dsap, kind, ssap, sequence: (0, 0), information: information.into() }
    }

    /// Symmetry.
    pub fn symmetry() -> Self {
        Self::new(Sap::LINK, PduType::SYMM, Sap::LINK, [])
    }

    /// Reads a unit.
    ///
    /// # Errors
    /// It ends before its header does.
    pub fn parse(bytes: &[u8]) -> Result<Self, LlcpError> {
        let mut cursor = Cursor::new(bytes);
        let header = u16::from_be_bytes(cursor.array("the header of a unit")?);
        let [high, low] = header.to_be_bytes();
        let kind = PduType((header >> 6 & 0x0F) as u8);
        let sequence = match kind.is_numbered() {
            true => cursor.byte("the sequence field")?,
            false => 0,
        };
        Ok(Self {
            dsap: Sap::new(high >> 2),
            kind,
            ssap: Sap::new(low),
            sequence: (sequence >> 4, sequence & 0x0F),
            information: cursor.rest().to_vec(),
        })
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header =
            u16::from(self.dsap.0) << 10 | u16::from(self.kind.0 & 0x0F) << 6 | u16::from(self.ssap.0);
        let mut out = header.to_be_bytes().to_vec();
        if self.kind.is_numbered() {
            out.push(self.sequence.0 << 4 | self.sequence.1 & 0x0F);
        }
        out.extend_from_slice(&self.information);
        out
    }

    /// The units of an aggregated frame (4.3.3); what does not fit it is left out.
    pub fn parts(&self) -> Vec<Self> {
        let mut cursor = Cursor::new(&self.information);
        let mut parts = Vec::new();
        while let Ok(length) = cursor.array("the length of a unit") {
            let length = usize::from(u16::from_be_bytes(length));
            let Ok(bytes) = cursor.take(length, "a unit") else { break };
            parts.extend(Self::parse(bytes).ok().filter(|part| part.kind != PduType::AGF));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use proptest::prelude::*;

    // Units of a session of nfcpy 1.0.4 with itself.
    #[test]
    fn units_are_read_and_written_as_they_were() {
        let rows = [
            ("0000", Sap::LINK, PduType::SYMM, Sap::LINK, (0, 0), ""),
            ("0520060F75726E", Sap::DISCOVERY, PduType::CONNECT, Sap::new(32), (0, 0), "060F75726E"),
            ("8184020200", Sap::new(32), PduType::CC, Sap::SNEP, (0, 0), "020200"),
            ("1320001002", Sap::SNEP, PduType::I, Sap::new(32), (0, 0), "1002"),
            ("83440112", Sap::new(32), PduType::RR, Sap::SNEP, (0, 1), "12"),
            ("0140", Sap::LINK, PduType::DISC, Sap::LINK, (0, 0), ""),
        ];
        for (hex, dsap, kind, ssap, sequence, information) in rows {
            let unit = Pdu::parse(&parse_hex(hex).unwrap()).unwrap();
            let information = parse_hex(information).unwrap();
            assert_eq!(unit, Pdu { dsap, kind, ssap, sequence, information }, "{hex}");
            assert_eq!(unit.to_bytes(), parse_hex(hex).unwrap());
        }
        assert!(Pdu::parse(&[0x13, 0x20]).unwrap_err().to_string().contains("the sequence field"));
    }

    #[test]
    fn an_aggregated_frame_has_its_units() {
        let frame =
            Pdu::new(Sap::LINK, PduType::AGF, Sap::LINK, parse_hex("0002000000030320AA00FF").unwrap());
        assert_eq!(frame.parts(), [Pdu::symmetry(), Pdu::parse(&[0x03, 0x20, 0xAA]).unwrap()]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(unit) = Pdu::parse(&bytes) {
                prop_assert_eq!(unit.to_bytes(), bytes);
                unit.parts();
            }
        }
    }
}
