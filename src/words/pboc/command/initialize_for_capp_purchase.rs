//! INITIALIZE FOR CAPP PURCHASE: PBOC 2.0 part 9, a purchase that writes records too
//! (复合消费).

use super::OfflineInitialization;
use crate::words::pboc::fixed::fixed_command;

fixed_command! {
    /// Begins a compound purchase.
    InitializeForCappPurchase: "INITIALIZE FOR CAPP PURCHASE", "PBOC 2.0 part 9 INITIALIZE FOR CAPP PURCHASE", Reads, [0x80, 0x50, 0x03, 0x02]
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
