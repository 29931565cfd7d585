//! A test certification authority with an issuer below it: both suites, the keys of
//! cards, and what a terminal must know to trust them (EMV Book 2 section 5 and 6).

use super::BureauError;
use super::authority_text::{AuthorityText, CardsText, RingText};
use crate::base::bytes::{Hex, Secret};
use crate::base::crypto::{RsaExponent, RsaPrivateKey, Sm2PrivateKey, sm3};
use crate::words::emv::Pan;
use crate::words::emv::certificate::{
    CaPublicKey, CaPublicKeys, Certificate, IssuerCertificate, PrivateKey, Suite, issuer_identifier,
};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

const TEST: &str = include_str!("test_authority.toml");
/// Digits of the PAN in an issuer certificate.
const IDENTIFIER_DIGITS: usize = 6;
/// Serial number of the issuer's certificate: every authority has one issuer.
const ISSUER_SERIAL: [u8; 3] = [0x00, 0x00, 0x01];
/// Longest key of a CA, and of an issuer: tag 9F46 must fit its record beside its
/// tag and length in template 70 (254 bytes).
const CA_BITS: u32 = 1984;
const ISSUER_BITS: u32 = 1976;
/// A combined signature fits the answer beside 32 bytes of issuer application data.
const CDA_BITS: u32 = 1640;
/// Registered application providers of the schemes whose applications cards have.
const UNIONPAY: [u8; 5] = [0xA0, 0x00, 0x00, 0x03, 0x33];
const VISA: [u8; 5] = [0xA0, 0x00, 0x00, 0x00, 0x03];
const MASTERCARD: [u8; 5] = [0xA0, 0x00, 0x00, 0x00, 0x04];
/// The shortest keys that are made.
const SHORTEST_BITS: u32 = 704;

/// A certification authority and an issuer. Its keys never leave it but sealed.
#[derive(Clone)]
pub struct Authority {
    pub(super) providers: Vec<[u8; 5]>,
    pub(super) expiry: [u8; 3],
    pub(super) rsa: Ring,
    pub(super) sm2: Ring,
    pub(super) cards: CardKeySource,
    pub(super) issued: IssuedCertificates,
}

/// Issuer certificates that have been signed, by suite and issuer identifier: all cards of
/// an issuer bear the same one, and signing it is most of the work of a card.
pub(super) type IssuedCertificates = Arc<Mutex<HashMap<(Suite, [u8; 4]), Certificate>>>;

/// The keys of one suite.
#[derive(Clone)]
pub(super) struct Ring {
    pub index: u8,
    pub ca: PrivateKey,
    pub issuer: PrivateKey,
}

/// Where keys of cards come from.
#[derive(Clone)]
pub(super) struct CardKeySource {
    pub seed: Secret<[u8; 32]>,
    pub rsa_bits: u32,
    pub exponent: RsaExponent,
    pub pool: Vec<PrivateKey>,
    pub pin_pool: Vec<PrivateKey>,
}

/// The keys that a new authority is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityTerms {
    /// Registered application providers under whose names terminals get the keys.
    pub providers: Vec<[u8; 5]>,
    /// Index of the RSA key; that of the SM2 key follows.
    pub index: u8,
    /// Bits of the CA's RSA key, at most 1984.
    pub ca_bits: u32,
    /// Bits of the issuer's, at most 1976 and at most the CA's.
    pub issuer_bits: u32,
    /// Bits of a card's, at most the issuer's; up to 1640 a combined signature fits the
    /// answer beside 32 bytes of issuer application data.
    pub card_bits: u32,
    /// The exponent of all of them.
    pub exponent: RsaExponent,
    /// When terminals are to drop the CA's keys, BCD YYMMDD; with its month the issuer's
    /// certificate ends.
    pub expiry: [u8; 3],
}

impl Default for AuthorityTerms {
    /// The longest keys with which everything fits.
    fn default() -> Self {
        Self {
            providers: vec![UNIONPAY, VISA, MASTERCARD],
            index: 0xE1,
            ca_bits: CA_BITS,
            issuer_bits: ISSUER_BITS,
            card_bits: CDA_BITS,
            exponent: RsaExponent::Three,
            expiry: [0x49, 0x12, 0x31],
        }
    }
}

impl Authority {
    /// The project's own test authority. Its keys are public.
    pub fn test() -> Result<Arc<Self>, BureauError> {
        // Read once: every fresh card of a simulated world is signed with it.
        static AUTHORITY: LazyLock<Result<Arc<Authority>, BureauError>> =
            LazyLock::new(|| Authority::from_text(TEST).map(Arc::new));
        AUTHORITY.clone()
    }

    /// A new authority from a seed: the same seed gives the same keys.
    pub fn generate(terms: &AuthorityTerms, seed: &Secret<[u8; 32]>) -> Result<Self, BureauError> {
        let fits = |what, found: u32, at_most| match (SHORTEST_BITS..=at_most).contains(&found) {
            true if found.is_multiple_of(8) => Ok(()),
            _ => Err(BureauError::Bits { what, at_least: SHORTEST_BITS, at_most, found }),
        };
        fits("a CA key", terms.ca_bits, CA_BITS)?;
        fits("an issuer key", terms.issuer_bits, ISSUER_BITS.min(terms.ca_bits))?;
        fits("a card key", terms.card_bits, terms.issuer_bits)?;
        let rsa = |bits, purpose: &str| -> Result<PrivateKey, BureauError> {
            let seed = derived(seed, purpose, &[]);
            Ok(PrivateKey::Rsa(RsaPrivateKey::generate(bits, terms.exponent, &seed)?))
        };
        let sm2 = |purpose: &str| -> Result<PrivateKey, BureauError> {
            Ok(PrivateKey::Sm2(Sm2PrivateKey::generate(&derived(seed, purpose, &[]))?))
        };
        let (ca, issuer) = (rsa(terms.ca_bits, "ca rsa")?, rsa(terms.issuer_bits, "issuer rsa")?);
        Ok(Self {
            providers: terms.providers.clone(),
            expiry: terms.expiry,
            rsa: Ring { index: terms.index, ca, issuer },
            sm2: Ring { index: terms.index.wrapping_add(1), ca: sm2("ca sm2")?, issuer: sm2("issuer sm2")? },
            cards: CardKeySource {
                seed: derived(seed, "cards", &[]),
                rsa_bits: terms.card_bits,
                exponent: terms.exponent,
                pool: Vec::new(),
                pin_pool: Vec::new(),
            },
            issued: IssuedCertificates::default(),
        })
    }

    /// Reads [`Self::to_text`].
    pub fn from_text(text: &str) -> Result<Self, BureauError> {
        let text: AuthorityText =
            toml::from_str(text).map_err(|error| BureauError::Toml { cause: error.message().to_owned() })?;
        text.try_into()
    }

    /// All of it as TOML text that holds keys: to be sealed at once.
    pub fn to_text(&self) -> Secret<String> {
        let ring = |ring: &Ring| RingText {
            index: format!("{:02X}", ring.index),
            ca: ring.ca.to_text().expose().clone(),
            issuer: ring.issuer.to_text().expose().clone(),
        };
        let line = |key: &PrivateKey| key.to_text().expose().clone();
        let text = AuthorityText {
            providers: self.providers.iter().map(|rid| Hex(rid).to_string()).collect(),
            expiry: Hex(&self.expiry).to_string(),
            rsa: ring(&self.rsa),
            sm2: ring(&self.sm2),
            cards: CardsText {
                seed: Hex(self.cards.seed.expose()).to_string(),
                rsa_bits: self.cards.rsa_bits,
                exponent: if self.cards.exponent == RsaExponent::Three { 3 } else { 65537 },
                pool: self.cards.pool.iter().map(line).collect(),
                pin_pool: self.cards.pin_pool.iter().map(line).collect(),
            },
        };
        // Texts and numbers: nothing of it can fail.
        Secret::new(toml::to_string(&text).unwrap_or_default())
    }

    /// What terminals must hold: the CA's key of each suite under each provider's name.
    pub fn public_keys(&self) -> CaPublicKeys {
        let keys = [&self.rsa, &self.sm2].into_iter().flat_map(|ring| {
            self.providers.iter().map(|rid| CaPublicKey {
                rid: *rid,
                index: ring.index,
                key: ring.ca.public(),
                expiry: Some(self.expiry),
            })
        });
        keys.collect()
    }

    /// The certificate of the issuer's key for cards whose PAN begins as this one.
    pub(super) fn issuer_certificate(&self, suite: Suite, pan: &Pan) -> Result<Certificate, BureauError> {
        let identifier = issuer_identifier(pan, IDENTIFIER_DIGITS);
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = issued.get(&(suite, identifier)) {
            return Ok(certificate.clone());
        }
        let ring = self.ring(suite);
        let [year, month, _] = self.expiry;
        let certificate = IssuerCertificate {
            identifier,
            expiry: [month, year],
            serial: ISSUER_SERIAL,
            key: ring.issuer.public(),
        };
        let signed = certificate.sign(&ring.ca)?;
        issued.insert((suite, identifier), signed.clone());
        Ok(signed)
    }

    pub(super) const fn ring(&self, suite: Suite) -> &Ring {
        match suite {
            Suite::Rsa => &self.rsa,
            Suite::Sm2 => &self.sm2,
        }
    }

    /// A card's own key: always the same for the same card.
    pub(super) fn card_key(&self, suite: Suite, pan: &Pan, psn: u8) -> Result<PrivateKey, BureauError> {
        let seed = derived(&self.cards.seed, "card", &[pan.expose().as_bytes(), &[psn]]);
        match suite {
            Suite::Rsa => self.rsa_key(&self.cards.pool, &seed),
            Suite::Sm2 => Ok(PrivateKey::Sm2(Sm2PrivateKey::generate(&seed)?)),
        }
    }

    /// A card's key for PIN encipherment; only RSA has one.
    pub(super) fn pin_key(&self, pan: &Pan, psn: u8) -> Result<PrivateKey, BureauError> {
        let seed = derived(&self.cards.seed, "pin", &[pan.expose().as_bytes(), &[psn]]);
        self.rsa_key(&self.cards.pin_pool, &seed)
    }

    fn rsa_key(&self, pool: &[PrivateKey], seed: &Secret<[u8; 32]>) -> Result<PrivateKey, BureauError> {
        let [first, ..] = *seed.expose();
        match pool.get(usize::from(first) % pool.len().max(1)) {
            Some(key) => Ok(key.clone()),
            None => {
                let (bits, exponent) = (self.cards.rsa_bits, self.cards.exponent);
                Ok(PrivateKey::Rsa(RsaPrivateKey::generate(bits, exponent, seed)?))
            }
        }
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority(RSA {:02X}, SM2 {:02X})", self.rsa.index, self.sm2.index)
    }
}

/// A seed for one purpose.
fn derived(seed: &Secret<[u8; 32]>, purpose: &str, parts: &[&[u8]]) -> Secret<[u8; 32]> {
    let all: Vec<&[u8]> =
        [purpose.as_bytes(), seed.expose().as_slice()].into_iter().chain(parts.iter().copied()).collect();
    Secret::new(sm3(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_authority_is_read_and_written() {
        let authority = Authority::test().unwrap();
        let again = Authority::from_text(authority.to_text().expose()).unwrap();
        assert_eq!(again.public_keys(), authority.public_keys());
        assert_eq!(authority.public_keys().len(), 6);
        let bytes = |suite| authority.ring(suite).ca.public().bytes().len();
        assert_eq!((bytes(Suite::Rsa), bytes(Suite::Sm2)), (248, 64));
    }

    #[test]
    fn a_seed_gives_its_authority_again() {
        let terms = AuthorityTerms { ca_bits: 704, issuer_bits: 704, card_bits: 704, ..Default::default() };
        let make = |seed| Authority::generate(&terms, &Secret::new([seed; 32])).unwrap();
        assert_eq!(make(1).to_text(), make(1).to_text());
        assert_ne!(make(1).public_keys(), make(2).public_keys());
    }

    #[test]
    fn keys_that_do_not_fit_each_other_are_refused() {
        let terms = AuthorityTerms { ca_bits: 1024, issuer_bits: 1032, ..Default::default() };
        let error = Authority::generate(&terms, &Secret::new([0; 32])).unwrap_err();
        assert!(error.to_string().contains("an issuer key of 704 to 1024 bits"), "{error}");
        let terms = AuthorityTerms { issuer_bits: 1984, ..Default::default() };
        assert!(Authority::generate(&terms, &Secret::new([0; 32])).is_err(), "9F46 would not fit its record");
        assert!(Authority::from_text(&TEST.replace("rsa-3:", "rsa-4:")).is_err());
        assert!(Authority::from_text(&TEST.replace("A000000333", "A0")).is_err());
    }
}
