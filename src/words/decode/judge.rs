//! Finds a command's row and says what it may do to a card that is not ours.

use crate::words::iso7816::{CommandApdu, CommandRow, Effect};
use crate::words::{emv, globalplatform, iso7816, pboc};

/// The commands of every room.
pub const COMMAND_ROOMS: &[&[CommandRow]] = &[
    iso7816::command::COMMANDS,
    emv::command::COMMANDS,
    globalplatform::command::COMMANDS,
    pboc::command::COMMANDS,
];

/// A read that has no command file of its own, known by class and instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HarmlessRead {
    /// Class byte.
    pub cla: u8,
    /// Instruction byte.
    pub ins: u8,
    /// Its name in the specification.
    pub name: &'static str,
    /// Whether its raw answer may be shown: it can hold no number of a person or card.
    pub plain_answer: bool,
}

/// Reads that leave every card as it was. They are here so that a real card can be
/// looked at without leave; nothing that compares a secret or counts may enter.
pub const HARMLESS_READS: &[HarmlessRead] = &[
    HarmlessRead { cla: 0x00, ins: 0xA4, name: "SELECT", plain_answer: false },
    HarmlessRead { cla: 0x00, ins: 0xB0, name: "READ BINARY", plain_answer: false },
    HarmlessRead { cla: 0x00, ins: 0xB2, name: "READ RECORD", plain_answer: false },
    HarmlessRead { cla: 0x00, ins: 0x84, name: "GET CHALLENGE", plain_answer: true },
    HarmlessRead { cla: 0x80, ins: 0x5C, name: "GET BALANCE", plain_answer: true },
    HarmlessRead { cla: 0x00, ins: 0xCA, name: "GET DATA", plain_answer: false },
    // The PC/SC pseudo-APDU for a contactless card's number; the reader answers it.
    HarmlessRead { cla: 0xFF, ins: 0xCA, name: "GET DATA (reader)", plain_answer: false },
];

/// The row of a command; the first one that knows its header.
pub fn command_row(apdu: &CommandApdu) -> Option<&'static CommandRow> {
    COMMAND_ROOMS.iter().flat_map(|room| room.iter()).find(|row| (row.matches)(apdu))
}

/// The row among the harmless reads.
pub(super) fn harmless_read(apdu: &CommandApdu) -> Option<&'static HarmlessRead> {
    HARMLESS_READS.iter().find(|read| (read.cla, read.ins) == (apdu.cla, apdu.ins))
}

/// What a command is called and what it may do. One that is not known, or known
/// but malformed, is judged as [`Effect::Destroys`] unless it is a harmless read.
pub fn judge(apdu: &CommandApdu) -> (String, Effect) {
    let row = command_row(apdu);
    if let Some(row) = row
        && let Ok(effect) = (row.effect)(apdu)
    {
        return (row.name.to_owned(), effect);
    }
    if let Some(read) = harmless_read(apdu) {
        return (read.name.to_owned(), Effect::Reads);
    }
    let header = crate::base::bytes::Hex(&apdu.header()).to_string();
    (row.map_or(header, |row| row.name.to_owned()), Effect::Destroys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn judged(hex: &str) -> (String, Effect) {
        judge(&CommandApdu::parse(&parse_hex(hex).unwrap()).unwrap())
    }

    #[test]
    fn what_is_not_known_may_destroy() {
        assert_eq!(judged("00A4040007A000000333010100"), ("SELECT".into(), Effect::Reads));
        assert_eq!(judged("00A4000C023F00"), ("SELECT".into(), Effect::Reads));
        assert_eq!(judged("80A8000002830000"), ("GET PROCESSING OPTIONS".into(), Effect::Spends));
        assert_eq!(judged("002000820122"), ("VERIFY".into(), Effect::Destroys));
        assert_eq!(judged("805C000204"), ("GET BALANCE".into(), Effect::Reads));
        assert_eq!(judged("84D80000"), ("84D80000".into(), Effect::Destroys));
    }

    #[test]
    fn no_harmless_read_is_a_command_that_does_more() {
        for read in HARMLESS_READS {
            let apdu = CommandApdu::new(read.cla, read.ins, 0x04, 0x00).data([1; 8]).le(256);
            assert_eq!(judge(&apdu).1, Effect::Reads, "{}", read.name);
        }
    }
}
