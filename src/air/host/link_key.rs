//! What an acquirer needs to forward to a host, as a file: its institution code, the
//! dialect of the line, and the zone master key with its check value.

use super::{MasterKey, TerminalKeyError, key_file};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::crypto::odd_parity;
use serde::Deserialize;
use std::path::Path;

/// An institution's identity and zone master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkKey {
    /// F32 and F33, 8 to 11 digits.
    pub institution: String,
    /// The dialect of the line, by name.
    pub dialect: String,
    /// The zone master key.
    pub master: MasterKey,
}

/// The file's lines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    institution: String,
    dialect: String,
    key: String,
    check: String,
}

impl LinkKey {
    /// An institution with a fresh zone master key of odd parity.
    pub fn random(institution: &str, dialect: &str, context: &mut Context) -> Result<Self, TerminalKeyError> {
        let mut master: [u8; 16] = context.random();
        odd_parity(&mut master);
        Self::of(institution, dialect, Secret::new(master))
    }

    fn of(institution: &str, dialect: &str, master: MasterKey) -> Result<Self, TerminalKeyError> {
        let fits = (8..=11).contains(&institution.len()) && institution.bytes().all(|b| b.is_ascii_digit());
        match fits {
            true => Ok(Self { institution: institution.to_owned(), dialect: dialect.to_owned(), master }),
            false => Err(TerminalKeyError::Institution { found: institution.to_owned() }),
        }
    }

    /// The check value (KCV) of the zone master key: six hexadecimal digits.
    pub fn check_value(&self) -> String {
        key_file::check_value(&self.master)
    }

    /// Reads a key file; refuses a key that does not fit its check value.
    pub fn read(path: &Path) -> Result<Self, TerminalKeyError> {
        let lines: Lines = key_file::read_lines(path)?;
        let master = key_file::checked_key(path, lines.key, &lines.check)?;
        Self::of(&lines.institution, &lines.dialect, master)
    }

    /// Writes a key file that its owner alone can read; never over one that is there.
    pub fn write(&self, path: &Path) -> Result<(), TerminalKeyError> {
        let lines = format!(
            "# The zone master key of a line. Whoever holds this file speaks for this institution.\n\
             institution = \"{}\"\ndialect = \"{}\"\n",
            self.institution, self.dialect
        );
        key_file::write(path, &lines, &self.master)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Discard;

    #[test]
    fn a_key_file_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link.key");
        let mut context = Context::simulated(1, Discard);
        let key = LinkKey::random("00010344", "network", &mut context).unwrap();
        key.write(&path).unwrap();
        assert_eq!(LinkKey::read(&path).unwrap(), key);
        assert!(key.write(&path).is_err(), "never written over");
        for wrong in ["1234567", "123456789012", "0001034A"] {
            let error = LinkKey::random(wrong, "network", &mut context).unwrap_err();
            assert!(matches!(error, TerminalKeyError::Institution { .. }), "{error}");
        }
    }
}
