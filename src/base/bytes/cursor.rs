//! A reader of bytes that knows where it is.

/// Fewer bytes were there than the reader needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} bytes of {what} at offset {offset}, found {found}")]
pub struct Truncated {
    /// What was being read.
    pub what: &'static str,
    /// Bytes needed.
    pub expected: usize,
    /// Bytes left.
    pub found: usize,
    /// Where, from the start of the input.
    pub offset: usize,
}

/// Reads from the front of a slice and keeps the offset from its start.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Takes `length` bytes of `what`.
    pub fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Truncated> {
        if length > self.remaining() {
            return Err(Truncated { what, expected: length, found: self.remaining(), offset: self.offset });
        }
        let taken = &self.bytes[self.offset..self.offset + length];
        self.offset += length;
        Ok(taken)
    }

    /// Takes exactly `N` bytes of `what`.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Truncated> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N, what)?);
        Ok(out)
    }

    /// Takes one byte of `what`.
    pub fn byte(&mut self, what: &'static str) -> Result<u8, Truncated> {
        Ok(self.take(1, what)?[0])
    }

    /// Takes everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let taken = &self.bytes[self.offset..];
        self.offset = self.bytes.len();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_the_bytes_ended() {
        let mut cursor = Cursor::new(&[1, 2, 3]);
        assert_eq!(cursor.array::<2>("pair").unwrap(), [1, 2]);
        let error = cursor.take(2, "tail").unwrap_err();
        assert_eq!(error.to_string(), "expected 2 bytes of tail at offset 2, found 1");
        assert_eq!(cursor.rest(), [3]);
    }
}
