//! INITIALIZE FOR UNLOAD: JR/T 0025.1 (PBOC part 1), electronic deposit; the purse where a city
//! has it so.

use super::OnlineInitialization;
use crate::words::pboc::fixed::fixed_command;

fixed_command! {
    /// Begins an unload.
    InitializeForUnload: "INITIALIZE FOR UNLOAD", "JR/T 0025.1 INITIALIZE FOR UNLOAD", Reads, [0x80, 0x50, 0x05, 0x00]
    header {
        /// 01 electronic deposit, 02 electronic purse.
        purse at 3 in 1..=2,
    }
    data {
        /// Index of the unload key.
        key: u8 = "key index",
        /// Minor units.
        amount: u32 = "purse amount",
        /// Terminal number.
        terminal: [u8; 6] = "terminal number",
    }
    answer OnlineInitialization
}
