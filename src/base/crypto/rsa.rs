//! RSA without padding, of any length that EMV uses (Book 2 annex B2.1): the
//! padding of certificates is a word. Keys up to 248 bytes, exponents 3 and 65537.

use super::CryptoError;
use crate::base::bytes::Secret;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, ConcatenatingMul, Limb, NonZero, Odd, Resize};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroize;

/// Lengths of a modulus in bytes: the longest is EMV's (Book 2 annex D1), the
/// shortest is below every key that was ever issued.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 64..=248;
/// Lengths of a key that is made here, in bits.
const GENERATED_BITS: std::ops::RangeInclusive<u32> = 512..=1984;

/// The two exponents of EMV (Book 2 annex B2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RsaExponent {
    /// 3, one byte.
    Three,
    /// 65537, three bytes.
    F4,
}

impl RsaExponent {
    /// From big-endian bytes without leading zeros.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        match bytes {
            [0x03] => Ok(Self::Three),
            [0x01, 0x00, 0x01] => Ok(Self::F4),
            _ => Err(CryptoError::RsaExponent { found: bytes.into() }),
        }
    }

    /// Its bytes, as the data objects 9F32 and 9F47 carry it.
    pub const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Three => &[0x03],
            Self::F4 => &[0x01, 0x00, 0x01],
        }
    }

    const fn value(self) -> u32 {
        match self {
            Self::Three => 3,
            Self::F4 => 65537,
        }
    }
}

/// A public key with what the arithmetic needs worked out once (a few
/// microseconds): keep it for a key that is used again. A clone shares it.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    modulus: Vec<u8>,
    exponent: RsaExponent,
    params: BoxedMontyParams,
}

impl RsaPublicKey {
    /// A key from its modulus (64 to 248 bytes, odd) and exponent.
    pub fn new(modulus: &[u8], exponent: RsaExponent) -> Result<Self, CryptoError> {
        if !MODULUS_BYTES.contains(&modulus.len()) {
            return Err(CryptoError::RsaModulusLength { found_bytes: modulus.len() });
        }
        let number = BoxedUint::from_be_slice_vartime(modulus);
        let odd = Odd::new(number).into_option().ok_or(CryptoError::RsaModulus)?;
        // One is odd and no modulus.
        if odd.bits_vartime() < 2 {
            return Err(CryptoError::RsaModulus);
        }
        Ok(Self { modulus: modulus.into(), exponent, params: BoxedMontyParams::new_vartime(odd) })
    }

    /// The modulus, big-endian.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The public exponent.
    pub const fn exponent(&self) -> RsaExponent {
        self.exponent
    }

    /// Bytes of the modulus, and of every input and output.
    pub fn length_bytes(&self) -> usize {
        self.modulus.len()
    }

    /// The public operation: `input` to the power of the exponent. `input` has the
    /// length of the modulus and is below it. Not constant time: nothing is secret.
    pub fn apply(&self, input: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let number = below(input, &self.modulus, self.params.bits_precision())?;
        // Not in Montgomery form, on purpose: a product of one factor that is in it
        // and one that is not is the plain product, so no way back is needed.
        let plain = BoxedMontyForm::from_montgomery(number.clone(), &self.params);
        let mut power = BoxedMontyForm::new(number, &self.params);
        let squarings = match self.exponent {
            RsaExponent::Three => 1,
            RsaExponent::F4 => 16,
        };
        for _ in 0..squarings {
            power = power.square();
        }
        Ok(to_bytes(power.mul(&plain).as_montgomery(), self.modulus.len()))
    }
}

impl std::fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RsaPublicKey({} bits, exponent {})", self.modulus.len() * 8, self.exponent.value())
    }
}

/// A private key as two primes: the private operation takes the time that it
/// takes whatever they are.
#[derive(Clone)]
pub struct RsaPrivateKey {
    public: RsaPublicKey,
    /// The larger prime.
    p: Half,
    q: Half,
    /// The inverse of `q` modulo `p`, in Montgomery form.
    q_inverse: BoxedMontyForm,
}

/// Arithmetic modulo one of the primes.
#[derive(Clone)]
struct Half {
    prime: NonZero<BoxedUint>,
    exponent: BoxedUint,
    params: BoxedMontyParams,
}

impl RsaPrivateKey {
    /// A new key of `bits` (even, 512 to 1984) from a seed: the same seed gives the
    /// same key. Primes are proven by the Baillie-PSW test.
    pub fn generate(bits: u32, exponent: RsaExponent, seed: &Secret<[u8; 32]>) -> Result<Self, CryptoError> {
        if !GENERATED_BITS.contains(&bits) || !bits.is_multiple_of(2) {
            return Err(CryptoError::RsaBits { found: bits });
        }
        let mut random = ChaCha20Rng::from_seed(*seed.expose());
        let first = prime(bits / 2, exponent, &mut random)?;
        loop {
            let second = prime(bits / 2, exponent, &mut random)?;
            if first != second {
                return Self::from_numbers(first, second, exponent);
            }
        }
    }

    /// A key from its primes, big-endian and of one length. Whether they are prime is
    /// not tested; a key that contradicts itself is refused.
    pub fn from_primes(p: &[u8], q: &[u8], exponent: RsaExponent) -> Result<Self, CryptoError> {
        if p.len() != q.len() || !(MODULUS_BYTES.start() / 2..=MODULUS_BYTES.end() / 2).contains(&p.len()) {
            return Err(CryptoError::RsaPrimes);
        }
        Self::from_numbers(BoxedUint::from_be_slice_vartime(p), BoxedUint::from_be_slice_vartime(q), exponent)
    }

    fn from_numbers(p: BoxedUint, q: BoxedUint, exponent: RsaExponent) -> Result<Self, CryptoError> {
        // The remainder modulo q, taken modulo p, must be itself.
        let (p, q) = if p > q { (p, q) } else { (q, p) };
        if p.bits_vartime() != q.bits_vartime() {
            return Err(CryptoError::RsaPrimes);
        }
        let modulus = p.concatenating_mul(&q).to_be_bytes_trimmed_vartime();
        let odd = |number: &BoxedUint| Odd::new(number.clone()).into_option().ok_or(CryptoError::RsaPrimes);
        let odd_p = odd(&p)?;
        let inverse = q.invert_odd_mod(&odd_p).into_option().ok_or(CryptoError::RsaPrimes)?;
        let p = Half::new(odd_p, exponent)?;
        let q = Half::new(odd(&q)?, exponent)?;
        let public = RsaPublicKey::new(&modulus, exponent).map_err(|_| CryptoError::RsaPrimes)?;
        let key = Self { public, q_inverse: BoxedMontyForm::new(inverse, &p.params), p, q };
        // A number that is no prime gives exponents that do not undo one another.
        let mut probe = vec![0x5A; modulus.len()];
        probe[0] = 0;
        match key.apply(&probe).and_then(|signed| key.public.apply(&signed)) {
            Ok(again) if again == probe => Ok(key),
            _ => Err(CryptoError::RsaPrimes),
        }
    }

    /// The public half.
    pub const fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    /// The primes, the larger one first, big-endian: to be sealed.
    pub fn primes(&self) -> [Secret<Vec<u8>>; 2] {
        [&self.p, &self.q].map(|half| Secret::new(half.prime.to_be_bytes_trimmed_vartime().into_vec()))
    }

    /// The private operation, which undoes [`RsaPublicKey::apply`]. `input` has the
    /// length of the modulus and is below it.
    pub fn apply(&self, input: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let number = below(input, &self.public.modulus, self.public.params.bits_precision())?;
        let modulo_p = self.p.power(&number);
        let modulo_q = self.q.power(&number);
        // Garner: the part of p that is missing, then both put together.
        let difference = modulo_p.sub_mod(&modulo_q, &self.p.prime);
        let missing =
            self.q_inverse.mul(&BoxedMontyForm::from_montgomery(difference, &self.p.params)).to_montgomery();
        let product = self.q.prime.concatenating_mul(&missing);
        let sum = product.wrapping_add(modulo_q);
        Ok(to_bytes(&sum, self.public.modulus.len()))
    }
}

impl Half {
    fn new(prime: Odd<BoxedUint>, exponent: RsaExponent) -> Result<Self, CryptoError> {
        let precision = prime.bits_precision();
        let one_less = prime.as_ref().wrapping_sub(BoxedUint::one_with_precision(precision));
        let modulus = NonZero::new(one_less).into_option().ok_or(CryptoError::RsaPrimes)?;
        let public = BoxedUint::from(exponent.value()).resize(precision);
        let exponent = public.invert_mod(&modulus).into_option().ok_or(CryptoError::RsaPrimes)?;
        let number = NonZero::new(prime.as_ref().clone()).into_option().ok_or(CryptoError::RsaPrimes)?;
        Ok(Self { prime: number, exponent, params: BoxedMontyParams::new(prime) })
    }

    fn power(&self, number: &BoxedUint) -> BoxedUint {
        let reduced = number.rem(&self.prime);
        BoxedMontyForm::new(reduced, &self.params).pow(&self.exponent).retrieve()
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.exponent.zeroize();
        self.prime.zeroize();
    }
}

impl std::fmt::Debug for RsaPrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RsaPrivateKey({:?})", self.public)
    }
}

/// A prime of `bits` whose two highest bits are set, so that a product of two has
/// twice as many, and for which the exponent has an inverse.
fn prime(bits: u32, exponent: RsaExponent, random: &mut ChaCha20Rng) -> Result<BoxedUint, CryptoError> {
    let divisor =
        NonZero::new(Limb::from_u32(exponent.value())).into_option().ok_or(CryptoError::RsaPrimes)?;
    let candidates = SmallFactorsSieveFactory::<BoxedUint>::new(Flavor::Any, bits, SetBits::TwoMsb);
    let suits = |_: &mut ChaCha20Rng, candidate: &BoxedUint| {
        candidate.rem_limb(divisor) != Limb::ONE && is_prime(Flavor::Any, candidate)
    };
    let found = candidates.and_then(|candidates| sieve_and_find(random, candidates, suits));
    found.ok().flatten().ok_or(CryptoError::RsaBits { found: bits * 2 })
}

/// The number of an input, which has the length of the modulus and is below it.
fn below(input: &[u8], modulus: &[u8], precision: u32) -> Result<BoxedUint, CryptoError> {
    if input.len() != modulus.len() {
        let (expected_bytes, found_bytes) = (modulus.len(), input.len());
        return Err(CryptoError::RsaInputLength { expected_bytes, found_bytes });
    }
    if input >= modulus {
        return Err(CryptoError::RsaInput);
    }
    BoxedUint::from_be_slice(input, precision).map_err(|_| CryptoError::RsaInput)
}

/// The number as `length` bytes; it is below 256 to the power of that.
fn to_bytes(number: &BoxedUint, length: usize) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    bytes[bytes.len().saturating_sub(length)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_recovered_at_every_length() {
        for (bits, exponent) in
            [(704, RsaExponent::Three), (706, RsaExponent::F4), (1640, RsaExponent::Three)]
        {
            let key = RsaPrivateKey::generate(bits, exponent, &Secret::new([bits as u8; 32])).unwrap();
            assert_eq!(key.public().length_bytes(), bits.div_ceil(8) as usize);
            let mut message = vec![0xA7; key.public().length_bytes()];
            message[0] = 0x01;
            let signed = key.apply(&message).unwrap();
            assert_ne!(signed, message);
            assert_eq!(key.public().apply(&signed).unwrap(), message);
            let [p, q] = key.primes();
            let again = RsaPrivateKey::from_primes(p.expose(), q.expose(), exponent).unwrap();
            assert_eq!(again.apply(&message).unwrap(), signed);
        }
    }

    #[test]
    fn a_seed_gives_its_key_again() {
        let make = |seed| RsaPrivateKey::generate(704, RsaExponent::Three, &Secret::new([seed; 32])).unwrap();
        assert_eq!(make(1).public(), make(1).public());
        assert_ne!(make(1).public(), make(2).public());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let key = RsaPrivateKey::generate(512, RsaExponent::Three, &Secret::new([9; 32])).unwrap();
        let length = key.public().length_bytes();
        assert_eq!(key.public().apply(&vec![0xFF; length]), Err(CryptoError::RsaInput));
        let wrong = CryptoError::RsaInputLength { expected_bytes: 64, found_bytes: 63 };
        assert_eq!(key.apply(&[0; 63]), Err(wrong));
        for modulus in [vec![0; 64], vec![2; 64], [vec![0; 63], vec![1]].concat()] {
            assert_eq!(RsaPublicKey::new(&modulus, RsaExponent::F4), Err(CryptoError::RsaModulus));
        }
        assert!(RsaPublicKey::new(&[0xFF; 249], RsaExponent::F4).is_err());
        let [p, _] = key.primes();
        let composite: Vec<u8> = p.expose().iter().map(|byte| byte ^ 0x04).collect();
        assert!(RsaPrivateKey::from_primes(p.expose(), &composite, RsaExponent::Three).is_err());
        assert!(RsaPrivateKey::from_primes(p.expose(), p.expose(), RsaExponent::Three).is_err());
        assert!(RsaPrivateKey::generate(1025, RsaExponent::F4, &Secret::new([0; 32])).is_err());
        assert!(RsaExponent::from_bytes(&[0, 3]).is_err());
        assert!(!format!("{key:?}").contains("prime"));
    }
}
