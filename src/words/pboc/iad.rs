//! Issuer application data, tag 9F10: JR/T 0025.5 and .13. By it the issuer
//! learns the card's balance with every cryptogram. VIS, from which PBOC took the layout,
//! has no algorithm identifier, and discretionary data of its own.

use super::Cvr;
use crate::base::bytes::{Cursor, Truncated, bcd_to_u64, u64_to_bcd};

/// What the issuer discretionary data carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IddValue {
    /// Identifier 01: the electronic cash balance of the transaction's currency.
    Balance {
        /// Minor units.
        balance_minor: u64,
    },
    /// Identifier 02: the cumulative total transaction amount.
    CumulativeTotal {
        /// Minor units.
        total_minor: u64,
    },
    /// Identifier 03: both of them.
    BalanceAndTotal {
        /// Minor units.
        balance_minor: u64,
        /// Minor units.
        total_minor: u64,
    },
    /// Identifier 04: the cumulative total and its limit.
    TotalAndLimit {
        /// Minor units.
        total_minor: u64,
        /// Minor units.
        limit_minor: u64,
    },
    /// Identifier 05: the available offline spending amount.
    AvailableSpending {
        /// Minor units.
        available_minor: u64,
    },
}

impl IddValue {
    /// The identifier.
    pub const fn id(self) -> u8 {
        match self {
            Self::Balance { .. } => 1,
            Self::CumulativeTotal { .. } => 2,
            Self::BalanceAndTotal { .. } => 3,
            Self::TotalAndLimit { .. } => 4,
            Self::AvailableSpending { .. } => 5,
        }
    }

    /// The value: five bytes BCD for each amount.
    pub fn to_bytes(self) -> Vec<u8> {
        let five = |minor| u64_to_bcd(minor, 5).unwrap_or_else(|_| vec![0x99; 5]);
        match self {
            Self::Balance { balance_minor: a }
            | Self::CumulativeTotal { total_minor: a }
            | Self::AvailableSpending { available_minor: a } => five(a),
            Self::BalanceAndTotal { balance_minor: a, total_minor: b }
            | Self::TotalAndLimit { total_minor: a, limit_minor: b } => [five(a), five(b)].concat(),
        }
    }

    /// The balance, where it is told.
    pub const fn balance_minor(self) -> Option<u64> {
        match self {
            Self::Balance { balance_minor } | Self::BalanceAndTotal { balance_minor, .. } => {
                Some(balance_minor)
            }
            _ => None,
        }
    }
}

/// Issuer application data in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iad {
    /// Derivation key index.
    pub dki: u8,
    /// Cryptogram version number.
    pub cvn: u8,
    /// Card verification results.
    pub cvr: Cvr,
    /// Algorithm identifier: 01 triple DES, 04 SM4; VIS has none.
    pub algorithm: Option<u8>,
    /// Issuer discretionary data with its MAC, where they are PBOC's.
    pub idd: Option<(IddValue, [u8; 4])>,
}

/// Why bytes are not issuer application data of this layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IadError {
    /// It ended early.
    #[error("issuer application data (9F10): {0}")]
    Truncated(#[from] Truncated),
    /// Another length of the fixed part or of the CVR.
    #[error(
        "expected issuer application data (9F10) to begin with 07 or 06 and the CVR with 03, found {fixed:02X} and {cvr:02X}"
    )]
    Layout {
        /// First byte.
        fixed: u8,
        /// Length byte of the CVR.
        cvr: u8,
    },
    /// Discretionary data of another length or kind.
    #[error(
        "expected issuer discretionary data 01 (5 bytes) to 05, found identifier {id:02X} with length {length}"
    )]
    Discretionary {
        /// Its identifier.
        id: u8,
        /// The length byte before it.
        length: u8,
    },
}

impl Iad {
    /// Reads tag 9F10.
    pub fn parse(bytes: &[u8]) -> Result<Self, IadError> {
        let mut cursor = Cursor::new(bytes);
        let [fixed, dki, cvn, cvr_length] = cursor.array("length, DKI, CVN, CVR length")?;
        if !matches!((fixed, cvr_length), (0x06 | 0x07, 0x03)) {
            return Err(IadError::Layout { fixed, cvr: cvr_length });
        }
        let cvr = Cvr(cursor.array("CVR")?);
        let algorithm = match fixed {
            0x07 => Some(cursor.byte("algorithm identifier")?),
            _ => None,
        };
        let idd = if cursor.is_empty() || algorithm.is_none() {
            None
        } else {
            let length = cursor.byte("discretionary data length")?;
            let id = cursor.byte("discretionary data identifier")?;
            let wrong = IadError::Discretionary { id, length };
            let value =
                cursor.take(usize::from(length).checked_sub(5).ok_or(wrong)?, "discretionary data")?;
            let mac = cursor.array("MAC of discretionary data")?;
            Some((read_idd(id, value).ok_or(wrong)?, mac))
        };
        Ok(Self { dki, cvn, cvr, algorithm, idd })
    }

    /// The bytes of tag 9F10.
    pub fn to_bytes(&self) -> Vec<u8> {
        let fixed = if self.algorithm.is_some() { 0x07 } else { 0x06 };
        let mut out = vec![fixed, self.dki, self.cvn, 0x03];
        out.extend(self.cvr.0);
        out.extend(self.algorithm);
        if let Some((value, mac)) = self.idd {
            let bytes = value.to_bytes();
            out.extend([bytes.len() as u8 + 5, value.id()]);
            out.extend(bytes);
            out.extend(mac);
        }
        out
    }
}

fn read_idd(id: u8, value: &[u8]) -> Option<IddValue> {
    let amount = |range: std::ops::Range<usize>| value.get(range).and_then(|b| bcd_to_u64(b).ok());
    match (id, value.len()) {
        (1, 5) => Some(IddValue::Balance { balance_minor: amount(0..5)? }),
        (2, 5) => Some(IddValue::CumulativeTotal { total_minor: amount(0..5)? }),
        (3, 10) => {
            Some(IddValue::BalanceAndTotal { balance_minor: amount(0..5)?, total_minor: amount(5..10)? })
        }
        (4, 10) => Some(IddValue::TotalAndLimit { total_minor: amount(0..5)?, limit_minor: amount(5..10)? }),
        (5, 5) => Some(IddValue::AvailableSpending { available_minor: amount(0..5)? }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use crate::words::emv::CryptogramType;
    use proptest::prelude::*;

    #[test]
    fn reads_a_public_trace() {
        // reference: public qPBOC trace, balance 387.87
        let bytes = parse_hex("07010103A00000010A010000038787868FD1FC").unwrap();
        let iad = Iad::parse(&bytes).unwrap();
        assert_eq!(iad.cvr.first_cryptogram(), Some(CryptogramType::Arqc));
        assert_eq!(iad.idd, Some((IddValue::Balance { balance_minor: 38_787 }, [0x86, 0x8F, 0xD1, 0xFC])));
        assert_eq!(iad.to_bytes(), bytes);
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(matches!(Iad::parse(&[7, 1]), Err(IadError::Truncated(_))));
        assert!(matches!(Iad::parse(&[5, 1, 1, 3, 0, 0, 0, 1]), Err(IadError::Layout { .. })));
        let vis = [6, 1, 10, 3, 0xA0, 0, 0];
        assert_eq!(Iad::parse(&vis).map(|iad| iad.to_bytes()), Ok(vis.to_vec()));
        let odd = [7, 1, 1, 3, 0, 0, 0, 1, 0x0A, 9, 0, 0, 0, 0, 0, 1, 2, 3, 4];
        assert_eq!(Iad::parse(&odd), Err(IadError::Discretionary { id: 9, length: 0x0A }));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Iad::parse(&bytes);
        }
    }
}
