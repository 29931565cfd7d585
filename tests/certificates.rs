//! Certificates and signatures of `words::emv::certificate`: what is built is
//! recovered, and everything else is refused with the name of the check.

mod emv_crate;
mod faults;
mod round_trip;

use cardwright::base::bytes::Secret;
use cardwright::base::crypto::{RsaExponent, RsaPrivateKey, Sm2PrivateKey};
use cardwright::words::emv::Pan;
use cardwright::words::emv::certificate::*;
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

pub(crate) const TODAY: [u8; 3] = [0x26, 0x11, 0x21];

/// A key of this length, made once for all tests.
pub(crate) fn rsa(bits: u32, exponent: RsaExponent, number: u8) -> RsaPrivateKey {
    type Keys = BTreeMap<(u32, bool, u8), RsaPrivateKey>;
    static KEYS: LazyLock<Mutex<Keys>> = LazyLock::new(Mutex::default);
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = keys
        .entry((bits, exponent == RsaExponent::F4, number))
        .or_insert_with(|| RsaPrivateKey::generate(bits, exponent, &Secret::new([number; 32])).unwrap());
    key.clone()
}

pub(crate) fn sm2(number: u8) -> PrivateKey {
    PrivateKey::Sm2(Sm2PrivateKey::generate(&Secret::new([number; 32])).unwrap())
}

pub(crate) fn pan() -> Pan {
    Pan::with_check_digit("629999000000001").unwrap()
}

/// A certification authority, an issuer and a card, and what the card bears.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) ca: CaPublicKey,
    pub(crate) ca_key: PrivateKey,
    pub(crate) issuer_key: PrivateKey,
    pub(crate) card_key: PrivateKey,
    pub(crate) issuer: Certificate,
    pub(crate) card: Certificate,
    pub(crate) static_data: StaticData,
    pub(crate) static_signature: Vec<u8>,
}

impl Chain {
    pub(crate) fn new(ca_key: PrivateKey, issuer_key: PrivateKey, card_key: PrivateKey) -> Self {
        let static_data = StaticData::from(b"\x5A\x08records of the card\x3C\x00".to_vec());
        let issuer = IssuerCertificate {
            identifier: issuer_identifier(&pan(), 6),
            expiry: [0x12, 0x30],
            serial: [0, 0, 1],
            key: issuer_key.public(),
        };
        let card =
            IccCertificate { pan: pan(), expiry: [0x11, 0x26], serial: [0, 0, 2], key: card_key.public() };
        Self {
            ca: CaPublicKey { rid: [0xA0, 0, 0, 3, 0x33], index: 0xE1, key: ca_key.public(), expiry: None },
            issuer: issuer.sign(&ca_key).unwrap(),
            card: card.sign(IccKeyUse::Authentication(&static_data), &issuer_key).unwrap(),
            static_signature: sign_static_data(&static_data, [0xDA, 0xC0], &issuer_key).unwrap(),
            ca_key,
            issuer_key,
            card_key,
            static_data,
        }
    }

    pub(crate) fn small() -> Self {
        static CHAIN: LazyLock<Chain> = LazyLock::new(|| {
            let key = |bits, number| PrivateKey::Rsa(rsa(bits, RsaExponent::Three, number));
            Chain::new(key(1024, 1), key(960, 2), key(704, 3))
        });
        CHAIN.clone()
    }

    pub(crate) fn of_sm2() -> Self {
        static CHAIN: LazyLock<Chain> = LazyLock::new(|| Chain::new(sm2(1), sm2(2), sm2(3)));
        CHAIN.clone()
    }

    pub(crate) fn recover_issuer(&self) -> Result<IssuerCertificate, CertificateError> {
        let (pan, revocations) = (pan(), RevocationList::default());
        let against = Against { pan: &pan, today: TODAY, revocations: &revocations };
        IssuerCertificate::recover(self.issuer.as_ref(), &self.ca, against)
    }

    pub(crate) fn recover_card(&self) -> Result<IccCertificate, CertificateError> {
        let (pan, revocations) = (pan(), RevocationList::default());
        let against = Against { pan: &pan, today: TODAY, revocations: &revocations };
        let key_use = IccKeyUse::Authentication(&self.static_data);
        IccCertificate::recover(self.card.as_ref(), key_use, &self.issuer_key.public(), against)
    }
}
