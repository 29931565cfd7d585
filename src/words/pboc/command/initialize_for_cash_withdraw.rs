//! INITIALIZE FOR CASH WITHDRAW: JR/T 0025.1 (PBOC part 1), electronic deposit alone.

use super::OfflineInitialization;
use crate::words::pboc::fixed::fixed_command;

fixed_command! {
    /// Begins a withdrawal of cash.
    InitializeForCashWithdraw: "INITIALIZE FOR CASH WITHDRAW", "JR/T 0025.1 INITIALIZE FOR CASH WITHDRAW", Reads, [0x80, 0x50, 0x02, 0x01]
    header {}
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
