//! A master key as a file: lines of TOML with the key and its check value, for its owner
//! alone. Whose key it is, each kind of file says itself.

use super::{MasterKey, TerminalKeyError};
use crate::base::bytes::{Hex, Secret, parse_hex};
use crate::base::crypto::kcv;
use serde::de::DeserializeOwned;
use std::io::Write;
use std::path::Path;

const KEY_FORM: &str = "expected a key of 32 hexadecimal digits";

/// The check value (KCV) of a key: six hexadecimal digits.
pub(super) fn check_value(key: &MasterKey) -> String {
    Hex(&kcv(key.expose())).to_string()
}

/// Reads the lines of a key file.
pub(super) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<T, TerminalKeyError> {
    let text = std::fs::read_to_string(path).map_err(|error| unusable(path, error.to_string()))?;
    let text = Secret::new(text);
    // What toml says of an error shows the line, which may be the key's.
    toml::from_str(text.expose()).map_err(|error| unusable(path, error.message().into()))
}

/// The key of a file's lines; refuses one that does not fit its check value.
pub(super) fn checked_key(path: &Path, key: String, check: &str) -> Result<MasterKey, TerminalKeyError> {
    let key = Secret::new(key);
    let bytes = Secret::new(parse_hex(key.expose()).map_err(|_| unusable(path, KEY_FORM.into()))?);
    let bytes =
        <[u8; 16]>::try_from(bytes.expose().as_slice()).map_err(|_| unusable(path, KEY_FORM.into()))?;
    let key = Secret::new(bytes);
    let own = check_value(&key);
    match own == check.to_ascii_uppercase() {
        true => Ok(key),
        false => Err(unusable(path, format!("the key's check value is {own}, the file says {check}"))),
    }
}

/// Writes a key file that its owner alone can read; `lines` say whose it is. A file that
/// is there is never written over: its key may be the only copy.
pub(super) fn write(path: &Path, lines: &str, key: &MasterKey) -> Result<(), TerminalKeyError> {
    let failed = |error: std::io::Error| TerminalKeyError::File {
        doing: "make",
        path: path.display().to_string(),
        cause: error.to_string(),
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    let text =
        Secret::new(format!("{lines}key = \"{}\"\ncheck = \"{}\"\n", Hex(key.expose()), check_value(key),));
    file.write_all(text.expose().as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}

fn unusable(path: &Path, cause: String) -> TerminalKeyError {
    TerminalKeyError::File { doing: "use", path: path.display().to_string(), cause }
}
