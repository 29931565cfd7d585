//! GET TRANSACTION PROVE: JR/T 0025.1 (PBOC part 1). After a card was pulled it tells whether a
//! transaction happened: it has that one's MAC and TAC, or not (9406).

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// What the card gave for the transaction; in this order, as public validators read it.
    TransactionProof {
        /// MAC2 of a purchase, MAC3 of an unload; zeros of a load, which has none.
        mac: [u8; 4] = "MAC2",
        /// TAC; zeros of an unload, which has none.
        tac: [u8; 4] = "TAC",
    }
}

fixed_command! {
    /// Asks again for what a transaction gave.
    GetTransactionProve: "GET TRANSACTION PROVE", "JR/T 0025.1 GET TRANSACTION PROVE", Reads, [0x80, 0x5A, 0x00, 0x00]
    header {
        /// Type of the transaction, as logs have it.
        kind at 3 in 1..=9,
    }
    data {
        /// Its transaction counter, after it stepped.
        sequence: u16 = "card sequence",
    }
    answer TransactionProof
}
