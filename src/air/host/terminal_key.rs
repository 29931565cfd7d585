//! What a terminal needs to speak to its host over a line, as a file: who it is, the
//! dialect, and its master key with the check value.

use super::{MasterKey, key_file};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::crypto::odd_parity;
use crate::base::store::{SealedError, StoreError};
use serde::Deserialize;
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

/// Why a terminal or a line cannot be added, or its key file not used.
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
    /// An institution code of another form.
    #[error("expected an institution code (F33) of 8 to 11 digits, found {found:?}")]
    Institution {
        /// What came.
        found: String,
    },
    /// A dialect whose messages cannot say who forwards them.
    #[error("expected a dialect with fields 32 and 33, found {dialect}: a line between hosts speaks network")]
    NoInstitution {
        /// The dialect.
        dialect: String,
    },
    /// The institution has a key already.
    #[error("institution {institution} is there already: a line gets its key once; add one of another code")]
    LinkKnown {
        /// The institution.
        institution: String,
    },
    /// The terminal has a key already.
    #[error("terminal {terminal} is there already: a terminal gets its key once; add one of another number")]
    Known {
        /// The terminal.
        terminal: String,
    },
    /// A file that could not be read or made.
    #[error("could not {doing} the key {path}: {cause}")]
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
        key_file::check_value(&self.master)
    }

    /// Reads a key file; refuses a key that does not fit its check value.
    pub fn read(path: &Path) -> Result<Self, TerminalKeyError> {
        let lines: Lines = key_file::read_lines(path)?;
        let master = key_file::checked_key(path, lines.key, &lines.check)?;
        Self::of(&lines.terminal, &lines.merchant, &lines.dialect, master)
    }

    /// Writes a key file that its owner alone can read. A file that is there is never
    /// written over: its key may be the only copy.
    pub fn write(&self, path: &Path) -> Result<(), TerminalKeyError> {
        let lines = format!(
            "# A terminal's master key. Whoever holds this file is this terminal.\n\
             terminal = \"{}\"\nmerchant = \"{}\"\ndialect = \"{}\"\n",
            self.terminal, self.merchant, self.dialect,
        );
        key_file::write(path, &lines, &self.master)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::Hex;
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
