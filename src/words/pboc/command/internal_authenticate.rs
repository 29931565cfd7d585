//! INTERNAL AUTHENTICATE of a purse card: ISO/IEC 7816-4 11.5.2; PBOC part 1. The card proves a
//! key of its own.

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// The card's proof.
    KeyProof {
        /// The challenge, enciphered with the key.
        proof: [u8; 8] = "challenge",
    }
}

fixed_command! {
    /// Asks the card to encipher a challenge.
    InternalAuthenticate: "INTERNAL AUTHENTICATE (purse)", "PBOC part 1 INTERNAL AUTHENTICATE", Reads, [0x00, 0x88, 0x00, 0x00]
    header {
        /// Which key.
        key at 3 in 1..=255,
    }
    data {
        /// Whatever the terminal likes.
        challenge: [u8; 8] = "challenge",
    }
    answer KeyProof
}
