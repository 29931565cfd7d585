//! A signed object taken apart for people: every field that the key opens, whether or not
//! it passes the checks, which are made elsewhere.

use super::envelope::raw;
use super::{CertificateError, CertificateRef, Object, PublicKey, Suite};
use crate::base::bytes::Cursor;

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in EMV Book 2.
    pub name: &'static str,
    /// Its bytes.
    pub value: Vec<u8>,
}

/// What a key opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissection {
    /// Every field in its order.
    pub fields: Vec<Field>,
    /// Whether header, trailer and format are the object's own. Where they are not, it
    /// was signed by another key, or is another object, and the fields mean nothing.
    pub is_opened: bool,
    /// The public key in it, put together with remainder and exponent.
    pub key: Option<PublicKey>,
}

/// Lengths of fields, of which one takes what the others leave.
enum Length {
    Fixed(usize),
    /// As long as the field before it says, as far as there is room.
    Told,
    Rest,
}

use Length::{Fixed, Rest, Told};

type Layout = &'static [(&'static str, Length)];

const RSA_ISSUER: Layout = &[
    ("certificate format", Fixed(1)),
    ("issuer identifier", Fixed(4)),
    ("certificate expiration date", Fixed(2)),
    ("certificate serial number", Fixed(3)),
    ("hash algorithm indicator", Fixed(1)),
    ("public key algorithm indicator", Fixed(1)),
    (KEY_LENGTH, Fixed(1)),
    ("public key exponent length", Fixed(1)),
    (LEFTMOST, Rest),
];
const RSA_ICC: Layout = &[
    ("certificate format", Fixed(1)),
    (APPLICATION_PAN, Fixed(10)),
    ("certificate expiration date", Fixed(2)),
    ("certificate serial number", Fixed(3)),
    ("hash algorithm indicator", Fixed(1)),
    ("public key algorithm indicator", Fixed(1)),
    (KEY_LENGTH, Fixed(1)),
    ("public key exponent length", Fixed(1)),
    (LEFTMOST, Rest),
];
const RSA_STATIC: Layout = &[
    ("signed data format", Fixed(1)),
    ("hash algorithm indicator", Fixed(1)),
    ("data authentication code", Fixed(2)),
    (PAD_PATTERN, Rest),
];
const RSA_DYNAMIC: Layout = &[
    ("signed data format", Fixed(1)),
    ("hash algorithm indicator", Fixed(1)),
    ("ICC dynamic data length", Fixed(1)),
    (DYNAMIC_DATA, Told),
    (PAD_PATTERN, Rest),
];
const SM2_ISSUER: Layout = &[
    ("certificate format", Fixed(1)),
    ("issuer identifier", Fixed(4)),
    ("certificate expiration date", Fixed(2)),
    ("certificate serial number", Fixed(3)),
    ("signature algorithm indicator", Fixed(1)),
    ("encipherment algorithm indicator", Fixed(1)),
    ("curve identifier", Fixed(1)),
    (KEY_LENGTH, Fixed(1)),
    (LEFTMOST, Rest),
];
const SM2_ICC: Layout = &[
    ("certificate format", Fixed(1)),
    (APPLICATION_PAN, Fixed(10)),
    ("certificate expiration date", Fixed(2)),
    ("certificate serial number", Fixed(3)),
    ("signature algorithm indicator", Fixed(1)),
    ("encipherment algorithm indicator", Fixed(1)),
    ("curve identifier", Fixed(1)),
    (KEY_LENGTH, Fixed(1)),
    (LEFTMOST, Rest),
];
const SM2_STATIC: Layout = &[("signed data format", Fixed(1)), ("data authentication code", Rest)];
const SM2_DYNAMIC: Layout =
    &[("signed data format", Fixed(1)), ("ICC dynamic data length", Fixed(1)), (DYNAMIC_DATA, Rest)];

/// Told in its parts.
const DYNAMIC_DATA: &str = "ICC dynamic data";
const KEY_LENGTH: &str = "public key length";
const PAD_PATTERN: &str = "pad pattern";
const LEFTMOST: &str = "public key, or its leftmost digits";

/// The field that holds the card's number.
pub const APPLICATION_PAN: &str = "application PAN";

impl Dissection {
    /// Takes an object apart under a key; `certificate` has remainder and exponent where
    /// the object is a certificate. Fails where the length is not the key's.
    pub fn of(
        object: Object,
        certificate: CertificateRef<'_>,
        key: &PublicKey,
    ) -> Result<Self, CertificateError> {
        let opened = raw(object, certificate.certificate, key)?;
        let is_opened = opened.is_framed() && opened.fields.first() == Some(&object.format(key));
        let mut fields: Vec<Field> = Vec::new();
        let mut add = |name, value: &[u8]| fields.push(Field { name, value: value.into() });
        if let Some(header) = opened.header {
            add("recovered data header", &[header]);
        }
        let mut cursor = Cursor::new(&opened.fields);
        let (mut told, mut key_bytes) = (0, 0);
        for (name, length) in layout(object, key.suite()) {
            let left = cursor.remaining();
            let length = match length {
                Fixed(bytes) => *bytes,
                Told => told,
                Rest => left,
            };
            let value = cursor.take(length.min(left), name).unwrap_or_default();
            told = value.first().copied().map_or(0, usize::from);
            match *name {
                _ if value.is_empty() => {}
                LEFTMOST => {
                    let (leftmost, pad) = value.split_at(key_bytes.min(value.len()));
                    add(LEFTMOST, leftmost);
                    if !pad.is_empty() {
                        add(PAD_PATTERN, pad);
                    }
                }
                KEY_LENGTH => {
                    key_bytes = told;
                    add(KEY_LENGTH, value);
                }
                DYNAMIC_DATA => dynamic_parts(value, key.suite()).for_each(|(name, value)| add(name, value)),
                name => add(name, value),
            }
        }
        add(if key.suite() == Suite::Rsa { "hash result" } else { "signature" }, opened.proof.as_bytes());
        if let Some(trailer) = opened.trailer {
            add("recovered data trailer", &[trailer]);
        }
        let key = Self::key_of(object, &fields, certificate, key.suite()).filter(|_| is_opened);
        Ok(Self { fields, is_opened, key })
    }

    /// The value of a field.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        value(&self.fields, name)
    }

    fn key_of(
        object: Object,
        fields: &[Field],
        certificate: CertificateRef<'_>,
        suite: Suite,
    ) -> Option<PublicKey> {
        let leftmost = value(fields, LEFTMOST)?;
        let length = usize::from(*value(fields, KEY_LENGTH)?.first()?);
        match suite {
            Suite::Sm2 => PublicKey::sm2(leftmost, object).ok(),
            Suite::Rsa => {
                let modulus = [leftmost, certificate.remainder].concat();
                PublicKey::rsa(&modulus, certificate.exponent, object)
                    .ok()
                    .filter(|_| modulus.len() == length)
            }
        }
    }
}

/// Length and number, then for CDA what EMV Book 2 6.6.1 has, else whatever is there.
fn dynamic_parts(data: &[u8], suite: Suite) -> impl Iterator<Item = (&'static str, &[u8])> {
    let number_bytes = data.first().map_or(0, |length| usize::from(*length)).min(data.len() - 1);
    let (number, rest) = data[1..].split_at(number_bytes);
    let parts = match rest.split_first_chunk::<9>() {
        Some((fixed, hash)) if hash.len() == suite.hash_bytes() => [
            ("cryptogram information data", &fixed[..1]),
            ("TC or ARQC", &fixed[1..]),
            ("transaction data hash code", hash),
        ],
        _ => [("further dynamic data", rest), ("", &[]), ("", &[])],
    };
    let first = [("ICC dynamic number length", &data[..1]), ("ICC dynamic number", number)];
    first.into_iter().chain(parts).filter(|(_, value)| !value.is_empty())
}

fn value<'a>(fields: &'a [Field], name: &str) -> Option<&'a [u8]> {
    fields.iter().find(|field| field.name == name).map(|field| field.value.as_slice())
}

fn layout(object: Object, suite: Suite) -> Layout {
    match (object, suite) {
        (Object::CaPublicKey | Object::IssuerCertificate, Suite::Rsa) => RSA_ISSUER,
        (Object::CaPublicKey | Object::IssuerCertificate, Suite::Sm2) => SM2_ISSUER,
        (Object::IccCertificate | Object::PinCertificate, Suite::Rsa) => RSA_ICC,
        (Object::IccCertificate | Object::PinCertificate, Suite::Sm2) => SM2_ICC,
        (Object::StaticData | Object::StaticSignature, Suite::Rsa) => RSA_STATIC,
        (Object::StaticData | Object::StaticSignature, Suite::Sm2) => SM2_STATIC,
        (Object::DynamicSignature | Object::CombinedSignature, Suite::Rsa) => RSA_DYNAMIC,
        (Object::DynamicSignature | Object::CombinedSignature, Suite::Sm2) => SM2_DYNAMIC,
    }
}
