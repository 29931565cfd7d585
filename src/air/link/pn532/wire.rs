//! What a command and its answer are on the line: bytes behind a code.

use crate::base::bytes::{Cursor, Truncated};

/// Something that is written to the line and read from it.
pub trait Wire: Sized {
    /// Writes it.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads it; all that is left may be its.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated>;

    /// Its bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Reads it from bytes that hold nothing else.
    fn parse(bytes: &[u8]) -> Result<Self, Truncated> {
        Self::read(&mut Cursor::new(bytes))
    }
}

/// A command of the chip.
pub trait ChipCommand: Wire {
    /// Its code; its answer's is one more.
    const CODE: u8;
    /// Its name.
    const NAME: &'static str;
    /// What the chip answers.
    type Answer: Wire;
}

impl Wire for () {
    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(())
    }
}

impl Wire for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(cursor.rest().to_vec())
    }
}
