//! INITIALIZE FOR PURCHASE: JR/T 0025.1 (PBOC part 1).

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// What the card gives for a purchase of any kind.
    OfflineInitialization {
        /// Balance before, minor units.
        old_balance_minor: u32 = "purse balance",
        /// Offline transaction counter, before it steps.
        offline_sequence: u16 = "offline sequence",
        /// Overdraft limit, minor units; 0 of an electronic purse.
        overdraft_limit: [u8; 3] = "overdraft limit",
        /// Version of the key.
        key_version: u8 = "key version",
        /// Algorithm.
        algorithm: u8 = "algorithm",
        /// The card's random number.
        random: [u8; 4] = "card random",
    }
}

fixed_command! {
    /// Begins a purchase.
    InitializeForPurchase: "INITIALIZE FOR PURCHASE", "JR/T 0025.1 INITIALIZE FOR PURCHASE", Reads, [0x80, 0x50, 0x01, 0x00]
    header {
        /// 01 electronic deposit, 02 electronic purse.
        purse at 3 in 1..=2,
    }
    data {
        /// Index of the purchase key.
        key: u8 = "key index",
        /// Minor units.
        amount: u32 = "purse amount",
        /// Terminal number.
        terminal: [u8; 6] = "terminal number",
    }
    answer OfflineInitialization
}
