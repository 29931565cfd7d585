//! Why bytes are no message, or a message cannot be written.

/// What was expected, what came and where. Offsets count bytes from the MTI, but
/// for a frame, where they count from its length. No variant carries a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Iso8583Error {
    /// The bytes end too early.
    #[error("expected {expected} bytes of {what} at offset {offset}, found {found}")]
    Truncated {
        /// What was being read.
        what: String,
        /// Bytes needed.
        expected: usize,
        /// Bytes left.
        found: usize,
        /// Where.
        offset: usize,
    },
    /// A character or half of a byte that cannot stand there.
    #[error("expected {expected} in {what} at offset {offset}, found {found:02X}")]
    Character {
        /// What was being read.
        what: String,
        /// What may stand there.
        expected: &'static str,
        /// The byte that came.
        found: u8,
        /// Where.
        offset: usize,
    },
    /// A variable field says it is longer than it may be.
    #[error("expected at most {max} of field {field} at offset {offset}, found a length of {found}")]
    TooLong {
        /// The field.
        field: u8,
        /// The most it may have, digits, characters or bytes as its format counts.
        max: usize,
        /// What its length says.
        found: usize,
        /// Where the length stands.
        offset: usize,
    },
    /// A bit is set whose field the dialect does not know, so its length is unknown.
    #[error("field {field} (bitmap at offset {offset}) has no row in dialect {dialect}: add one to its file")]
    UnknownField {
        /// The field.
        field: u8,
        /// The dialect.
        dialect: String,
        /// Where the byte of the bitmap stands.
        offset: usize,
    },
    /// Something follows the last field.
    #[error("expected the end of the message at offset {offset}, found {found} more bytes")]
    Trailing {
        /// Where.
        offset: usize,
        /// How many bytes follow.
        found: usize,
    },
    /// A value that its field cannot hold.
    #[error("expected field {field} to be {expected}, found {found}")]
    Value {
        /// The field.
        field: u8,
        /// What the dialect wants.
        expected: String,
        /// What came, without the value.
        found: String,
    },
    /// A frame whose length cannot be.
    #[error("expected a frame of {min} to {max} bytes, its length says {found}")]
    FrameLength {
        /// The least.
        min: usize,
        /// The most.
        max: usize,
        /// What the length says.
        found: usize,
    },
    /// No such dialect, or its file cannot be read.
    #[error("dialect {name}: {cause}")]
    Dialect {
        /// The name asked for.
        name: String,
        /// What is wrong.
        cause: String,
    },
}
