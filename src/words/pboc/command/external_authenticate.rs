//! EXTERNAL AUTHENTICATE of a purse card: ISO/IEC 7816-4 11.5.4; PBOC part 1. Whoever updates
//! files proves a key to the card; a wrong proof costs a try of that key.

use crate::words::pboc::fixed::fixed_command;

fixed_command! {
    /// Proves a key to the card: the card's challenge, enciphered.
    ExternalAuthenticate: "EXTERNAL AUTHENTICATE (purse)", "PBOC part 1 EXTERNAL AUTHENTICATE", Destroys, [0x00, 0x82, 0x00, 0x00]
    header {
        /// Which key.
        key at 3 in 1..=255,
    }
    data {
        /// The challenge of the last command, enciphered with the key.
        proof: [u8; 8] = "challenge",
    }
    answer ()
}
