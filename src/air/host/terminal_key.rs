//! What a terminal needs to speak to its host over a line, as a file: who it is, the
//! dialect, and its master key with the check value.

use super::MasterKey;
use crate::base::bytes::{Hex, Secret, parse_hex};
use crate::base::context::Context;
use crate::base::crypto::{kcv, odd_parity};
use crate::base::store::{SealedError, StoreError};
use serde::Deserialize;
use std::io::Write;
use std::path::Path;

/// A terminal's identity and master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalKey {
    /// F41, 8 letters and digits.
    pub terminal: String,
    /// F42, 15 letters and digits.
    pub merchant: String,
    /// The dialect that its host speaks, by name.
    pub dialect: String,
    /// The master key.
    pub master: MasterKey,
}

/// Why a terminal cannot be added, or its key file not used.
#[derive(Debug, thiserror::Error)]
pub enum TerminalKeyError {
    /// A number of another form.
    #[error("expected {expected} of {length} letters and digits, found {found:?}")]
    Name {
        /// What it is.
        expected: &'static str,
        /// How many characters it has.
        length: usize,
        /// What came.
        found: String,
    },
    /// The terminal has a key already.
    #[error("terminal {terminal} is there already: a terminal gets its key once; add one of another number")]
    Known {
        /// The terminal.
        terminal: String,
    },
    /// A file that could not be read or made.
    #[error("could not {doing} the terminal's key {path}: {cause}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key could not be unsealed.
    #[error(transparent)]
    Sealed(#[from] SealedError),
}

/// The file's lines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    terminal: String,
    merchant: String,
    dialect: String,
    key: String,
    check: String,
}

impl TerminalKey {
    /// A terminal with a fresh master key of odd parity.
    pub fn random(
        terminal: &str,
        merchant: &str,
        dialect: &str,
        context: &mut Context,
    ) -> Result<Self, TerminalKeyError> {
        let mut master: [u8; 16] = context.random();
        odd_parity(&mut master);
        Self::of(terminal, merchant, dialect, Secret::new(master))
    }

    fn of(
        terminal: &str,
        merchant: &str,
        dialect: &str,
        master: MasterKey,
    ) -> Result<Self, TerminalKeyError> {
        let checked = |expected, length, text: &str| {
            let fits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let found = text.to_owned();
            if fits { Ok(found) } else { Err(TerminalKeyError::Name { expected, length, found }) }
        };
        Ok(Self {
            terminal: checked("a terminal number", 8, terminal)?,
            merchant: checked("a merchant number", 15, merchant)?,
            dialect: dialect.to_owned(),
            master,
        })
    }

    /// The check value (KCV) of the master key: six hexadecimal digits.
    pub fn check_value(&self) -> String {
        Hex(&kcv(self.master.expose())).to_string()
    }

    /// Reads a key file; refuses a key that does not fit its check value.
    pub fn read(path: &Path) -> Result<Self, TerminalKeyError> {
        let wrong =
            |cause: String| TerminalKeyError::File { doing: "use", path: path.display().to_string(), cause };
        let text = Secret::new(std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?);
        // What toml says of an error shows the line, which may be the key's.
        let lines: Lines = toml::from_str(text.expose()).map_err(|error| wrong(error.message().into()))?;
        let (key, check) = (Secret::new(lines.key), lines.check);
        let bytes = Secret::new(parse_hex(key.expose()).map_err(|_| wrong(KEY_FORM.into()))?);
        let bytes = <[u8; 16]>::try_from(bytes.expose().as_slice()).map_err(|_| wrong(KEY_FORM.into()))?;
        let own = Self::of(&lines.terminal, &lines.merchant, &lines.dialect, Secret::new(bytes))?;
        if own.check_value() != check.to_ascii_uppercase() {
            return Err(wrong(format!(
                "the key's check value is {}, the file says {check}",
                own.check_value()
            )));
        }
        Ok(own)
    }

    /// Writes a key file that its owner alone can read. A file that is there is never
    /// written over: its key may be the only copy.
    pub fn write(&self, path: &Path) -> Result<(), TerminalKeyError> {
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
        let text = Secret::new(format!(
            "# A terminal's master key. Whoever holds this file is this terminal.\n\
             terminal = \"{}\"\nmerchant = \"{}\"\ndialect = \"{}\"\nkey = \"{}\"\ncheck = \"{}\"\n",
            self.terminal,
            self.merchant,
            self.dialect,
            Hex(self.master.expose()),
            self.check_value(),
        ));
        file.write_all(text.expose().as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)
    }
}

const KEY_FORM: &str = "expected a key of 32 hexadecimal digits";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Discard;

    #[test]
    fn a_key_file_is_read_as_it_was_written_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terminal.key");
        let mut context = Context::simulated(1, Discard);
        let key = TerminalKey::random("TERM0001", "MERCHANT0000001", "pos", &mut context).unwrap();
        key.write(&path).unwrap();
        assert_eq!(TerminalKey::read(&path).unwrap(), key);
        assert!(matches!(key.write(&path), Err(TerminalKeyError::File { doing: "make", .. })));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let hex = Hex(key.master.expose()).to_string();
        let other = text.replace(&hex, &"A5".repeat(16));
        for (wrong, says) in [(other.as_str(), "check value"), ("x", "use"), (&text.replace('=', ":"), "use")]
        {
            std::fs::write(&path, wrong).unwrap();
            let error = TerminalKey::read(&path).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains(&hex), "{error}");
        }
    }

    #[test]
    fn numbers_have_their_fields_length() {
        let mut context = Context::simulated(1, Discard);
        for (terminal, merchant) in
            [("T", "MERCHANT0000001"), ("TERM0001", "M"), ("TERM-001", "MERCHANT0000001")]
        {
            let error = TerminalKey::random(terminal, merchant, "pos", &mut context).unwrap_err();
            assert!(matches!(error, TerminalKeyError::Name { .. }), "{error}");
        }
    }
}
