//! INITIALIZE FOR LOAD: JR/T 0025.1 (PBOC part 1). The card proves itself to its load host.

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// What the card gives for a load or an unload.
    OnlineInitialization {
        /// Balance before, minor units.
        old_balance_minor: u32 = "purse balance",
        /// Online transaction counter, before it steps.
        online_sequence: u16 = "online sequence",
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
    /// Begins a load.
    InitializeForLoad: "INITIALIZE FOR LOAD", "JR/T 0025.1 INITIALIZE FOR LOAD", Reads, [0x80, 0x50, 0x00, 0x00]
    header {
        /// 01 electronic deposit, 02 electronic purse.
        purse at 3 in 1..=2,
    }
    data {
        /// Index of the load key.
        key: u8 = "key index",
        /// Minor units.
        amount: u32 = "purse amount",
        /// Terminal number.
        terminal: [u8; 6] = "terminal number",
    }
    answer OnlineInitialization
}
