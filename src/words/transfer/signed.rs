//! Something and the signature under it. A signature is made over what it is called, what it
//! is about and its bytes, so that none can stand under something else.

use super::TransferFormatError;
use crate::base::bytes::Cursor;
use crate::base::crypto::{Sm2PrivateKey, Sm2PublicKey};

/// Bytes of a signature: SM2, r and s.
const SIGNATURE_BYTES: usize = 64;

/// What can be signed.
pub trait Contents: Sized {
    /// What it is called, for people and under the signature.
    const NAME: &'static str;

    /// Its bytes; equal contents have equal bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads it.
    ///
    /// # Errors
    /// The bytes end early, or hold what cannot be.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TransferFormatError>;

    /// Its bytes alone.
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

/// Contents with their signature, which nobody has believed yet: see [`Self::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<T> {
    /// What is signed.
    pub contents: T,
    signature: [u8; SIGNATURE_BYTES],
}

impl<T: Contents> Signed<T> {
    /// Signs contents. `about` is what they speak of without repeating it: the transfer, or
    /// nothing.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(contents: T, about: &[u8], key: &Sm2PrivateKey) -> Result<Self, TransferFormatError> {
        let signature = key
            .sign(&[LABEL, T::NAME.as_bytes(), about, &contents.bytes()])
            .map_err(|cause| TransferFormatError::Unsigned { what: T::NAME, cause })?;
        Ok(Self { contents, signature })
    }

    /// Checks the signature, and gives what may be believed then.
    ///
    /// # Errors
    /// It is not the key's, or over something else.
    pub fn verify(&self, about: &[u8], key: &Sm2PublicKey) -> Result<&T, TransferFormatError> {
        key.verify(&[LABEL, T::NAME.as_bytes(), about, &self.contents.bytes()], &self.signature)
            .map_err(|_| TransferFormatError::Signature { what: T::NAME })?;
        Ok(&self.contents)
    }

    /// Contents and signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.contents.bytes();
        out.extend(self.signature);
        out
    }

    /// Reads them where they stand among others.
    ///
    /// # Errors
    /// The bytes end early, or hold what cannot be.
    pub fn read(cursor: &mut Cursor<'_>) -> Result<Self, TransferFormatError> {
        let contents = T::read(cursor)?;
        Ok(Self { contents, signature: cursor.array("a signature")? })
    }

    /// Reads them where they stand alone.
    ///
    /// # Errors
    /// As [`Self::read`], or bytes are left over.
    pub fn parse(bytes: &[u8]) -> Result<Self, TransferFormatError> {
        let mut cursor = Cursor::new(bytes);
        let signed = Self::read(&mut cursor)?;
        end(&cursor)?;
        Ok(signed)
    }
}

/// Refuses what stands behind the end.
pub(super) fn end(cursor: &Cursor<'_>) -> Result<(), TransferFormatError> {
    match cursor.remaining() {
        0 => Ok(()),
        left => Err(TransferFormatError::Malformed {
            expected: "the end",
            found: format!("{left} more bytes"),
            offset: cursor.offset(),
        }),
    }
}

/// Under every signature, so that none is mistaken for one of another program.
const LABEL: &[u8] = b"cardwright transfer 1 ";
