//! What both sides are brought to before they are compared. A record holds no account
//! and no name, only keyed hashes of them, since records are kept in scratch files.

use crate::roles::issuer::IssuerError;
use std::cmp::Ordering;

/// A transaction as both sides know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// YYYYMMDD: the business date.
    pub date: u32,
    /// Six digits (F11).
    pub trace: u32,
    /// The terminal (F41).
    pub channel: String,
}

/// A keyed hash; zeros where the side does not tell.
pub(super) type Mark = [u8; 16];

/// Nothing told.
pub(super) const UNTOLD: Mark = [0; 16];

/// One side's view of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Of a refund, its original's key where that is told.
    pub(super) key: Key,
    pub(super) refund: bool,
    pub(super) amount_minor: u64,
    pub(super) currency: u16,
    pub(super) account: Mark,
    pub(super) name: Mark,
    /// Ours: seconds of the day. Theirs: nothing.
    pub(super) second: u32,
    /// Ours: nothing. Theirs: the line, from 1, and where it begins.
    pub(super) line: u64,
    pub(super) offset: u64,
    /// Ours: the row of the books. Theirs: nothing.
    pub(super) subject: String,
}

impl Record {
    /// What belongs together comes together: the days of one trace of one channel.
    pub(super) fn group(&self) -> (&str, u32, bool) {
        (&self.key.channel, self.key.trace, self.refund)
    }
}

impl Ord for Record {
    fn cmp(&self, other: &Self) -> Ordering {
        let all = |record: &Self| (record.key.date, record.line);
        self.group()
            .cmp(&other.group())
            .then_with(|| all(self).cmp(&all(other)))
            .then_with(|| self.subject.cmp(&other.subject))
    }
}

impl PartialOrd for Record {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A line of the statement that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}, found {found}")]
pub struct BadLine {
    /// Counted from 1.
    pub line: u64,
    /// What should stand there.
    pub expected: String,
    /// What stands there; never an account or a name.
    pub found: String,
}

/// Why the books could not be reconciled.
#[derive(Debug, thiserror::Error)]
pub enum ReconciliationError {
    /// The books failed.
    #[error(transparent)]
    Books(#[from] IssuerError),
    /// The statement or a scratch file could not be read or written.
    #[error("could not {doing}: {cause}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The format's description cannot be used.
    #[error("the statement format {name}: {cause}")]
    Format {
        /// Its name.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The statement's first line lacks a column.
    #[error("expected a column {header:?} in the statement's first line, found {found:?}")]
    Header {
        /// The column.
        header: String,
        /// The line, cut.
        found: String,
    },
}

impl ReconciliationError {
    pub(super) fn file(doing: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |cause| Self::File { doing, cause }
    }
}
