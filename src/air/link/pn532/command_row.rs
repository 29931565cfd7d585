//! A row of the registry of commands.

use super::wire::{ChipCommand, Wire};
use crate::base::bytes::Truncated;

/// A command, by its code.
#[derive(Clone, Copy)]
pub struct CommandRow {
    /// Its code.
    pub code: u8,
    /// Its name.
    pub name: &'static str,
    /// Reads its parameters and writes them again.
    pub again: fn(&[u8]) -> Result<Vec<u8>, Truncated>,
    /// Reads its answer, without the code, and writes it again.
    pub answer_again: fn(&[u8]) -> Result<Vec<u8>, Truncated>,
}

impl CommandRow {
    /// The row of a command.
    pub const fn of<C: ChipCommand>() -> Self {
        Self {
            code: C::CODE,
            name: C::NAME,
            again: |bytes| Ok(C::parse(bytes)?.to_bytes()),
            answer_again: |bytes| Ok(C::Answer::parse(bytes)?.to_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::air::link::pn532::command::COMMANDS;
    use crate::base::bytes::parse_hex;
    use proptest::prelude::*;

    /// Commands and answers of libnfc 1.8.0 and nfcpy 1.0.4, as they were logged.
    const LOGGED: &[(u8, &str, &str)] = &[
        (0x00, "006C69626E6663", "006C69626E6663"),
        (0x02, "", "32010607"),
        (0x06, "63026303630D6338633D", "8080000000"),
        (0x08, "630280630380", ""),
        (0x12, "14", ""),
        (0x14, "01", ""),
        (0x16, "F0", "00"),
        (0x32, "05FFFFFF", ""),
        (0x40, "0100A404000E325041592E5359532E444446303100", "009000"),
        (0x42, "E080", "000578807002"),
        (0x44, "00", "00"),
        (0x4A, "0100", "01010004200408112233067577810280"),
        (0x4A, "010300", "00"),
        (0x60, "142002101103", "01200E0100042004081122330675778102"),
        (0x8C, "050400BEEF0020000102030405060708090A0B0C0D0E0F101101FE02030405060708090000", "08E050"),
    ];

    #[test]
    fn what_libraries_say_is_read_and_written_as_it_was() {
        for (code, command, answer) in LOGGED {
            let row = COMMANDS.iter().find(|row| row.code == *code).unwrap();
            let bytes = parse_hex(command).unwrap();
            assert_eq!((row.again)(&bytes).unwrap(), bytes, "{}", row.name);
            let bytes = parse_hex(answer).unwrap();
            assert_eq!((row.answer_again)(&bytes).unwrap(), bytes, "{}", row.name);
        }
    }

    #[test]
    fn codes_are_in_order_and_even() {
        assert!(COMMANDS.windows(2).all(|rows| rows[0].code < rows[1].code));
        assert!(COMMANDS.iter().all(|row| row.code % 2 == 0 && row.code < 0xA0));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            row in 0..COMMANDS.len(), bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let row = COMMANDS[row];
            for again in [row.again, row.answer_again] {
                if let Ok(written) = again(&bytes) {
                    let twice = again(&written);
                    prop_assert_eq!(twice, Ok(written), "{}", row.name);
                }
            }
        }
    }
}
