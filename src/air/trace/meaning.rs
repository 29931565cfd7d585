//! What a command asks for, apart from what changes from one transaction to the next: by
//! it an exchange finds its like in another recording, and a recorded card its answer.

use crate::words::iso7816::CommandApdu;

/// What a command asks for. Amounts, dates, numbers and cryptograms are no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Meaning {
    header: [u8; 4],
    /// Data that says what is wanted: the name in SELECT.
    data: Vec<u8>,
    /// Which GENERATE AC of its transaction, from 1; 0 for every other command.
    cryptogram: u32,
}

/// Finds the meanings of the commands of one session, in order.
#[derive(Debug, Clone, Default)]
pub struct Meanings {
    cryptograms: u32,
}

const SELECT: u8 = 0xA4;
const GET_PROCESSING_OPTIONS: u8 = 0xA8;
const GENERATE_AC: u8 = 0xAE;
/// The bits of P1 that say which cryptogram is asked for (EMV Book 3 6.5.5.2).
const CRYPTOGRAM_TYPE: u8 = 0xC0;

impl Meanings {
    /// The card was reset: a new session begins.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// What the next command asks for.
    pub fn of(&mut self, command: &CommandApdu) -> Meaning {
        match command.ins {
            SELECT | GET_PROCESSING_OPTIONS => self.cryptograms = 0,
            GENERATE_AC => self.cryptograms += 1,
            _ => {}
        }
        Meaning {
            header: command.header(),
            data: if command.ins == SELECT { command.data.clone() } else { Vec::new() },
            cryptogram: if command.ins == GENERATE_AC { self.cryptograms } else { 0 },
        }
    }
}

impl Meaning {
    /// Whether two commands are the same step of a transaction: a cryptogram of another type may
    /// be asked for in it.
    pub fn is_same_step(&self, other: &Self) -> bool {
        self.cryptogram == other.cryptogram
            && self.data == other.data
            && (self.header == other.header || self.cryptogram > 0 && self.header[..2] == other.header[..2])
    }

    /// Which cryptogram a GENERATE AC asks for: its two bits of P1.
    pub fn cryptogram_type(&self) -> Option<u8> {
        (self.cryptogram > 0).then_some(self.header[2] & CRYPTOGRAM_TYPE)
    }

    /// The name that a SELECT asks for, and whether it asks for the next one of it.
    pub fn selected_name(&self) -> Option<(&[u8], bool)> {
        const NEXT: u8 = 0x02;
        let is_select = self.header[1] == SELECT && self.header[2] == 0x04;
        is_select.then_some((self.data.as_slice(), self.header[3] & 0x03 == NEXT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn meanings(commands: &[&str]) -> Vec<Meaning> {
        let mut meanings = Meanings::default();
        let command = |hex: &&str| CommandApdu::parse(&parse_hex(hex).unwrap()).unwrap();
        commands.iter().map(|hex| meanings.of(&command(hex))).collect()
    }

    #[test]
    fn data_that_changes_is_no_part_of_it() {
        let [a, b, c] = &meanings(&["80A8000002830000", "80A800000483020100 00", "00A4040002A00000"])[..]
        else {
            panic!("three commands")
        };
        assert_eq!(a, b);
        assert_ne!(a, c);
        assert_eq!(c.selected_name(), Some(([0xA0, 0x00].as_slice(), false)));
    }

    #[test]
    fn the_first_cryptogram_is_not_the_second() {
        let all = meanings(&["80AE800001 01 00", "80AE400001 01 00", "80A8000002830000", "80AE400001 02 00"]);
        assert!(!all[0].is_same_step(&all[1]));
        assert!(all[0].is_same_step(&all[3]) && all[0] != all[3]);
        assert_eq!((all[0].cryptogram_type(), all[2].cryptogram_type()), (Some(0x80), None));
    }
}
