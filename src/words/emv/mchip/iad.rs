//! Issuer application data of an M/Chip card, tag 9F10, 18 bytes (openemv/emv-utils
//! `emv_fields.h`; public samples such as 0110A000032200000000 00000000000000FF).

use super::Cvr;
use crate::base::bytes::{Cursor, Truncated, bcd_to_u64, u64_to_bcd};

/// The offline counters in plain text: eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Approved offline since the issuer last reset it, minor units.
    pub cumulative_minor: u64,
    /// Approved offline in a row.
    pub consecutive: u8,
}

/// Issuer application data in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iad {
    /// Key derivation index.
    pub kdi: u8,
    /// Cryptogram version number.
    pub cvn: u8,
    /// Card verification results.
    pub cvr: Cvr,
    /// Data authentication code, or the first bytes of the ICC dynamic number.
    pub authentication: [u8; 2],
    /// The counters; `None` where they are no decimal number, as enciphered ones.
    pub counters: Option<Counters>,
}

impl Iad {
    /// Reads tag 9F10; what follows the 18 bytes (M/Chip Advance) is passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, Truncated> {
        let mut cursor = Cursor::new(bytes);
        let [kdi, cvn] = cursor.array("KDI, CVN")?;
        let cvr = Cvr(cursor.array("CVR")?);
        let authentication = cursor.array("DAC or ICC dynamic number")?;
        let amount: [u8; 6] = cursor.array("cumulative amount")?;
        let [consecutive, _] = cursor.array("consecutive transactions")?;
        let counters = bcd_to_u64(&amount).ok();
        let counters = counters.map(|cumulative_minor| Counters { cumulative_minor, consecutive });
        Ok(Self { kdi, cvn, cvr, authentication, counters })
    }

    /// The bytes of tag 9F10.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![self.kdi, self.cvn];
        out.extend(self.cvr.0);
        out.extend(self.authentication);
        let counters = self.counters.unwrap_or(Counters { cumulative_minor: 0, consecutive: 0 });
        out.extend(u64_to_bcd(counters.cumulative_minor, 6).unwrap_or_else(|_| vec![0x99; 6]));
        out.extend([counters.consecutive, 0xFF]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    #[test]
    fn reads_a_public_sample() {
        let bytes = parse_hex("0110A00003220000000000000000000000FF").unwrap();
        let iad = Iad::parse(&bytes).unwrap();
        assert_eq!((iad.kdi, iad.cvn), (0x01, 0x10));
        assert!(iad.cvr.has(Cvr::OFFLINE_PIN_NOT_PERFORMED) && iad.cvr.has(Cvr::DOMESTIC));
        assert_eq!(iad.counters, Some(Counters { cumulative_minor: 0, consecutive: 0 }));
        assert_eq!(iad.to_bytes(), bytes);
        assert!(Iad::parse(&bytes[..17]).is_err());
    }
}
