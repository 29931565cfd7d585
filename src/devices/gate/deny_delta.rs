//! A change of a deny list: which version it is of, what is added and taken away. Entries are
//! keyed hashes; no account number may enter.

use super::error::DenyListError;

/// A change from one version of a deny list to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DenyDelta {
    /// The version that it changes.
    pub from: u64,
    /// The version that it makes.
    pub to: u64,
    /// Entries that are added.
    pub add: Vec<u64>,
    /// Entries that are taken away.
    pub remove: Vec<u64>,
}

impl DenyDelta {
    /// Reads its text: `from N`, `to N`, then a line `+ HASH` or `- HASH` for each entry, 16
    /// hexadecimal digits; `#` begins a comment.
    pub fn parse(text: &str) -> Result<Self, DenyListError> {
        let mut delta = Self::default();
        let (mut has_from, mut has_to) = (false, false);
        for (index, line) in text.lines().enumerate() {
            let line_text = line.split('#').next().unwrap_or_default().trim();
            if line_text.is_empty() {
                continue;
            }
            let wrong = |expected| DenyListError::Line { line: index + 1, expected, found: line.to_owned() };
            let (word, value) =
                line_text.split_once(' ').ok_or_else(|| wrong("a word, a space and a value"))?;
            let version = || value.trim().parse().map_err(|_| wrong("the number of a version"));
            let entry = || match value.trim() {
                hex if hex.len() == 16 => {
                    u64::from_str_radix(hex, 16).map_err(|_| wrong("16 hexadecimal digits"))
                }
                _ => Err(wrong("16 hexadecimal digits")),
            };
            match word {
                "from" => (delta.from, has_from) = (version()?, true),
                "to" => (delta.to, has_to) = (version()?, true),
                "+" => delta.add.push(entry()?),
                "-" => delta.remove.push(entry()?),
                _ => return Err(wrong("from, to, + or -")),
            }
        }
        match has_from && has_to && delta.from < delta.to {
            true => Ok(delta),
            false => Err(DenyListError::Line {
                line: 1,
                expected: "lines `from N` and `to N`, the second above the first",
                found: text.lines().next().unwrap_or_default().to_owned(),
            }),
        }
    }
}

impl std::fmt::Display for DenyDelta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "from {}\nto {}", self.from, self.to)?;
        self.add.iter().try_for_each(|entry| writeln!(f, "+ {entry:016X}"))?;
        self.remove.iter().try_for_each(|entry| writeln!(f, "- {entry:016X}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_text_says_the_same_again() {
        let delta = DenyDelta { from: 3, to: 5, add: vec![1, u64::MAX], remove: vec![0xABCD] };
        assert_eq!(DenyDelta::parse(&delta.to_string()), Ok(delta));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, says) in [
            ("from 1\nto 2\n+ 12", "line 3: expected 16 hexadecimal digits"),
            ("from 1\nto 2\n* 0123456789ABCDEF", "line 3: expected from, to, + or -"),
            ("from 2\nto 2", "the second above the first"),
            ("from x\nto 2", "line 1: expected the number of a version"),
            ("", "lines `from N`"),
            ("+", "a word, a space and a value"),
        ] {
            let error = DenyDelta::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
