//! What a card gets from its issuer for offline data authentication: certificates and
//! signatures as data objects, and the private keys that belong to them.

use super::{Authority, BureauError};
use crate::base::crypto::sha1;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::emv::certificate::{
    Certificate, IccCertificate, IccKeyUse, PrivateKey, StaticData, Suite, sign_static_data,
};
use crate::words::tlv::Tag;

/// The data authentication code that this issuer puts into static signatures.
const DATA_AUTHENTICATION_CODE: [u8; 2] = [0xDA, 0xC1];

/// A card application that is to be authenticated offline.
#[derive(Debug, Clone, Copy)]
pub struct CertificateOrder<'a> {
    /// Registered application provider: chooses the name of the CA key.
    pub rid: [u8; 5],
    /// RSA or SM2.
    pub suite: Suite,
    /// The account number.
    pub pan: &'a Pan,
    /// PAN sequence number, 5F34.
    pub psn: u8,
    /// Application expiry, 5F24: certificates end with its month. BCD YYMMDD.
    pub expiry: [u8; 3],
    /// The records that the AFL marks, and the AIP where 9F4A lists it.
    pub static_data: &'a StaticData,
    /// Whether it gets signed static data (SDA).
    pub static_signature: bool,
    /// Whether it gets a key of its own (DDA, CDA, fDDA).
    pub card_key: bool,
    /// Whether it gets another one for PIN encipherment. RSA alone.
    pub pin_key: bool,
}

/// What it gets.
#[derive(Debug, Clone, Default)]
pub struct CardCertificates {
    /// 8F, 90, 92, 9F32 and, as ordered, 93, 9F46 to 9F48, 9F2D to 9F2F. What would be
    /// empty is left out.
    pub elements: Vec<(Tag, Vec<u8>)>,
    /// Signs for the card.
    pub card_key: Option<PrivateKey>,
    /// Deciphers PINs.
    pub pin_key: Option<PrivateKey>,
}

impl Authority {
    /// Signs for a card.
    pub fn certify(&self, order: &CertificateOrder<'_>) -> Result<CardCertificates, BureauError> {
        if !self.providers.contains(&order.rid) {
            return Err(BureauError::Provider { found: order.rid });
        }
        let ring = self.ring(order.suite);
        let mut out = CardCertificates::default();
        out.put(tag::CA_PUBLIC_KEY_INDEX_CARD, vec![ring.index]);
        let issuer = self.issuer_certificate(order.suite, order.pan)?;
        let tags = [
            tag::ISSUER_PUBLIC_KEY_CERTIFICATE,
            tag::ISSUER_PUBLIC_KEY_REMAINDER,
            tag::ISSUER_PUBLIC_KEY_EXPONENT,
        ];
        out.put_certificate(tags, issuer);
        if order.static_signature {
            let signed = sign_static_data(order.static_data, DATA_AUTHENTICATION_CODE, &ring.issuer)?;
            out.put(tag::SIGNED_STATIC_APPLICATION_DATA, signed);
        }
        if order.card_key {
            let key = self.card_key(order.suite, order.pan, order.psn)?;
            let key_use = IccKeyUse::Authentication(order.static_data);
            let certificate = order.certificate(&key).sign(key_use, &ring.issuer)?;
            let tags = [
                tag::ICC_PUBLIC_KEY_CERTIFICATE,
                tag::ICC_PUBLIC_KEY_REMAINDER,
                tag::ICC_PUBLIC_KEY_EXPONENT,
            ];
            out.put_certificate(tags, certificate);
            out.card_key = Some(key);
        }
        if order.pin_key {
            let key = self.pin_key(order.pan, order.psn)?;
            let certificate = order.certificate(&key).sign(IccKeyUse::PinEncipherment, &ring.issuer)?;
            let tags = [
                tag::ICC_PIN_ENCIPHERMENT_CERTIFICATE,
                tag::ICC_PIN_ENCIPHERMENT_REMAINDER,
                tag::ICC_PIN_ENCIPHERMENT_EXPONENT,
            ];
            out.put_certificate(tags, certificate);
            out.pin_key = Some(key);
        }
        Ok(out)
    }
}

impl CardCertificates {
    fn put(&mut self, tag: Tag, value: Vec<u8>) {
        if !value.is_empty() {
            self.elements.push((tag, value));
        }
    }

    fn put_certificate(&mut self, [certificate, remainder, exponent]: [Tag; 3], signed: Certificate) {
        self.put(certificate, signed.certificate);
        self.put(remainder, signed.remainder);
        self.put(exponent, signed.exponent);
    }
}

impl CertificateOrder<'_> {
    fn certificate(&self, key: &PrivateKey) -> IccCertificate {
        let [year, month, _] = self.expiry;
        let [a, b, c, ..] = sha1(&[self.pan.expose().as_bytes(), &[self.psn]]);
        IccCertificate { pan: self.pan.clone(), expiry: [month, year], serial: [a, b, c], key: key.public() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::emv::certificate::{Against, CertificateRef, IssuerCertificate, RevocationList};

    #[test]
    fn what_is_certified_is_recovered_with_the_public_keys() {
        let authority = Authority::test().unwrap();
        let pan = Pan::with_check_digit("629999000000001").unwrap();
        let static_data = StaticData::from(b"records".to_vec());
        for suite in [Suite::Rsa, Suite::Sm2] {
            let order = CertificateOrder {
                rid: [0xA0, 0, 0, 0x03, 0x33],
                suite,
                pan: &pan,
                psn: 1,
                expiry: [0x35, 0x12, 0x31],
                static_data: &static_data,
                static_signature: true,
                card_key: true,
                pin_key: suite == Suite::Rsa,
            };
            let made = authority.certify(&order).unwrap();
            let value = |tag: Tag| {
                let found = made.elements.iter().find(|(of, _)| *of == tag);
                found.map(|(_, value)| value.as_slice()).unwrap_or_default()
            };
            let keys = authority.public_keys();
            let ca = keys.find(order.rid, value(Tag(0x8F))[0], suite).unwrap();
            let revocations = RevocationList::default();
            let against = Against { pan: &pan, today: [0x26, 0x11, 0x21], revocations: &revocations };
            let objects = |certificate, remainder, exponent| CertificateRef {
                certificate: value(Tag(certificate)),
                remainder: value(Tag(remainder)),
                exponent: value(Tag(exponent)),
            };
            let issuer = IssuerCertificate::recover(objects(0x90, 0x92, 0x9F32), ca, against).unwrap();
            let key_use = IccKeyUse::Authentication(&static_data);
            let card = objects(0x9F46, 0x9F48, 0x9F47);
            let card = IccCertificate::recover(card, key_use, &issuer.key, against).unwrap();
            assert_eq!(card.key, made.card_key.unwrap().public());
            if suite == Suite::Rsa {
                let pin = objects(0x9F2D, 0x9F2F, 0x9F2E);
                let pin =
                    IccCertificate::recover(pin, IccKeyUse::PinEncipherment, &issuer.key, against).unwrap();
                assert_eq!(pin.key, made.pin_key.unwrap().public());
            }
        }
    }

    #[test]
    fn a_provider_that_is_not_served_is_refused() {
        let authority = Authority::test().unwrap();
        let pan = Pan::with_check_digit("629999000000001").unwrap();
        let order = CertificateOrder {
            rid: [1; 5],
            suite: Suite::Rsa,
            pan: &pan,
            psn: 0,
            expiry: [0x35, 0x12, 0x31],
            static_data: &StaticData::new(),
            static_signature: false,
            card_key: false,
            pin_key: false,
        };
        assert_eq!(authority.certify(&order).unwrap_err(), BureauError::Provider { found: [1; 5] });
    }
}
