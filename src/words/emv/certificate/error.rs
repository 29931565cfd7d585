//! Which check of a certificate or signature failed, and where the Books demand it.

use crate::base::bytes::Hex;
use crate::base::crypto::CryptoError;
use std::fmt;

/// What was being built or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// A certification authority's public key in a terminal.
    CaPublicKey,
    /// Tag 90.
    IssuerCertificate,
    /// Tag 9F46.
    IccCertificate,
    /// Tag 9F2D.
    PinCertificate,
    /// The data that the issuer signed: records, and what 9F4A lists.
    StaticData,
    /// Tag 93.
    StaticSignature,
    /// Tag 9F4B of INTERNAL AUTHENTICATE, or of a contactless quick path (fDDA).
    DynamicSignature,
    /// Tag 9F4B of GENERATE AC (CDA).
    CombinedSignature,
}

impl Object {
    /// Its section of EMV Book 2.
    pub const fn section(self) -> &'static str {
        match self {
            Self::CaPublicKey => "5.2",
            Self::IssuerCertificate => "6.3",
            Self::IccCertificate => "6.4",
            Self::PinCertificate => "7.1",
            Self::StaticData | Self::StaticSignature => "5.4",
            Self::DynamicSignature => "6.5.2",
            Self::CombinedSignature => "6.6.2",
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CaPublicKey => "CA public key",
            Self::IssuerCertificate => "issuer public key certificate (90)",
            Self::IccCertificate => "ICC public key certificate (9F46)",
            Self::PinCertificate => "ICC PIN encipherment public key certificate (9F2D)",
            Self::StaticData => "static data to be authenticated",
            Self::StaticSignature => "signed static application data (93)",
            Self::DynamicSignature => "signed dynamic application data (9F4B)",
            Self::CombinedSignature => "signed dynamic application data of GENERATE AC (9F4B)",
        })
    }
}

/// A check that failed. [`Self::clause`] names its step in EMV Book 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {fault} ({})", self.clause())]
pub struct CertificateError {
    /// What was being built or checked.
    pub object: Object,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong. No variant carries a PAN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No key of that provider and index is in the terminal.
    #[error("there is no CA public key {index:02X} of {}", Hex(.rid))]
    UnknownCaKey {
        /// Registered application provider.
        rid: [u8; 5],
        /// Index, tag 8F.
        index: u8,
    },
    /// The CA public key has passed the day on which terminals give it up (EMV Book 2 5.1.1).
    #[error("expected a CA public key that has not expired, found {} on {}", Hex(expiry), Hex(today))]
    CaKeyExpired {
        /// YYMMDD.
        expiry: [u8; 3],
        /// YYMMDD.
        today: [u8; 3],
    },
    /// The checksum of a CA public key is another.
    #[error("expected the checksum {}, found {}", Hex(.expected), Hex(.found))]
    Checksum {
        /// Worked out from the key.
        expected: Vec<u8>,
        /// What came with it.
        found: Vec<u8>,
    },
    /// Its length is not that of the key that signed it.
    #[error("expected {expected} bytes, the length of the signing key, found {found}")]
    Length {
        /// Bytes of the key.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
    /// It is too short to hold its fields.
    #[error("expected at least {expected} bytes for its fields, found {found}")]
    Short {
        /// Fewest bytes.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
    /// Recovered data trailer.
    #[error("expected the recovered data trailer BC, found {found:02X}")]
    Trailer {
        /// What was recovered.
        found: u8,
    },
    /// Recovered data header.
    #[error("expected the recovered data header 6A, found {found:02X}")]
    Header {
        /// What was recovered.
        found: u8,
    },
    /// Certificate format or signed data format.
    #[error("expected the format {expected:02X}, found {found:02X}")]
    Format {
        /// The object's own.
        expected: u8,
        /// What was recovered.
        found: u8,
    },
    /// A hash algorithm indicator that the suite does not have.
    #[error("expected the hash algorithm indicator 01 (SHA-1), found {found:02X}")]
    HashAlgorithm {
        /// What was recovered.
        found: u8,
    },
    /// The hash over the fields and what belongs to them is another: one of them, the
    /// remainder, the exponent, the static data or the terminal's data was changed.
    #[error("the hash result differs from the hash over its fields and the data that belong to them")]
    Hash,
    /// An SM2 signature that does not verify: what [`Self::Hash`] is for RSA.
    #[error("the SM2 signature does not verify over its fields and the data that belong to them")]
    Signature,
    /// The issuer identifier is not the beginning of the PAN.
    #[error("expected the issuer identifier to be the leftmost 3 to 8 digits of the PAN, found {}", Hex(.found))]
    IssuerIdentifier {
        /// What was recovered.
        found: [u8; 4],
    },
    /// The certificate is for another PAN.
    #[error("expected the PAN of the certificate to be that of the card, found another")]
    Pan,
    /// The last day of the month of the expiry date has passed, or it is no month.
    #[error("expected a certificate that is valid on {} (YYMMDD), found the expiry date {} (MMYY)", Hex(.today), Hex(.expiry))]
    Expired {
        /// MMYY.
        expiry: [u8; 2],
        /// YYMMDD.
        today: [u8; 3],
    },
    /// The issuer's certificate is on the revocation list.
    #[error("certificate {} is on the revocation list", Hex(.serial))]
    Revoked {
        /// Certificate serial number.
        serial: [u8; 3],
    },
    /// A public key algorithm indicator that the suite does not have.
    #[error("expected the public key algorithm indicator {expected:02X}, found {found:02X}")]
    KeyAlgorithm {
        /// The suite's.
        expected: u8,
        /// What was recovered.
        found: u8,
    },
    /// The key's length is not that of its parts: what is in the certificate and the remainder.
    #[error(
        "expected a public key of {expected} bytes (its leftmost part and the remainder), found the length {found}"
    )]
    KeyLength {
        /// Bytes that the parts have.
        expected: usize,
        /// What the length field says.
        found: usize,
    },
    /// A part of the key stands outside the certificate, and is not there.
    #[error("expected a remainder of {expected} bytes of the public key beside the certificate, found none")]
    RemainderAbsent {
        /// Bytes that the certificate has no room for.
        expected: usize,
    },
    /// The exponent's length is not that of the data object beside it.
    #[error(
        "expected an exponent of {expected} bytes, the length of the data object, found the length {found}"
    )]
    ExponentLength {
        /// Bytes of the data object.
        expected: usize,
        /// What the length field says.
        found: usize,
    },
    /// A key that cannot be used: the wrong exponent, an even modulus, no point.
    #[error("the public key cannot be used: {0}")]
    Key(CryptoError),
    /// A key that is longer than the one that signs for it.
    #[error("expected a key of at most {at_most} bytes under this signing key, found {found}")]
    KeyTooLong {
        /// Bytes of the signing key.
        at_most: usize,
        /// Bytes of the key.
        found: usize,
    },
    /// A record of SFI 1 to 10 that is no single template 70.
    #[error("expected record {record} of SFI {sfi} to be one template 70 and nothing else")]
    Record {
        /// Short file identifier.
        sfi: u8,
        /// Record number.
        record: u8,
    },
    /// A record that the AFL says is signed and that was not read.
    #[error("expected record {record} of SFI {sfi}, which the AFL says is signed, to have been read")]
    RecordAbsent {
        /// Short file identifier.
        sfi: u8,
        /// Record number.
        record: u8,
    },
    /// The static data authentication tag list holds more than the AIP.
    #[error("expected the static data authentication tag list (9F4A) to be 82 alone, found {}", Hex(.found))]
    TagList {
        /// The list.
        found: Vec<u8>,
    },
    /// The length of the ICC dynamic data does not fit the key.
    #[error("expected at most {at_most} bytes of ICC dynamic data under this key, found {found}")]
    DynamicDataLength {
        /// Most bytes.
        at_most: usize,
        /// What the length field says.
        found: usize,
    },
    /// The ICC dynamic data do not begin with a number of 2 to 8 bytes.
    #[error(
        "expected an ICC dynamic number of 2 to 8 bytes within the dynamic data, found the length {found}"
    )]
    DynamicNumber {
        /// What the length field says.
        found: usize,
    },
    /// The signed Cryptogram Information Data are not those of the answer.
    #[error(
        "expected the signed cryptogram information data to be {expected:02X} as the card answered, found {found:02X}"
    )]
    CryptogramInformation {
        /// Tag 9F27 of the answer.
        expected: u8,
        /// What was recovered.
        found: u8,
    },
    /// The transaction data hash code is not that of the transaction.
    #[error("the transaction data hash code differs from the hash over the data exchanged")]
    TransactionDataHash,
    /// Card authentication related data with a version of fDDA that is not known.
    #[error("expected fDDA version 00 or 01 in card authentication related data (9F69), found {}", Hex(.found))]
    FddaVersion {
        /// The data object.
        found: Vec<u8>,
    },
    /// The object does not exist in this suite.
    #[error("there is no such object with SM2")]
    NotInSuite,
}

impl CertificateError {
    /// Where EMV Book 2 demands the check, or what stands in its place for SM2.
    pub fn clause(&self) -> String {
        let section = self.object.section();
        match (&self.fault, self.step()) {
            (Fault::Signature, _) => format!("JR/T 0025.17, as EMV Book 2 {section}"),
            // The same steps as for the key of data authentication.
            (_, Some(step)) if self.object == Object::PinCertificate => {
                format!("EMV Book 2 {section}, as 6.4 step {step}")
            }
            (_, Some(step)) => format!("EMV Book 2 {section} step {step}"),
            (_, None) => format!("EMV Book 2 {section}"),
        }
    }

    /// The step of the section, where it numbers the check.
    fn step(&self) -> Option<u8> {
        let combined = self.object == Object::CombinedSignature;
        Some(match self.fault {
            Fault::Length { .. } | Fault::Short { .. } => 1,
            Fault::Trailer { .. } => 2,
            Fault::Header { .. } => 3,
            Fault::Format { .. } => 4,
            Fault::DynamicDataLength { .. } | Fault::DynamicNumber { .. } if combined => 5,
            Fault::CryptogramInformation { .. } => 6,
            Fault::HashAlgorithm { .. } if combined => 8,
            Fault::HashAlgorithm { .. } => 6,
            Fault::Hash if combined => 9,
            Fault::Hash => 7,
            Fault::IssuerIdentifier { .. } | Fault::Pan => 8,
            Fault::Expired { .. } => 9,
            Fault::Revoked { .. } => 10,
            Fault::KeyAlgorithm { .. } if self.object == Object::IssuerCertificate => 11,
            Fault::KeyAlgorithm { .. } => 10,
            Fault::TransactionDataHash => 12,
            _ => return None,
        })
    }
}

impl Object {
    /// The error that this object has this fault.
    pub fn fault(self, fault: Fault) -> CertificateError {
        CertificateError { object: self, fault }
    }
}
