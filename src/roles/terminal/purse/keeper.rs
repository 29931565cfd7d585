//! Who keeps a purchase before each of its steps: the terminal's journal, or the book of a device
//! whose purchases are more than purchases. What a change means for it may not enter.

use crate::base::context::Context;
use crate::roles::terminal::journal::{Change, Journal, JournalError};

/// Keeps purchases with purses.
pub trait Keeper {
    /// Keeps a change of the row `(batch, trace)`. [`Change::Sending`] is durable before it
    /// returns: the card may have been debited from then on, and only proof closes the row.
    fn write(
        &mut self,
        trace: (u32, u32),
        change: &Change,
        context: &mut Context,
    ) -> Result<(), JournalError>;
}

impl Keeper for Journal {
    fn write(
        &mut self,
        trace: (u32, u32),
        change: &Change,
        context: &mut Context,
    ) -> Result<(), JournalError> {
        Self::write(self, trace, change, context)
    }
}
