//! What the header of a command asks for, in words.

use super::aid_name;
use super::judge::{command_row, harmless_read};
use crate::base::bytes::Hex;
use crate::words::dictionary::Row;
use crate::words::emv::CryptogramType;
use crate::words::iso7816::{Aid, CommandApdu};
use crate::words::tlv::Tag;

/// What class, instruction and parameters ask for.
pub(super) fn command_meaning(command: &CommandApdu) -> String {
    let name_of = |tag: Tag| Row::of_tag(tag).map_or(String::new(), |row| format!(" {}", row.name));
    let tag = Tag(u32::from(u16::from_be_bytes([command.p1, command.p2])));
    match (command.cla, command.ins) {
        (0x00, 0xA4) => match Aid::new(command.data.as_slice()) {
            Some(aid) if command.p1 == 0x04 => {
                let next = if command.p2 & 3 == 2 { "the next application " } else { "" };
                let name = aid_name(&aid).unwrap_or("an application without a public name");
                format!("{next}{aid} {name}")
            }
            _ => String::new(),
        },
        (0x00, 0xB2) | (0x04, 0xDC) => format!("SFI {} record {}", command.p2 >> 3, command.p1),
        (0x80, 0xCA) | (0x04, 0xDA) => format!("{tag}{}", name_of(tag)),
        (0x80, 0xAE) => match CryptogramType::from_bits(command.p1) {
            Some(wanted) => {
                format!("asks for {wanted}{}", if command.p1 & 0x10 != 0 { " with CDA" } else { "" })
            }
            None => String::new(),
        },
        _ if command_row(command).is_none() && harmless_read(command).is_none() => {
            format!("a command without a name: {}", Hex(&command.header()))
        }
        _ => String::new(),
    }
}
