//! Certification authority public keys, as terminals hold them: EMV Book 2 11.2.2.

use super::{CertificateError, Fault, Object, PublicKey, Suite};

/// A certification authority's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaPublicKey {
    /// Registered application provider identifier.
    pub rid: [u8; 5],
    /// Index, tag 8F on cards and 9F22 in terminals.
    pub index: u8,
    /// The key: RSA of up to 248 bytes, or SM2.
    pub key: PublicKey,
    /// When it is to be taken out of terminals, BCD YYMMDD; none is set for test keys.
    pub expiry: Option<[u8; 3]>,
}

impl CaPublicKey {
    /// The hash over RID, index, modulus and exponent (EMV Book 2 11.2.2): SHA-1, 20
    /// bytes. With SM2 it is SM3 over RID, index and coordinates, which is our reading.
    pub fn checksum(&self) -> Vec<u8> {
        self.key.suite().hash(&[&self.rid, &[self.index], self.key.bytes(), self.key.exponent()])
    }

    /// Compares the checksum with one that came along.
    pub fn check(&self, checksum: &[u8]) -> Result<(), CertificateError> {
        let expected = self.checksum();
        if expected == checksum {
            return Ok(());
        }
        Err(Object::CaPublicKey.fault(Fault::Checksum { expected, found: checksum.into() }))
    }
}

/// The keys of a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaPublicKeys(Vec<CaPublicKey>);

impl CaPublicKeys {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a key in the place of the one with its provider, index and suite, if any.
    pub fn put(&mut self, key: CaPublicKey) {
        match self.0.iter_mut().find(|known| known.is_in_place_of(&key)) {
            Some(known) => *known = key,
            None => self.0.push(key),
        }
    }

    /// The key with which a card's issuer certificate is recovered. Keys of the two
    /// suites have indices of their own.
    pub fn find(&self, rid: [u8; 5], index: u8, suite: Suite) -> Result<&CaPublicKey, CertificateError> {
        let mut keys = self.0.iter();
        keys.find(|key| key.rid == rid && key.index == index && key.key.suite() == suite)
            .ok_or_else(|| Object::CaPublicKey.fault(Fault::UnknownCaKey { rid, index }))
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> std::slice::Iter<'_, CaPublicKey> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl CaPublicKey {
    fn is_in_place_of(&self, other: &Self) -> bool {
        (self.rid, self.index, self.key.suite()) == (other.rid, other.index, other.key.suite())
    }
}

impl FromIterator<CaPublicKey> for CaPublicKeys {
    fn from_iter<I: IntoIterator<Item = CaPublicKey>>(keys: I) -> Self {
        let mut out = Self::new();
        keys.into_iter().for_each(|key| out.put(key));
        out
    }
}
