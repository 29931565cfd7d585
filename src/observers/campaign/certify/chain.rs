//! The chain of a session: one line an entry, each with the hash of all before it, so that
//! nothing in between can be changed, left out or put in without being seen.

use crate::base::bytes::Hex;
use crate::base::crypto::sha256;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A file of the session and its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileHash {
    pub path: String,
    pub sha256: String,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChainEntry {
    /// From 1.
    pub number: u64,
    /// When, UTC.
    pub at: String,
    /// `opened`, `sitting`, `result`, `attached`.
    pub kind: String,
    /// What happened.
    pub what: Value,
    /// The files that it brought.
    pub files: Vec<FileHash>,
}

/// Why lines are no chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChainError {
    #[error("line {line}: expected a hash, a space and an entry, found something else")]
    Shape { line: usize },
    #[error("line {line}: its hash does not fit it and the lines before: one of them was changed")]
    Hash { line: usize },
    #[error("line {line}: expected entry {expected}, found {found}")]
    Number { line: usize, expected: u64, found: u64 },
}

/// A chain as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chain {
    pub entries: Vec<ChainEntry>,
    /// The hash of the last entry; empty before the first.
    pub head: String,
    /// Bytes of whole lines. A last line that was cut short stands behind them.
    pub whole: usize,
}

impl Chain {
    /// Reads a chain and checks every hash. A last line without its end was never finished.
    pub(super) fn parse(text: &str) -> Result<Self, ChainError> {
        let mut chain = Self::default();
        for (line, text) in (1..).zip(text.split_inclusive('\n').filter(|text| text.ends_with('\n'))) {
            let (hash, json) =
                text.trim_end_matches('\n').split_once(' ').ok_or(ChainError::Shape { line })?;
            if hash != hash_of(&chain.head, json) {
                return Err(ChainError::Hash { line });
            }
            let entry: ChainEntry = serde_json::from_str(json).map_err(|_| ChainError::Shape { line })?;
            let expected = chain.entries.len() as u64 + 1;
            if entry.number != expected {
                return Err(ChainError::Number { line, expected, found: entry.number });
            }
            chain.head = hash.to_owned();
            chain.whole += text.len();
            chain.entries.push(entry);
        }
        Ok(chain)
    }

    /// The line of a further entry, which is taken up.
    pub(super) fn line(&mut self, entry: ChainEntry) -> Result<String, serde_json::Error> {
        let json = serde_json::to_string(&entry)?;
        self.head = hash_of(&self.head, &json);
        let line = format!("{} {json}\n", self.head);
        self.whole += line.len();
        self.entries.push(entry);
        Ok(line)
    }

    /// The number of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.entries.len() as u64 + 1
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    Hex(&sha256(&[bytes])).to_string()
}

fn hash_of(previous: &str, json: &str) -> String {
    Hex(&sha256(&[previous.as_bytes(), b"\n", json.as_bytes()])).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> String {
        let mut chain = Chain::default();
        let entry = |number| ChainEntry {
            number,
            at: "2026-11-21 08:00:00".into(),
            kind: "result".into(),
            what: serde_json::json!({ "id": number }),
            files: Vec::new(),
        };
        (1..=3).map(|number| chain.line(entry(number)).unwrap()).collect()
    }

    #[test]
    fn what_was_changed_left_out_or_put_in_is_seen() {
        let text = chain();
        assert_eq!(Chain::parse(&text).unwrap().entries.len(), 3);
        assert_eq!(Chain::parse(&text.replace("\"id\":2", "\"id\":9")), Err(ChainError::Hash { line: 2 }));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        assert_eq!(Chain::parse(&[lines[0], lines[2]].concat()), Err(ChainError::Hash { line: 2 }));
        assert_eq!(Chain::parse(&[lines[0], lines[1], lines[1]].concat()), Err(ChainError::Hash { line: 3 }));
    }

    #[test]
    fn a_line_that_was_cut_short_was_never_there() {
        let text = chain();
        let cut = &text[..text.len() - 5];
        let read = Chain::parse(cut).unwrap();
        assert_eq!(read.entries.len(), 2);
        assert!(read.whole < cut.len());
    }
}
