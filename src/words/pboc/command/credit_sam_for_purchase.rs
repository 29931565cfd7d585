//! CREDIT SAM FOR PURCHASE: PSAM specification of PBOC part 2 (terminal security module).

use crate::words::pboc::fixed::fixed_command;

fixed_command! {
    /// Lets the security module judge what the card gave.
    CreditSamForPurchase: "CREDIT SAM FOR PURCHASE", "PBOC PSAM CREDIT SAM FOR PURCHASE", Changes, [0x80, 0x72, 0x00, 0x00]
    header {}
    data {
        /// The card's MAC2.
        mac2: [u8; 4] = "MAC2",
    }
    answer ()
}
