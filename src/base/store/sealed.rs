//! Sealed columns: what a system must read back and nobody else may. AES-256 in
//! GCM-SIV mode (RFC 8452) with the purpose as associated data, and an HMAC-SHA-256
//! over purpose and value for look-up.

use crate::base::bytes::{Secret, parse_hex};
use crate::base::context::Context;
use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::Mac;
use sha2::Sha256;
use std::io::Write;
use std::path::Path;

/// First byte of every sealed value: the way it was sealed.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
/// Bytes of the keyed hash that a look-up column keeps.
const LOOKUP_BYTES: usize = 16;

/// Why a value could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// The key file is absent, unreadable or not 32 bytes of hexadecimal text.
    #[error("could not use the sealing key {path}: {cause}")]
    Key {
        /// The file.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// The value was sealed with another key or for another purpose, or changed.
    #[error("could not open a sealed {purpose}: wrong sealing key, or the value was changed")]
    Open {
        /// What it was sealed for.
        purpose: &'static str,
    },
}

/// The key of sealed columns.
#[derive(Clone, Debug)]
pub struct SealKey(Secret<[u8; 32]>);

impl SealKey {
    /// A key of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// A fresh key.
    pub fn random(context: &mut Context) -> Self {
        Self::from_bytes(context.random())
    }

    /// Reads a key file: 64 hexadecimal digits.
    pub fn read(path: &Path) -> Result<Self, SealedError> {
        let error = |cause: String| SealedError::Key { path: path.display().to_string(), cause };
        let text = Secret::new(std::fs::read_to_string(path).map_err(|cause| error(cause.to_string()))?);
        let bytes = Secret::new(parse_hex(text.expose()).map_err(|cause| error(cause.to_string()))?);
        let key = <[u8; 32]>::try_from(bytes.expose().as_slice())
            .map_err(|_| error(format!("expected 32 bytes, found {}", bytes.expose().len())))?;
        Ok(Self::from_bytes(key))
    }

    /// Reads a key file, or makes one that its owner alone can read. What is kept
    /// already can be opened only with the key it was sealed with: then call [`Self::read`].
    pub fn read_or_make(path: &Path, context: &mut Context) -> Result<Self, SealedError> {
        let error = |cause: std::io::Error| SealedError::Key {
            path: path.display().to_string(),
            cause: cause.to_string(),
        };
        // Written whole beside its place and then linked there: nobody ever finds half a
        // key, neither a second process nor the next one after this was stopped.
        let suffix = crate::base::bytes::Hex(&context.random::<8>()).to_string();
        let draft = path.with_added_extension(suffix);
        match path.try_exists() {
            Ok(true) => return Self::read(path),
            Ok(false) => {}
            Err(cause) => return Err(error(cause)),
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let key = Self::random(context);
        let text = Secret::new(format!("{}\n", crate::base::bytes::Hex(key.0.expose())));
        let made = options
            .open(&draft)
            .and_then(|mut file| file.write_all(text.expose().as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::hard_link(&draft, path));
        // The draft has done its part, whichever way it went.
        let _ = std::fs::remove_file(&draft);
        match made {
            Ok(()) => Ok(key),
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => Self::read(path),
            Err(cause) => Err(error(cause)),
        }
    }
}

/// A sealed value as a column or file holds it: version, nonce, cipher text, tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl Sealed {
    /// Seals a value for a purpose, such as `account.pan`.
    pub fn seal(key: &SealKey, purpose: &'static str, value: &[u8], context: &mut Context) -> Self {
        let nonce: [u8; NONCE_BYTES] = context.random();
        let payload = Payload { msg: value, aad: purpose.as_bytes() };
        // The cipher refuses only values over 64 GiB, which no column holds.
        let text = cipher(key).encrypt(&Nonce::from(nonce), payload).unwrap_or_default();
        Self([&[VERSION], nonce.as_slice(), &text].concat())
    }

    /// Opens a value that was sealed for this purpose.
    pub fn open(&self, key: &SealKey, purpose: &'static str) -> Result<Secret<Vec<u8>>, SealedError> {
        let error = SealedError::Open { purpose };
        let Some((&[VERSION], rest)) = self.0.split_first_chunk::<1>() else { return Err(error) };
        let Some((nonce, text)) = rest.split_first_chunk::<NONCE_BYTES>() else { return Err(error) };
        let payload = Payload { msg: text, aad: purpose.as_bytes() };
        cipher(key).decrypt(&Nonce::from(*nonce), payload).map(Secret::new).map_err(|_| error)
    }

    /// The keyed hash by which a sealed value is found again.
    pub fn lookup(key: &SealKey, purpose: &'static str, value: &[u8]) -> Vec<u8> {
        lookup(key, purpose, value)
    }
}

fn cipher(key: &SealKey) -> Aes256GcmSiv {
    Aes256GcmSiv::new(key.0.expose().into())
}

fn lookup(key: &SealKey, purpose: &str, value: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length, so this cannot fail.
    let Ok(mut mac) = <hmac::Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.0.expose()) else {
        return Vec::new();
    };
    mac.update(b"lookup\0");
    mac.update(purpose.as_bytes());
    mac.update(b"\0");
    mac.update(value);
    mac.finalize().into_bytes()[..LOOKUP_BYTES].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Discard;

    #[test]
    fn opens_only_with_its_key_and_purpose() {
        let mut context = Context::simulated(1, Discard);
        let (key, other) = (SealKey::random(&mut context), SealKey::random(&mut context));
        let sealed = Sealed::seal(&key, "account.pan", b"6299990000000001", &mut context);
        assert_eq!(sealed.open(&key, "account.pan").unwrap().expose(), b"6299990000000001");
        assert!(sealed.open(&other, "account.pan").is_err());
        assert!(sealed.open(&key, "card.file").is_err());
        assert!(!sealed.0.windows(8).any(|window| window == b"62999900"));
        let mut changed = sealed.clone();
        changed.0[20] ^= 1;
        assert!(changed.open(&key, "account.pan").is_err());
        assert!(Sealed(vec![1, 2]).open(&key, "account.pan").is_err());
    }

    #[test]
    fn look_up_is_keyed() {
        let mut context = Context::simulated(1, Discard);
        let (key, other) = (SealKey::random(&mut context), SealKey::random(&mut context));
        let of = |key, value: &[u8]| Sealed::lookup(key, "account.pan", value);
        assert_eq!(of(&key, b"1"), of(&key, b"1"));
        assert_ne!(of(&key, b"1"), of(&key, b"2"));
        assert_ne!(of(&key, b"1"), of(&other, b"1"));
    }

    #[test]
    fn a_key_file_is_made_once_and_belongs_to_its_owner() {
        let mut context = Context::simulated(1, Discard);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cardwright.key");
        let first = SealKey::read_or_make(&path, &mut context).unwrap();
        let second = SealKey::read_or_make(&path, &mut context).unwrap();
        assert_eq!(first.0, second.0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&path, "12").unwrap();
        assert!(matches!(SealKey::read(&path), Err(SealedError::Key { .. })));
    }
}
