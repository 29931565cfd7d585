//! Which master keys rule a card: by BIN and derivation key index.

use crate::words::emv::cryptogram::MasterKeys;
use crate::words::pboc::PurseKeys;

/// Master keys of one BIN and derivation key index.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// The PAN's first digits; the longest that fits a PAN wins.
    pub bin: String,
    /// Derivation key index, as issuer application data carries it.
    pub dki: u8,
    /// The keys.
    pub keys: MasterKeys,
}

/// The issuer's master keys.
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    rows: Vec<KeyRow>,
    purses: Option<PurseKeys>,
}

impl KeyTable {
    /// A table of these rows.
    pub fn new(rows: Vec<KeyRow>) -> Self {
        Self { rows, purses: None }
    }

    /// A table with one row.
    pub fn of(bin: impl Into<String>, dki: u8, keys: MasterKeys) -> Self {
        Self::new(vec![KeyRow { bin: bin.into(), dki, keys }])
    }

    /// With the master keys of purses.
    #[must_use]
    pub fn with_purses(self, keys: PurseKeys) -> Self {
        Self { purses: Some(keys), ..self }
    }

    /// The master keys of purses, where the issuer has purses.
    pub const fn purses(&self) -> Option<&PurseKeys> {
        self.purses.as_ref()
    }

    /// The keys of a card: longest BIN that fits, with this derivation key index.
    pub fn find(&self, pan: &str, dki: u8) -> Option<&MasterKeys> {
        let fitting = self.rows.iter().filter(|row| row.dki == dki && pan.starts_with(&row.bin));
        fitting.max_by_key(|row| row.bin.len()).map(|row| &row.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bin_wins_and_the_index_must_fit() {
        let keys =
            |byte: u8| MasterKeys { ac: [byte; 16].into(), mac: [byte; 16].into(), enc: [byte; 16].into() };
        let row = |bin: &str, dki, byte| KeyRow { bin: bin.into(), dki, keys: keys(byte) };
        let table = KeyTable::new(vec![row("62", 1, 1), row("629999", 1, 2), row("629999", 2, 3)]);
        let first = |pan, dki| table.find(pan, dki).map(|keys| keys.ac.expose()[0]);
        assert_eq!(first("6299990000000000", 1), Some(2));
        assert_eq!(first("6200000000000000", 1), Some(1));
        assert_eq!(first("6299990000000000", 2), Some(3));
        assert_eq!(first("4000000000000000", 1), None);
    }
}
