//! SM2 signatures with SM3 (GB/T 32918.2, GM/T 0003) on the recommended curve: what
//! the certificates of PBOC 3.0 are signed with (JR/T 0025.17).

use super::{CryptoError, sm3};
use crate::base::bytes::Secret;
use sm2::dsa::signature::{MultipartSigner, MultipartVerifier};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::elliptic_curve::sec1::ToSec1Point;
use zeroize::Zeroize;

/// The identity that signs where nobody agreed on another (GM/T 0009 section 10).
pub const SM2_DEFAULT_IDENTITY: &str = "1234567812345678";

/// A public key with its identity, ready to verify. A clone is cheap.
#[derive(Clone)]
pub struct Sm2PublicKey {
    coordinates: [u8; 64],
    verifying: VerifyingKey,
}

impl Sm2PublicKey {
    /// From the coordinates x and y, 32 bytes each, with the default identity.
    pub fn new(coordinates: &[u8; 64]) -> Result<Self, CryptoError> {
        let mut point = [0x04; 65];
        point[1..].copy_from_slice(coordinates);
        let verifying = VerifyingKey::from_sec1_bytes(SM2_DEFAULT_IDENTITY, &point)
            .map_err(|_| CryptoError::Sm2Key { expected: "public key, a point of the curve" })?;
        Ok(Self { coordinates: *coordinates, verifying })
    }

    /// The coordinates x and y.
    pub const fn coordinates(&self) -> &[u8; 64] {
        &self.coordinates
    }

    /// Verifies a signature, r and s, over the parts one after another.
    pub fn verify(&self, parts: &[&[u8]], signature: &[u8; 64]) -> Result<(), CryptoError> {
        let signature = Signature::from_slice(signature).map_err(|_| CryptoError::Sm2Signature)?;
        self.verifying.multipart_verify(parts, &signature).map_err(|_| CryptoError::Sm2Signature)
    }
}

impl PartialEq for Sm2PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.coordinates == other.coordinates
    }
}

impl Eq for Sm2PublicKey {}

impl std::fmt::Debug for Sm2PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sm2PublicKey(256 bits)")
    }
}

/// A private key.
#[derive(Clone)]
pub struct Sm2PrivateKey {
    /// In a box, since it repeats the public half.
    signing: Box<SigningKey>,
    public: Sm2PublicKey,
}

impl Sm2PrivateKey {
    /// From its 32 bytes, a number from 1 to the order of the curve less 2.
    pub fn new(secret: &Secret<[u8; 32]>) -> Result<Self, CryptoError> {
        let wrong = |_| CryptoError::Sm2Key { expected: "private key, a number below the order" };
        let signing = SigningKey::from_slice(SM2_DEFAULT_IDENTITY, secret.expose()).map_err(wrong)?;
        let point = signing.verifying_key().as_affine().to_sec1_point(false);
        let coordinates = point.as_bytes().last_chunk().copied().unwrap_or([0; 64]);
        Ok(Self { public: Sm2PublicKey::new(&coordinates)?, signing: Box::new(signing) })
    }

    /// A new key from a seed: the same seed gives the same key.
    pub fn generate(seed: &Secret<[u8; 32]>) -> Result<Self, CryptoError> {
        let mut number = Secret::new(sm3(&[b"cardwright sm2", seed.expose()]));
        // All but one number in four billion are keys.
        for _ in 0..8 {
            match Self::new(&number) {
                Ok(key) => return Ok(key),
                Err(_) => number = Secret::new(sm3(&[number.expose()])),
            }
        }
        Self::new(&number)
    }

    /// The public half.
    pub const fn public(&self) -> &Sm2PublicKey {
        &self.public
    }

    /// Its bytes: to be sealed.
    pub fn secret(&self) -> Secret<[u8; 32]> {
        let mut bytes = self.signing.to_bytes();
        let secret = Secret::new(bytes.into());
        bytes.zeroize();
        secret
    }

    /// Signs the parts one after another: r and s. The random number of the scheme
    /// comes from key and message (RFC 6979), so that a world replays.
    pub fn sign(&self, parts: &[&[u8]]) -> Result<[u8; 64], CryptoError> {
        let signature: Signature =
            self.signing.try_multipart_sign(parts).map_err(|_| CryptoError::Sm2Signature)?;
        Ok(signature.to_bytes().into())
    }
}

impl std::fmt::Debug for Sm2PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sm2PrivateKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_verifies() {
        let key = Sm2PrivateKey::generate(&Secret::new([7; 32])).unwrap();
        let signature = key.sign(&[b"message ", b"digest"]).unwrap();
        assert_eq!(key.sign(&[b"message digest"]).unwrap(), signature);
        assert_eq!(key.public().verify(&[b"message digest"], &signature), Ok(()));
        assert_eq!(key.public().verify(&[b"message digesT"], &signature), Err(CryptoError::Sm2Signature));
        assert_eq!(key.public().verify(&[b"message digest"], &[0; 64]), Err(CryptoError::Sm2Signature));
        let again = Sm2PrivateKey::new(&key.secret()).unwrap();
        assert_eq!(again.public(), key.public());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(Sm2PublicKey::new(&[1; 64]).is_err());
        assert!(Sm2PrivateKey::new(&Secret::new([0; 32])).is_err());
        assert!(Sm2PrivateKey::new(&Secret::new([0xFF; 32])).is_err());
    }
}
