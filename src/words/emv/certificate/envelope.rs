//! What every signed object has in common. RSA: header 6A, fields, hash, trailer BC,
//! as one number under the key (EMV Book 2 annex A2.1). SM2: the fields in clear, then
//! the signature (JR/T 0025.17).

use super::{CertificateError, Fault, Object, PrivateKey, PublicKey};
use crate::base::crypto::{RsaPrivateKey, RsaPublicKey, Sm2PublicKey, sha1};

const HEADER: u8 = 0x6A;
const TRAILER: u8 = 0xBC;
/// Header, hash and trailer of RSA.
pub(super) const RSA_FRAME_BYTES: usize = 22;
const SM2_SIGNATURE_BYTES: usize = 64;
/// The hash algorithm indicator of SHA-1.
pub(super) const SHA_1: u8 = 0x01;
/// Fills what a field leaves free.
pub(super) const PAD: u8 = 0xBB;

impl Object {
    /// Certificate format or signed data format: the first of the fields.
    pub(super) const fn format(self, key: &PublicKey) -> u8 {
        let format = match self {
            Self::CaPublicKey | Self::IssuerCertificate => 0x02,
            Self::StaticData | Self::StaticSignature => 0x03,
            Self::IccCertificate | Self::PinCertificate => 0x04,
            Self::DynamicSignature | Self::CombinedSignature => 0x05,
        };
        match key {
            PublicKey::Rsa(_) => format,
            PublicKey::Sm2(_) => 0x10 | format,
        }
    }
}

/// The fields of a signed object, not yet believed.
pub(super) struct Opened<'a> {
    object: Object,
    /// From the format on.
    pub fields: Vec<u8>,
    proof: Proof<'a>,
}

/// What a key opens, nothing of it checked. SM2 has neither header nor trailer.
pub(super) struct Raw<'a> {
    pub header: Option<u8>,
    /// From the format on.
    pub fields: Vec<u8>,
    pub proof: Proof<'a>,
    pub trailer: Option<u8>,
}

/// What proves the fields.
pub(super) enum Proof<'a> {
    Hash([u8; 20]),
    Signature([u8; 64], &'a Sm2PublicKey),
}

impl Proof<'_> {
    /// Hash result or signature.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Hash(hash) => hash,
            Self::Signature(signature, _) => signature,
        }
    }
}

impl Raw<'_> {
    /// Whether header and trailer are there, where the suite has them.
    pub(super) fn is_framed(&self) -> bool {
        matches!((self.header, self.trailer), (None, None) | (Some(HEADER), Some(TRAILER)))
    }
}

/// Recovers the fields: length, trailer, header and format are checked here.
pub(super) fn open<'a>(
    object: Object,
    signed: &[u8],
    key: &'a PublicKey,
) -> Result<Opened<'a>, CertificateError> {
    let raw = raw(object, signed, key)?;
    if let Some(found) = raw.trailer.filter(|found| *found != TRAILER) {
        return Err(object.fault(Fault::Trailer { found }));
    }
    if let Some(found) = raw.header.filter(|found| *found != HEADER) {
        return Err(object.fault(Fault::Header { found }));
    }
    let found = raw.fields.first().copied().unwrap_or_default();
    let expected = object.format(key);
    if found != expected {
        return Err(object.fault(Fault::Format { expected, found }));
    }
    Ok(Opened { object, fields: raw.fields, proof: raw.proof })
}

/// Recovers whatever the key gives; the length alone is checked.
pub(super) fn raw<'a>(
    object: Object,
    signed: &[u8],
    key: &'a PublicKey,
) -> Result<Raw<'a>, CertificateError> {
    let found = signed.len();
    match key {
        PublicKey::Rsa(key) => open_rsa(object, signed, key),
        PublicKey::Sm2(key) => {
            let wrong = Fault::Short { expected: SM2_SIGNATURE_BYTES + 1, found };
            let (fields, signature) = signed.split_last_chunk().ok_or_else(|| object.fault(wrong))?;
            let proof = Proof::Signature(*signature, key);
            Ok(Raw { header: None, fields: fields.to_vec(), proof, trailer: None })
        }
    }
}

fn open_rsa<'a>(object: Object, signed: &[u8], key: &RsaPublicKey) -> Result<Raw<'a>, CertificateError> {
    let length = key.length_bytes();
    if signed.len() != length {
        return Err(object.fault(Fault::Length { expected: length, found: signed.len() }));
    }
    // A number that is not below the modulus was made by no key.
    let recovered = key.apply(signed).map_err(|cause| object.fault(Fault::Key(cause)))?;
    let short = || object.fault(Fault::Short { expected: RSA_FRAME_BYTES, found: length });
    let [header, middle @ .., trailer] = recovered.as_slice() else { return Err(short()) };
    let (fields, hash) = middle.split_last_chunk().ok_or_else(short)?;
    let (header, trailer) = (Some(*header), Some(*trailer));
    Ok(Raw { header, fields: fields.to_vec(), proof: Proof::Hash(*hash), trailer })
}

impl Opened<'_> {
    /// Field `at`, for RSA the hash algorithm indicator, must be SHA-1's.
    pub(super) fn check_hash_algorithm(&self, at: usize) -> Result<(), CertificateError> {
        match (&self.proof, self.fields.get(at)) {
            (Proof::Signature(..), _) | (_, Some(&SHA_1)) => Ok(()),
            (_, found) => {
                Err(self.object.fault(Fault::HashAlgorithm { found: found.copied().unwrap_or_default() }))
            }
        }
    }

    /// Checks hash or signature over the fields and the parts that belong to them.
    pub(super) fn check(&self, parts: &[&[u8]]) -> Result<(), CertificateError> {
        let all: Vec<&[u8]> = std::iter::once(self.fields.as_slice()).chain(parts.iter().copied()).collect();
        match &self.proof {
            Proof::Hash(hash) if sha1(&all) == *hash => Ok(()),
            Proof::Hash(_) => Err(self.object.fault(Fault::Hash)),
            Proof::Signature(signature, key) => {
                key.verify(&all, signature).map_err(|_| self.object.fault(Fault::Signature))
            }
        }
    }
}

/// Signs fields, which for RSA fill the key but for [`RSA_FRAME_BYTES`], together with
/// the parts that belong to them.
pub(super) fn seal(
    object: Object,
    fields: &[u8],
    parts: &[&[u8]],
    key: &PrivateKey,
) -> Result<Vec<u8>, CertificateError> {
    let all: Vec<&[u8]> = std::iter::once(fields).chain(parts.iter().copied()).collect();
    match key {
        PrivateKey::Rsa(key) => seal_rsa(object, fields, &sha1(&all), key),
        PrivateKey::Sm2(key) => {
            let signature = key.sign(&all).map_err(|cause| object.fault(Fault::Key(cause)))?;
            Ok([fields, &signature].concat())
        }
    }
}

fn seal_rsa(
    object: Object,
    fields: &[u8],
    hash: &[u8; 20],
    key: &RsaPrivateKey,
) -> Result<Vec<u8>, CertificateError> {
    let message = [&[HEADER], fields, hash, &[TRAILER]].concat();
    key.apply(&message).map_err(|cause| object.fault(Fault::Key(cause)))
}

/// Fields filled with BB up to `length` bytes; longer ones stay as they are.
pub(super) fn padded(mut fields: Vec<u8>, length: usize) -> Vec<u8> {
    if fields.len() < length {
        fields.resize(length, PAD);
    }
    fields
}
