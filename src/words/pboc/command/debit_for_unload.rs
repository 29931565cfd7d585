//! DEBIT FOR UNLOAD: JR/T 0025.1 (PBOC part 1).

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// The card's proof to its host that it has given the money up.
    UnloadProof {
        /// MAC3.
        mac3: [u8; 4] = "MAC3",
    }
}

fixed_command! {
    /// Completes an unload.
    DebitForUnload: "DEBIT FOR UNLOAD", "JR/T 0025.1 DEBIT FOR UNLOAD", Changes, [0x80, 0x54, 0x03, 0x00]
    header {}
    data {
        /// The host's date, BCD YYYYMMDD.
        date: [u8; 4] = "purse date",
        /// The host's time, BCD hhmmss.
        time: [u8; 3] = "purse time",
        /// Proof of the host to the card.
        mac2: [u8; 4] = "MAC2",
    }
    answer UnloadProof
}
