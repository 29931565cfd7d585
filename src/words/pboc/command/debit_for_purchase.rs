//! DEBIT FOR PURCHASE, DEBIT FOR CAPP PURCHASE, DEBIT FOR CASH WITHDRAW: JR/T 0025.1 (PBOC part
//! 1) and PBOC 2.0 part 9 have one command for all three; what was initialised says which.

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// What the card gives for the money that it has given up.
    PurchaseProof {
        /// For the issuer.
        tac: [u8; 4] = "TAC",
        /// For the security module.
        mac2: [u8; 4] = "MAC2",
    }
}

fixed_command! {
    /// Completes a purchase.
    DebitForPurchase: "DEBIT FOR PURCHASE", "JR/T 0025.1 DEBIT FOR PURCHASE", Changes, [0x80, 0x54, 0x01, 0x00]
    header {}
    data {
        /// Transaction counter of the terminal's security module.
        sequence: u32 = "terminal sequence",
        /// The terminal's date, BCD YYYYMMDD.
        date: [u8; 4] = "purse date",
        /// The terminal's time, BCD hhmmss.
        time: [u8; 3] = "purse time",
        /// Proof of the security module to the card.
        mac1: [u8; 4] = "MAC1",
    }
    answer PurchaseProof
}
