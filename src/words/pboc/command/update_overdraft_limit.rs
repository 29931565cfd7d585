//! UPDATE OVERDRAFT LIMIT: JR/T 0025.1 (PBOC part 1).

use super::TransactionCertificate;
use crate::words::pboc::fixed::fixed_command;

fixed_command! {
    /// Changes the overdraft limit of an electronic deposit.
    UpdateOverdraftLimit: "UPDATE OVERDRAFT LIMIT", "JR/T 0025.1 UPDATE OVERDRAFT LIMIT", Changes, [0x80, 0x58, 0x00, 0x00]
    header {}
    data {
        /// The new limit, minor units.
        limit: [u8; 3] = "overdraft limit",
        /// The host's date, BCD YYYYMMDD.
        date: [u8; 4] = "purse date",
        /// The host's time, BCD hhmmss.
        time: [u8; 3] = "purse time",
        /// Proof of the host to the card.
        mac2: [u8; 4] = "MAC2",
    }
    answer TransactionCertificate
}
