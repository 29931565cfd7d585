//! A ride that a purse is paying for now. What becomes of it may not enter.

use crate::roles::terminal::journal::Entry;

/// A ride that a purse is paying for now.
pub(super) struct Making {
    /// The row, with the card's proof once it has given one.
    pub(super) entry: Entry,
    /// Whether the row is on the disk: the card may have been debited.
    pub(super) is_kept: bool,
    /// Whether the card has given its proof.
    pub(super) is_debited: bool,
}
