//! What a look at the machine comes to.

use std::fmt;

/// How a finding stands to the use of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Fine,
    /// To be known; nothing is in the way.
    Note,
    /// In the way of a reader.
    Trouble,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fine => "fine",
            Self::Note => "note",
            Self::Trouble => "trouble",
        })
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub grade: Grade,
    /// What kind of finding it is, for programs: `daemon-absent`.
    pub kind: &'static str,
    /// What was found, and where.
    pub what: String,
    /// What to do, where there is something to do.
    pub remedy: Option<String>,
}

impl Finding {
    pub(super) fn fine(kind: &'static str, what: impl Into<String>) -> Self {
        Self { grade: Grade::Fine, kind, what: what.into(), remedy: None }
    }

    pub(super) fn note(kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Note, kind, what: what.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn trouble(kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Trouble, kind, what: what.into(), remedy: Some(remedy.into()) }
    }
}
