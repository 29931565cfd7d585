//! What a row of the dictionary says, and finding one.

use super::{NAMED, TAGGED, mastercard};
use crate::base::event::ElementKey;
use crate::words::tlv::Tag;

/// Who gives the element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The card.
    Card,
    /// The terminal.
    Terminal,
    /// The issuer.
    Issuer,
    /// The link or the program itself.
    Link,
}

/// How the bytes are written: EMV Book 3 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Binary.
    Binary,
    /// Decimal digits, right-justified, zero-filled.
    Numeric,
    /// Decimal digits, left-justified, filled with F.
    CompressedNumeric,
    /// Characters.
    Text,
    /// An amount: numeric, six bytes, minor units.
    Amount,
    /// A date: YYMMDD.
    Date,
    /// A data object list.
    Dol,
    /// A constructed data object.
    Template,
}

/// What a sink does with the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sensitivity {
    /// Shown.
    Plain,
    /// Holds a PAN: replaced by the file's pseudonym.
    Pan,
    /// Track data: the PAN in it is replaced, discretionary data blanked.
    Track,
    /// A name or identity number: every character replaced.
    Person,
    /// PIN, key, or data from which a PAN can be recovered: blanked.
    Secret,
    /// Its parts have rows of their own.
    Parts,
}

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its tag, where it has one.
    pub tag: Option<Tag>,
    /// Its name in the specification.
    pub name: &'static str,
    /// Who gives it.
    pub source: Source,
    /// How it is written.
    pub format: Format,
    /// Shortest value in bytes.
    pub min: u32,
    /// Longest value in bytes.
    pub max: u32,
    /// What sinks do with it.
    pub sensitivity: Sensitivity,
}

impl Row {
    /// The row of a tag.
    pub fn of_tag(tag: Tag) -> Option<&'static Self> {
        TAGGED.iter().find(|row| row.tag == Some(tag))
    }

    /// The row of a tag within an application, by its name (84): some schemes give a tag
    /// a meaning of their own.
    pub fn of_tag_in(tag: Tag, application: &[u8]) -> Option<&'static Self> {
        let own = application.starts_with(&mastercard::RID);
        let own = own.then(|| mastercard::ROWS.iter().find(|row| row.tag == Some(tag))).flatten();
        own.or_else(|| Self::of_tag(tag))
    }

    /// A tag with its name, such as `9F79 Electronic Cash Balance`; alone where no row has it.
    pub fn titled(tag: Tag) -> String {
        Self::of_tag(tag).map_or_else(|| tag.to_string(), |row| format!("{tag} {}", row.name))
    }

    /// The row of an element without a tag.
    pub fn of_name(name: &str) -> Option<&'static Self> {
        NAMED.iter().find(|row| row.name == name)
    }

    /// The row of an event's element.
    pub fn of_key(key: &ElementKey) -> Option<&'static Self> {
        match key {
            ElementKey::Tag(tag) => Self::of_tag(Tag(*tag)),
            ElementKey::Named(name) => Self::of_name(name),
        }
    }
}
