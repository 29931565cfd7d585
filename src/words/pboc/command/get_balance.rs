//! GET BALANCE: JR/T 0025.1 (PBOC part 1), a purse command.

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// What a purse holds.
    Balance {
        /// Minor units; of an electronic deposit, with its overdraft limit.
        balance_minor: u32 = "purse balance",
    }
}

fixed_command! {
    /// Asks for the balance of a purse.
    GetBalance: "GET BALANCE", "JR/T 0025.1 GET BALANCE", Reads, [0x80, 0x5C, 0x00, 0x00]
    header {
        /// What of the balance: 00 all that standard purses know; T-Union has 01 to 03 besides.
        part at 2 in 0..=3,
        /// 01 electronic deposit, 02 electronic purse.
        purse at 3 in 1..=2,
    }
    data {}
    answer Balance
}
