//! What a message about a purse transaction carries, so that its issuer can make every MAC and TAC
//! of it again. Public sources reserve a field for it (F58) and do not publish its content: this
//! one is ours.

use super::fixed::fixed_record;
use super::purse::{OverdraftTerms, PurseTerms, PurseTransactionType};

fixed_record! {
    /// A purse transaction as its MACs and TAC cover it.
    PurseDetail {
        /// Type.
        kind: u8 = "purse transaction type",
        /// Terminal number.
        terminal: [u8; 6] = "terminal number",
        /// Transaction counter of the security module; 0 of what a host decides.
        terminal_sequence: u32 = "terminal sequence",
        /// Date, BCD YYYYMMDD.
        date: [u8; 4] = "purse date",
        /// Time, BCD hhmmss.
        time: [u8; 3] = "purse time",
        /// Balance before, as the card told it, minor units.
        old_balance_minor: u32 = "purse balance",
        /// The card's transaction counter before it steps.
        sequence: u16 = "card sequence",
        /// The card's random number.
        random: [u8; 4] = "card random",
        /// Version of the key.
        key_version: u8 = "key version",
        /// Algorithm.
        algorithm: u8 = "algorithm",
        /// Overdraft limit before, minor units.
        overdraft_limit: [u8; 3] = "overdraft limit",
    }
}

impl PurseDetail {
    /// What its MACs cover.
    pub const fn terms(&self, amount_minor: u32) -> PurseTerms {
        PurseTerms {
            amount_minor,
            kind: PurseTransactionType(self.kind),
            terminal: self.terminal,
            date: self.date,
            time: self.time,
        }
    }

    /// What the MACs of a change of the overdraft limit cover.
    pub const fn overdraft_terms(&self, new_limit: [u8; 3]) -> OverdraftTerms {
        OverdraftTerms {
            old_limit: self.overdraft_limit,
            new_limit,
            terminal: self.terminal,
            date: self.date,
            time: self.time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::dictionary::{Row, tag};
    use crate::words::pboc::fixed::Fixed;

    #[test]
    fn the_dictionary_knows_its_length() {
        let row = Row::of_tag(tag::PURSE_DETAIL).unwrap();
        assert_eq!((row.min as usize, row.max as usize), (PurseDetail::BYTES, PurseDetail::BYTES));
    }
}
