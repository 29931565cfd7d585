//! Why a gate did not do what it was told.

use crate::base::store::{SealedError, StoreError};
use crate::roles::terminal::journal::JournalError;

/// Why a gate did not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The store failed: the gate stays shut.
    #[error("gate: {0}")]
    Store(#[from] StoreError),
    /// A sealed column does not open.
    #[error("gate: {0}")]
    Sealed(#[from] SealedError),
    /// The terminal's memory failed.
    #[error("gate: {0}")]
    Journal(#[from] JournalError),
    /// A column holds what no gate wrote.
    #[error("gate tap {batch:06}/{trace:06}: expected {expected} in column {column}")]
    Column {
        /// The tap's batch.
        batch: u32,
        /// The tap's trace.
        trace: u32,
        /// The column.
        column: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// A way between states that there is not.
    #[error("gate tap {batch:06}/{trace:06}: a tap that is {from} cannot become {to}")]
    Transition {
        /// The tap's batch.
        batch: u32,
        /// The tap's trace.
        trace: u32,
        /// Its state.
        from: &'static str,
        /// The state asked for.
        to: &'static str,
    },
}

/// Why a line's file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// No TOML, or other fields than a line has.
    #[error("line file: {0}")]
    Toml(String),
    /// A value of another form.
    #[error("line file: expected {expected} for {field}, found {found}")]
    Value {
        /// The field.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}

/// Why a deny list or a change of one cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DenyListError {
    /// The file cannot be read or written.
    #[error("deny list: could not {doing} {path}: {cause}")]
    File {
        /// What was done.
        doing: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        cause: String,
    },
    /// The file is none, or was cut or changed.
    #[error("deny list {path}: expected {expected}, found {found}: fetch the whole list again")]
    Format {
        /// The file.
        path: String,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A line of a change that is none.
    #[error("deny list change, line {line}: expected {expected}, found {found:?}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A change of another version than the list's.
    #[error("deny list: expected a change from version {have}, found one from {from}: fetch the whole list")]
    Gap {
        /// The list's version.
        have: u64,
        /// The version that the change is of.
        from: u64,
    },
}
