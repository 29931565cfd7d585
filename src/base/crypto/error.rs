//! Why a cryptographic function refused its input.

use crate::base::bytes::Hex;

/// What was expected of an input and what came. No variant carries the input
/// itself: it may be a key or a PAN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// A length that is no multiple of the block length; pad the data first.
    #[error("expected a multiple of {block_bytes} bytes for {algorithm} in ECB mode, found {found_bytes}")]
    NotWholeBlocks {
        /// The block cipher.
        algorithm: &'static str,
        /// Its block length in bytes.
        block_bytes: usize,
        /// The length that came, in bytes.
        found_bytes: usize,
    },
    /// A key of a length the cipher does not have.
    #[error("expected an AES key of 16, 24 or 32 bytes, found {found_bytes}")]
    KeyLength {
        /// The length that came, in bytes.
        found_bytes: usize,
    },
    /// A key of a length that its cipher does not have.
    #[error("expected a key of {} bytes for {algorithm}, found {found_bytes}", or(.expected))]
    CipherKeyLength {
        /// The block cipher.
        algorithm: &'static str,
        /// Its lengths in bytes.
        expected: &'static [usize],
        /// The length that came, in bytes.
        found_bytes: usize,
    },
    /// A PIN that is not 4 to 12 decimal digits. Its digits are not repeated.
    #[error("expected a PIN of 4 to 12 decimal digits, found {found_characters} characters")]
    Pin {
        /// How many characters came.
        found_characters: usize,
    },
    /// A PIN block of another form, or joined with another PAN, or under another key.
    #[error(
        "expected a PIN block of format {control} (ISO 9564-1), found {reason}; check the PAN and the key"
    )]
    PinBlock {
        /// The format.
        control: u8,
        /// What stands there instead.
        reason: &'static str,
    },
    /// Something that is not so many decimal digits.
    #[error("expected {digits} decimal digits of {what}, found {found} characters")]
    Digits {
        /// What it is.
        what: &'static str,
        /// How many digits it has.
        digits: usize,
        /// How many characters came.
        found: usize,
    },
    /// A PAN that is not 1 to 19 decimal digits; remove the filling F first.
    #[error("expected a PAN of 1 to 19 decimal digits, found {found_characters} characters{}", at(*.not_digit_at))]
    Pan {
        /// How many characters came.
        found_characters: usize,
        /// Position of the first character that is no digit, from 0.
        not_digit_at: Option<usize>,
    },
    /// A PAN sequence number whose byte is not two decimal digits (5F34 is n2).
    #[error("expected a PAN sequence number of two decimal digits (5F34), found byte {found:02X}")]
    PanSequenceNumber {
        /// The byte that came.
        found: u8,
    },
    /// A public exponent that EMV does not have.
    #[error("expected the RSA exponent 03 or 010001 (EMV Book 2 annex B2.1), found {}", Hex(.found))]
    RsaExponent {
        /// The bytes that came.
        found: Vec<u8>,
    },
    /// A modulus of a length that no EMV key has.
    #[error("expected an RSA modulus of 64 to 248 bytes, found {found_bytes}")]
    RsaModulusLength {
        /// The length that came, in bytes.
        found_bytes: usize,
    },
    /// A modulus that is even, or one: no product of two primes.
    #[error("expected an odd RSA modulus above one")]
    RsaModulus,
    /// A length for which no key is made here.
    #[error("expected an even number of bits from 512 to 1984 for an RSA key, found {found}")]
    RsaBits {
        /// The bits that were asked for.
        found: u32,
    },
    /// Numbers that are not the two primes of a key with that exponent.
    #[error("expected two different primes of one length, 256 to 992 bits, that suit the exponent")]
    RsaPrimes,
    /// An input of another length than the modulus.
    #[error("expected {expected_bytes} bytes, the length of the RSA modulus, found {found_bytes}")]
    RsaInputLength {
        /// The length of the modulus in bytes.
        expected_bytes: usize,
        /// The length that came, in bytes.
        found_bytes: usize,
    },
    /// An input that is not below the modulus.
    #[error("expected a number below the RSA modulus")]
    RsaInput,
    /// Bytes that are no point of the curve, or no private key.
    #[error("expected an SM2 {expected} (GB/T 32918.5)")]
    Sm2Key {
        /// What was expected.
        expected: &'static str,
    },
    /// A signature that does not verify.
    #[error("the SM2 signature does not verify with this key and identity")]
    Sm2Signature,
}

fn at(position: Option<usize>) -> String {
    position.map(|p| format!(", the one at offset {p} being no digit")).unwrap_or_default()
}

fn or(lengths: &[usize]) -> String {
    lengths.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ")
}
