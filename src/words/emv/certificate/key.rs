//! A key of either suite.

use super::{CertificateError, Fault, Object};
use crate::base::bytes::{Hex, Secret, parse_hex};
use crate::base::crypto::{
    self, CryptoError, RsaExponent, RsaPrivateKey, RsaPublicKey, Sm2PrivateKey, Sm2PublicKey,
};

/// Which algorithms a certificate uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// RSA and SHA-1: EMV Book 2 annex B, indicators 01.
    Rsa,
    /// SM2 and SM3: JR/T 0025.17, indicator 04. Chosen where card and terminal both
    /// have it (DF69).
    Sm2,
}

impl Suite {
    /// Public key algorithm indicator.
    pub const fn indicator(self) -> u8 {
        match self {
            Self::Rsa => 0x01,
            Self::Sm2 => 0x04,
        }
    }

    /// The hash of the suite over parts that stand side by side: 20 or 32 bytes.
    pub fn hash(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Rsa => crypto::sha1(parts).to_vec(),
            Self::Sm2 => crypto::sm3(parts).to_vec(),
        }
    }

    /// Bytes of [`Self::hash`].
    pub const fn hash_bytes(self) -> usize {
        match self {
            Self::Rsa => 20,
            Self::Sm2 => 32,
        }
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa(RsaPublicKey),
    /// SM2.
    Sm2(Sm2PublicKey),
}

impl PublicKey {
    /// An RSA key from its modulus and the bytes of its exponent.
    pub fn rsa(modulus: &[u8], exponent: &[u8], object: Object) -> Result<Self, CertificateError> {
        let key = RsaExponent::from_bytes(exponent).and_then(|exponent| RsaPublicKey::new(modulus, exponent));
        key.map(Self::Rsa).map_err(|cause| object.fault(Fault::Key(cause)))
    }

    /// An SM2 key from its coordinates, 64 bytes.
    pub fn sm2(coordinates: &[u8], object: Object) -> Result<Self, CertificateError> {
        let found = coordinates.len();
        let point = coordinates.try_into();
        let point = point.map_err(|_| object.fault(Fault::KeyLength { expected: 64, found }))?;
        Sm2PublicKey::new(point).map(Self::Sm2).map_err(|cause| object.fault(Fault::Key(cause)))
    }

    /// Its suite.
    pub const fn suite(&self) -> Suite {
        match self {
            Self::Rsa(_) => Suite::Rsa,
            Self::Sm2(_) => Suite::Sm2,
        }
    }

    /// The modulus of RSA, or the coordinates of SM2.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Rsa(key) => key.modulus(),
            Self::Sm2(key) => key.coordinates(),
        }
    }

    /// The exponent of RSA; SM2 has none.
    pub const fn exponent(&self) -> &'static [u8] {
        match self {
            Self::Rsa(key) => key.exponent().as_bytes(),
            Self::Sm2(_) => &[],
        }
    }
}

/// A private key.
#[derive(Debug, Clone)]
pub enum PrivateKey {
    /// RSA.
    Rsa(RsaPrivateKey),
    /// SM2.
    Sm2(Sm2PrivateKey),
}

impl PrivateKey {
    /// Reads [`Self::to_text`].
    pub fn from_text(text: &str) -> Result<Self, KeyTextError> {
        let wrong = || KeyTextError::Form;
        let number = |text: &str| parse_hex(text).map(Secret::new).map_err(|_| wrong());
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["sm2", secret] => {
                let secret = number(secret)?;
                let array = secret.expose().as_slice().try_into().map(Secret::new).map_err(|_| wrong())?;
                Ok(Self::Sm2(Sm2PrivateKey::new(&array)?))
            }
            [kind @ ("rsa-3" | "rsa-65537"), p, q] => {
                let exponent = if *kind == "rsa-3" { RsaExponent::Three } else { RsaExponent::F4 };
                let (p, q) = (number(p)?, number(q)?);
                Ok(Self::Rsa(RsaPrivateKey::from_primes(p.expose(), q.expose(), exponent)?))
            }
            _ => Err(wrong()),
        }
    }

    /// As a line of text, to be sealed: `rsa-3:PRIME:PRIME`, `rsa-65537:PRIME:PRIME` or
    /// `sm2:NUMBER`, hexadecimal.
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(match self {
            Self::Rsa(key) => {
                let [p, q] = key.primes();
                let exponent = if key.public().exponent() == RsaExponent::Three { 3 } else { 65537 };
                format!("rsa-{exponent}:{}:{}", Hex(p.expose()), Hex(q.expose()))
            }
            Self::Sm2(key) => format!("sm2:{}", Hex(key.secret().expose())),
        })
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Rsa(key) => PublicKey::Rsa(key.public().clone()),
            Self::Sm2(key) => PublicKey::Sm2(key.public().clone()),
        }
    }

    /// Its suite.
    pub const fn suite(&self) -> Suite {
        match self {
            Self::Rsa(_) => Suite::Rsa,
            Self::Sm2(_) => Suite::Sm2,
        }
    }
}

/// Why a line of text is no private key. It never tells the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// Another form.
    #[error("expected a private key as rsa-3:PRIME:PRIME, rsa-65537:PRIME:PRIME or sm2:NUMBER, hexadecimal")]
    Form,
    /// Numbers that are no key.
    #[error(transparent)]
    Numbers(#[from] CryptoError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let seed = Secret::new([3; 32]);
        for key in [
            PrivateKey::Rsa(RsaPrivateKey::generate(512, RsaExponent::Three, &seed).unwrap()),
            PrivateKey::Rsa(RsaPrivateKey::generate(512, RsaExponent::F4, &seed).unwrap()),
            PrivateKey::Sm2(Sm2PrivateKey::generate(&seed).unwrap()),
        ] {
            let again = PrivateKey::from_text(key.to_text().expose()).unwrap();
            assert_eq!(again.public(), key.public());
        }
        for wrong in ["", "rsa-3:00", "rsa-5:11:13", "rsa-3:0B:11", "sm2:00", "sm2:zz", "rsa-3:11:13:17"] {
            assert!(PrivateKey::from_text(wrong).is_err(), "{wrong}");
        }
    }
}
