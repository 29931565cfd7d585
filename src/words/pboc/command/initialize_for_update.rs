//! INITIALIZE FOR UPDATE: JR/T 0025.1 (PBOC part 1), the overdraft limit of an electronic deposit.

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// What the card gives for a change of its overdraft limit.
    OverdraftInitialization {
        /// Balance before, minor units.
        old_balance_minor: u32 = "purse balance",
        /// Online transaction counter, before it steps.
        online_sequence: u16 = "online sequence",
        /// The limit before, minor units.
        old_limit: [u8; 3] = "overdraft limit",
        /// Version of the key.
        key_version: u8 = "key version",
        /// Algorithm.
        algorithm: u8 = "algorithm",
        /// The card's random number.
        random: [u8; 4] = "card random",
        /// Proof of the card to its host.
        mac1: [u8; 4] = "MAC1",
    }
}

fixed_command! {
    /// Begins a change of the overdraft limit.
    InitializeForUpdate: "INITIALIZE FOR UPDATE", "JR/T 0025.1 INITIALIZE FOR UPDATE", Reads, [0x80, 0x50, 0x04, 0x01]
    header {}
    data {
        /// Index of the overdraft key.
        key: u8 = "key index",
        /// Terminal number.
        terminal: [u8; 6] = "terminal number",
    }
    answer OverdraftInitialization
}
