//! CREDIT FOR LOAD: JR/T 0025.1 (PBOC part 1). The host proves itself; the card takes the money.

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// The card's certificate of a transaction that its issuer verifies.
    TransactionCertificate {
        /// TAC.
        tac: [u8; 4] = "TAC",
    }
}

fixed_command! {
    /// Completes a load.
    CreditForLoad: "CREDIT FOR LOAD", "JR/T 0025.1 CREDIT FOR LOAD", Changes, [0x80, 0x52, 0x00, 0x00]
    header {}
    data {
        /// The host's date, BCD YYYYMMDD.
        date: [u8; 4] = "purse date",
        /// The host's time, BCD hhmmss.
        time: [u8; 3] = "purse time",
        /// Proof of the host to the card.
        mac2: [u8; 4] = "MAC2",
    }
    answer TransactionCertificate
}
