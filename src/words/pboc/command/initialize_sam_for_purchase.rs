//! INITIALIZE SAM FOR PURCHASE: PSAM specification of PBOC part 2 (terminal security module).

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// What the security module gives the card.
    SamInitialization {
        /// The module's transaction counter.
        terminal_sequence: u32 = "terminal sequence",
        /// Proof of the module to the card.
        mac1: [u8; 4] = "MAC1",
    }
}

fixed_command! {
    /// Begins a purchase at the terminal's security module; simple and compound ones differ by
    /// their type.
    InitializeSamForPurchase: "INITIALIZE SAM FOR PURCHASE", "PBOC PSAM INITIALIZE SAM FOR PURCHASE", Changes, [0x80, 0x70, 0x00, 0x00]
    header {}
    data {
        /// The card's random number.
        random: [u8; 4] = "card random",
        /// The card's offline transaction counter.
        offline: u16 = "offline sequence",
        /// Minor units.
        amount: u32 = "purse amount",
        /// Type of the transaction, as logs have it.
        kind: u8 = "purse transaction type",
        /// The terminal's date, BCD YYYYMMDD.
        date: [u8; 4] = "purse date",
        /// The terminal's time, BCD hhmmss.
        time: [u8; 3] = "purse time",
        /// Version of the card's key.
        version: u8 = "key version",
        /// Algorithm.
        algorithm: u8 = "algorithm",
        /// The card's number, from which its keys are made.
        serial: [u8; 8] = "application serial number",
        /// The card's issuer, from which its master key is made where there are two levels.
        issuer: [u8; 8] = "issuer identifier",
    }
    answer SamInitialization
}
