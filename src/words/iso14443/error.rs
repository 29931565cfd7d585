//! Why bytes are no frame of ISO/IEC 14443.

use crate::base::bytes::Truncated;

/// Why bytes are no frame of ISO/IEC 14443.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Iso14443Error {
    /// They end too early.
    #[error(transparent)]
    Truncated(#[from] Truncated),
    /// A byte is none that stands there.
    #[error("expected {expected} at offset {offset}, found {found:02X}")]
    Unexpected {
        /// What the standard has there.
        expected: &'static str,
        /// What is there.
        found: u8,
        /// Where, from the start of the frame.
        offset: usize,
    },
}
