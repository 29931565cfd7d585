//! The issuer public key certificate: EMV Book 2 5.3 and 6.3, tags 90, 92 and 9F32.

use super::envelope::{self, Opened, RSA_FRAME_BYTES, SHA_1};
use super::{CaPublicKey, CertificateError, Fault, Object, PrivateKey, PublicKey, RevocationList, Suite};
use crate::base::bytes::Cursor;
use crate::words::emv::{Pan, with_century};

/// What a certificate is on a card: the signed bytes and what did not fit into them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// Tag 90, 9F46 or 9F2D.
    pub certificate: Vec<u8>,
    /// Tag 92, 9F48 or 9F2F: the end of the key; empty where the whole key fitted.
    pub remainder: Vec<u8>,
    /// Tag 9F32, 9F47 or 9F2E; empty with SM2.
    pub exponent: Vec<u8>,
}

/// The same, where somebody else holds the bytes. What a card does not have is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct CertificateRef<'a> {
    /// Tag 90, 9F46 or 9F2D.
    pub certificate: &'a [u8],
    /// Tag 92, 9F48 or 9F2F.
    pub remainder: &'a [u8],
    /// Tag 9F32, 9F47 or 9F2E.
    pub exponent: &'a [u8],
}

impl Certificate {
    /// Borrows it.
    pub fn as_ref(&self) -> CertificateRef<'_> {
        CertificateRef {
            certificate: &self.certificate,
            remainder: &self.remainder,
            exponent: &self.exponent,
        }
    }
}

/// What a certificate is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// The card's account number.
    pub pan: &'a Pan,
    /// The date of the transaction, BCD YYMMDD.
    pub today: [u8; 3],
    /// The terminal's revocation list.
    pub revocations: &'a RevocationList,
}

/// What a certification authority says of an issuer's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerCertificate {
    /// The leftmost 3 to 8 digits of the PAN, filled with F.
    pub identifier: [u8; 4],
    /// The month after whose last day it is not valid, BCD MMYY.
    pub expiry: [u8; 2],
    /// Serial number.
    pub serial: [u8; 3],
    /// The issuer's key.
    pub key: PublicKey,
}

/// A certificate whose signature is good, before it is compared with a card and a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedIssuerCertificate {
    identifier: [u8; 4],
    expiry: [u8; 2],
    serial: [u8; 3],
    /// The key, or what is wrong with it: said last, as EMV Book 2 6.3 has it.
    key: Result<PublicKey, CertificateError>,
}

const OBJECT: Object = Object::IssuerCertificate;
/// Fields before the key: format, identifier, expiry, serial, algorithms, lengths.
const FIELDS_BYTES: usize = 14;

impl IssuerCertificate {
    /// The certificate under a CA's key of the same suite.
    pub fn sign(&self, ca: &PrivateKey) -> Result<Certificate, CertificateError> {
        let mut fields = vec![OBJECT.format(&ca.public())];
        fields.extend(self.identifier);
        fields.extend(self.expiry);
        fields.extend(self.serial);
        sign_key(OBJECT, fields, &self.key, ca, &[])
    }

    /// Recovers and checks a certificate, in the order of EMV Book 2 6.3.
    pub fn recover(
        certificate: CertificateRef<'_>,
        ca: &CaPublicKey,
        against: Against<'_>,
    ) -> Result<Self, CertificateError> {
        Self::open(certificate, ca)?.check(ca, against)
    }

    /// Recovers a certificate and checks that the CA has signed it: steps 1 to 7.
    pub fn open(
        certificate: CertificateRef<'_>,
        ca: &CaPublicKey,
    ) -> Result<OpenedIssuerCertificate, CertificateError> {
        let opened = envelope::open(OBJECT, certificate.certificate, &ca.key)?;
        let mut fields = Fields::of(OBJECT, &opened, FIELDS_BYTES)?;
        let identifier = fields.array()?;
        let expiry = fields.array()?;
        let serial = fields.array()?;
        opened.check_hash_algorithm(10)?;
        check_remainder(OBJECT, &opened.fields, FIELDS_BYTES, certificate, ca.key.suite())?;
        opened.check(&[certificate.remainder, certificate.exponent])?;
        let key = fields.key(ca.key.suite(), certificate);
        Ok(OpenedIssuerCertificate { identifier, expiry, serial, key })
    }
}

impl OpenedIssuerCertificate {
    /// Compares it with the card, the date and the revocation list: steps 8 to 12.
    pub fn check(
        &self,
        ca: &CaPublicKey,
        against: Against<'_>,
    ) -> Result<IssuerCertificate, CertificateError> {
        let Self { identifier, expiry, serial, ref key } = *self;
        if !is_beginning(identifier, against.pan) {
            return Err(OBJECT.fault(Fault::IssuerIdentifier { found: identifier }));
        }
        check_expiry(OBJECT, expiry, against.today)?;
        if against.revocations.contains(ca, serial) {
            return Err(OBJECT.fault(Fault::Revoked { serial }));
        }
        Ok(IssuerCertificate { identifier, expiry, serial, key: key.clone()? })
    }
}

/// The issuer identifier of a PAN with `digits` of it, 3 to 8, as certificates have it.
pub fn issuer_identifier(pan: &Pan, digits: usize) -> [u8; 4] {
    let kept = pan.expose().get(..digits.clamp(3, 8)).unwrap_or_default();
    let nibble = |place: usize| kept.as_bytes().get(place).map_or(0x0F, |digit| digit - b'0');
    std::array::from_fn(|byte| nibble(byte * 2) << 4 | nibble(byte * 2 + 1))
}

fn is_beginning(identifier: [u8; 4], pan: &Pan) -> bool {
    (3..=8).any(|digits| issuer_identifier(pan, digits) == identifier)
}

/// Signs fields that end with a key: algorithms, lengths and the key's leftmost part
/// are added to `fields`, and `parts` to what is hashed.
pub(super) fn sign_key(
    object: Object,
    mut fields: Vec<u8>,
    key: &PublicKey,
    signer: &PrivateKey,
    parts: &[&[u8]],
) -> Result<Certificate, CertificateError> {
    let mismatch =
        Fault::KeyAlgorithm { expected: signer.suite().indicator(), found: key.suite().indicator() };
    match (signer, key) {
        (PrivateKey::Rsa(_), PublicKey::Rsa(rsa)) => {
            let signer_bytes = signer.public().bytes().len();
            if rsa.length_bytes() > signer_bytes {
                let (at_most, found) = (signer_bytes, rsa.length_bytes());
                return Err(object.fault(Fault::KeyTooLong { at_most, found }));
            }
            let exponent = key.exponent();
            // Both lengths are one byte by the longest key of EMV.
            let lengths = [rsa.length_bytes() as u8, exponent.len() as u8];
            fields.extend([SHA_1, Suite::Rsa.indicator()]);
            fields.extend(lengths);
            let room = (signer_bytes - RSA_FRAME_BYTES).saturating_sub(fields.len());
            let (leftmost, remainder) = rsa.modulus().split_at(room.min(rsa.length_bytes()));
            fields.extend_from_slice(leftmost);
            let fields = envelope::padded(fields, signer_bytes - RSA_FRAME_BYTES);
            let all: Vec<&[u8]> = [remainder, exponent].into_iter().chain(parts.iter().copied()).collect();
            let certificate = envelope::seal(object, &fields, &all, signer)?;
            Ok(Certificate { certificate, remainder: remainder.into(), exponent: exponent.into() })
        }
        (PrivateKey::Sm2(_), PublicKey::Sm2(sm2)) => {
            fields.extend([Suite::Sm2.indicator(), SM2_NO_ENCIPHERMENT, SM2_CURVE, 64]);
            fields.extend(sm2.coordinates());
            let certificate = envelope::seal(object, &fields, parts, signer)?;
            Ok(Certificate { certificate, ..Certificate::default() })
        }
        _ => Err(object.fault(mismatch)),
    }
}

/// The encipherment algorithm indicator of a key that only signs.
const SM2_NO_ENCIPHERMENT: u8 = 0x00;
/// The curve of GB/T 32918.5. Public sources do not tell its identifier: we write 00
/// and take any.
const SM2_CURVE: u8 = 0x00;

/// Reads recovered fields from the second one on.
pub(super) struct Fields<'a> {
    object: Object,
    cursor: Cursor<'a>,
}

impl<'a> Fields<'a> {
    /// The fields after the format, of which there are at least `fewest` bytes in all.
    pub(super) fn of(
        object: Object,
        opened: &'a Opened<'_>,
        fewest: usize,
    ) -> Result<Self, CertificateError> {
        let found = opened.fields.len();
        let mut cursor = Cursor::new(&opened.fields);
        let enough = found >= fewest && cursor.byte("format").is_ok();
        match enough {
            true => Ok(Self { object, cursor }),
            false => Err(object.fault(Fault::Short { expected: fewest, found })),
        }
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CertificateError> {
        let short = |cause: crate::base::bytes::Truncated| {
            self.object.fault(Fault::Short {
                expected: cause.offset + cause.expected,
                found: cause.offset + cause.found,
            })
        };
        self.cursor.array("field").map_err(short)
    }

    /// The key at the end: algorithms, lengths and its leftmost part.
    pub(super) fn key(
        mut self,
        suite: Suite,
        certificate: CertificateRef<'_>,
    ) -> Result<PublicKey, CertificateError> {
        let object = self.object;
        let [first, second, third, fourth]: [u8; 4] = self.array()?;
        // RSA: hash, key algorithm, two lengths. SM2: key algorithm, encipherment, curve, length.
        let (found, key_bytes) = match suite {
            Suite::Rsa => (second, usize::from(third)),
            Suite::Sm2 => (first, usize::from(fourth)),
        };
        if found != suite.indicator() {
            return Err(object.fault(Fault::KeyAlgorithm { expected: suite.indicator(), found }));
        }
        let rest = self.cursor.rest();
        if suite == Suite::Sm2 {
            let wrong = Fault::KeyLength { expected: rest.len(), found: key_bytes };
            return match rest.len() == key_bytes {
                true => PublicKey::sm2(rest, object),
                false => Err(object.fault(wrong)),
            };
        }
        let expected = certificate.exponent.len();
        if expected != usize::from(fourth) {
            return Err(object.fault(Fault::ExponentLength { expected, found: usize::from(fourth) }));
        }
        let leftmost = &rest[..key_bytes.min(rest.len())];
        let modulus = [leftmost, certificate.remainder].concat();
        if modulus.len() != key_bytes {
            return Err(object.fault(Fault::KeyLength { expected: modulus.len(), found: key_bytes }));
        }
        PublicKey::rsa(&modulus, certificate.exponent, object)
    }
}

/// A key that is longer than its certificate has room for has a remainder. `before` are
/// the bytes of the fields before the key.
pub(super) fn check_remainder(
    object: Object,
    fields: &[u8],
    before: usize,
    certificate: CertificateRef<'_>,
    suite: Suite,
) -> Result<(), CertificateError> {
    // The key's length and the exponent's end the fields before the key.
    let length = fields.get(before - 2).copied().map_or(0, usize::from);
    let expected = length.saturating_sub(fields.len().saturating_sub(before));
    match suite == Suite::Rsa && expected > 0 && certificate.remainder.is_empty() {
        true => Err(object.fault(Fault::RemainderAbsent { expected })),
        false => Ok(()),
    }
}

/// The last day of the month MMYY must not have passed on YYMMDD.
pub(super) fn check_expiry(object: Object, expiry: [u8; 2], today: [u8; 3]) -> Result<(), CertificateError> {
    let [month, year] = expiry;
    let is_month = matches!(month, 0x01..=0x09 | 0x10..=0x12);
    // No month has a day 99.
    match is_month && with_century([year, month, 0x99]) > with_century(today) {
        true => Ok(()),
        false => Err(object.fault(Fault::Expired { expiry, today })),
    }
}
