//! Why a cryptographic function refused its input.

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
}

fn at(position: Option<usize>) -> String {
    position.map(|p| format!(", the one at offset {p} being no digit")).unwrap_or_default()
}
