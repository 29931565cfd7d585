//! The card's own keys: for data authentication (EMV Book 2 6.4, tags 9F46, 9F48 and
//! 9F47) and for PIN encipherment (7.1, tags 9F2D, 9F2F and 9F2E).

use super::envelope;
use super::issuer::{self, Fields, check_expiry};
use super::{
    Against, Certificate, CertificateError, CertificateRef, Fault, Object, PrivateKey, PublicKey, StaticData,
    Suite,
};
use crate::words::emv::Pan;

/// What the issuer says of a card's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IccCertificate {
    /// The card's account number.
    pub pan: Pan,
    /// The month after whose last day it is not valid, BCD MMYY.
    pub expiry: [u8; 2],
    /// Serial number.
    pub serial: [u8; 3],
    /// The card's key.
    pub key: PublicKey,
}

/// What a card's key is for.
#[derive(Debug, Clone, Copy)]
pub enum IccKeyUse<'a> {
    /// Signing: its certificate vouches for the static data, too.
    Authentication(&'a StaticData),
    /// Enciphering the PIN. RSA alone has it.
    PinEncipherment,
}

/// Fields before the key: format, PAN, expiry, serial, algorithms, lengths.
const FIELDS_BYTES: usize = 20;
/// Bytes of the PAN, filled with F.
const PAN_BYTES: usize = 10;

impl IccKeyUse<'_> {
    const fn object(self) -> Object {
        match self {
            Self::Authentication(_) => Object::IccCertificate,
            Self::PinEncipherment => Object::PinCertificate,
        }
    }

    fn static_data(&self) -> &[u8] {
        match self {
            Self::Authentication(data) => data.as_bytes(),
            Self::PinEncipherment => &[],
        }
    }

    fn check_suite(self, suite: Suite) -> Result<(), CertificateError> {
        match (self, suite) {
            (Self::PinEncipherment, Suite::Sm2) => Err(Object::PinCertificate.fault(Fault::NotInSuite)),
            _ => Ok(()),
        }
    }
}

impl IccCertificate {
    /// The certificate under an issuer's key of the same suite.
    pub fn sign(&self, key_use: IccKeyUse<'_>, issuer: &PrivateKey) -> Result<Certificate, CertificateError> {
        key_use.check_suite(issuer.suite())?;
        let object = key_use.object();
        let mut fields = vec![object.format(&issuer.public())];
        fields.extend(filled(&self.pan));
        fields.extend(self.expiry);
        fields.extend(self.serial);
        issuer::sign_key(object, fields, &self.key, issuer, &[key_use.static_data()])
    }

    /// Recovers and checks a certificate, in the order of EMV Book 2 6.4.
    pub fn recover(
        certificate: CertificateRef<'_>,
        key_use: IccKeyUse<'_>,
        issuer: &PublicKey,
        against: Against<'_>,
    ) -> Result<Self, CertificateError> {
        key_use.check_suite(issuer.suite())?;
        let object = key_use.object();
        let opened = envelope::open(object, certificate.certificate, issuer)?;
        let mut fields = Fields::of(object, &opened, FIELDS_BYTES)?;
        let pan: [u8; PAN_BYTES] = fields.array()?;
        let expiry = fields.array()?;
        let serial = fields.array()?;
        opened.check_hash_algorithm(16)?;
        opened.check(&[certificate.remainder, certificate.exponent, key_use.static_data()])?;
        if pan != filled(against.pan) {
            return Err(object.fault(Fault::Pan));
        }
        check_expiry(object, expiry, against.today)?;
        let key = fields.key(issuer.suite(), certificate)?;
        Ok(Self { pan: against.pan.clone(), expiry, serial, key })
    }
}

fn filled(pan: &Pan) -> [u8; PAN_BYTES] {
    let digits = pan.to_bcd();
    std::array::from_fn(|place| digits.get(place).copied().unwrap_or(0xFF))
}
