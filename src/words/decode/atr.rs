//! An answer to reset, byte by byte: ISO/IEC 7816-3 8.2; its historical bytes: ISO/IEC
//! 7816-4 5.1.1 and 12.1.1; storage cards behind a PC/SC reader: PC/SC Part 3.

use super::fields::BitRow;
use super::{Line, bits};
use crate::base::bytes::Cursor;
use crate::words::emv::printable;
use crate::words::iso7816::{Atr, AtrError};

/// Explains an answer to reset; the error says what is wrong with it and where.
pub fn explain_atr(bytes: &[u8]) -> Result<Vec<Line>, AtrError> {
    let atr = Atr::parse(bytes)?;
    let mut cursor = Cursor::new(bytes);
    let mut lines = Vec::new();
    let ts = cursor.byte("TS")?;
    lines.push(byte(0, "TS", ts, if ts == 0x3B { "direct convention" } else { "inverse convention" }));
    let t0 = cursor.byte("T0")?;
    lines.push(byte(1, "T0", t0, format!("{}, {} historical bytes", present(t0), t0 & 0x0F)));
    interface_bytes(&mut cursor, t0, &mut lines)?;
    historical(atr.historical(), cursor.offset(), &mut lines);
    cursor.take(atr.historical().len(), "historical bytes")?;
    if let Ok(tck) = cursor.byte("TCK") {
        let says = match atr.protocols().iter().any(|protocol| *protocol != 0) {
            true => "the exclusive-or fits",
            false => "more than T=0 alone has",
        };
        lines.push(byte(bytes.len() - cursor.remaining() - 1, "TCK", tck, says));
    }
    if !cursor.is_empty() {
        let at = cursor.offset();
        lines.push(Line::new(0, at, "bytes after the answer").value(&bytes[at..]));
    }
    if let Some((standard, name)) = atr.storage_card() {
        let says = format!("standard {standard:02X}, card name {name:04X}");
        lines.push(Line::new(0, 0, "storage card").meaning(says));
    } else if atr.is_contactless() {
        lines.push(Line::new(0, 0, "contactless card").meaning("a PC/SC reader made this answer up"));
    }
    Ok(lines)
}

fn interface_bytes(cursor: &mut Cursor<'_>, t0: u8, lines: &mut Vec<Line>) -> Result<(), AtrError> {
    let mut follows = t0;
    let mut protocol = 0;
    for group in 1.. {
        for (mask, letter) in [(0x10, 'A'), (0x20, 'B'), (0x40, 'C')] {
            if follows & mask == 0 {
                continue;
            }
            let at = cursor.offset();
            let value = cursor.byte("an interface byte")?;
            lines.push(byte(
                at,
                format!("T{letter}{group}"),
                value,
                interface(letter, group, protocol, value),
            ));
        }
        if follows & 0x80 == 0 {
            return Ok(());
        }
        let at = cursor.offset();
        let td = cursor.byte("TD")?;
        protocol = td & 0x0F;
        lines.push(byte(at, format!("TD{group}"), td, format!("T={protocol}; {}", present(td))));
        follows = td;
    }
    Ok(())
}

/// What an interface byte says: the first two groups are fixed, later ones belong to the
/// protocol named before them.
fn interface(letter: char, group: u32, protocol: u8, value: u8) -> String {
    match (letter, group, protocol) {
        ('A', 1, _) => rates(value),
        ('B', 1, _) => "programming voltage, no longer used".into(),
        ('C', 1, _) if value == 0xFF => "least guard time".into(),
        ('C', 1, _) => format!("{value} etu of extra guard time"),
        ('A', 2, _) => {
            let change = if value & 0x80 != 0 { "unable to change" } else { "able to change" };
            let parameters = if value & 0x10 != 0 { "implicit parameters" } else { "parameters by TA1" };
            format!("specific mode, T={}, {parameters}, {change}", value & 0x0F)
        }
        ('B', 2, _) => "programming voltage, no longer used".into(),
        ('C', 2, _) => format!("T=0 waiting time integer {value}"),
        ('A', _, 15) => {
            let clock = ["not supported", "state L", "state H", "no preference"][usize::from(value >> 6)];
            let class: Vec<_> = [(1, "A, 5 V"), (2, "B, 3 V"), (4, "C, 1.8 V")]
                .into_iter()
                .filter(|(mask, _)| value & mask != 0)
                .map(|(_, words)| words)
                .collect();
            format!("clock stop {clock}; classes {}", class.join(" and "))
        }
        ('B', _, 15) => "use of contact C6".into(),
        ('A', _, 1) => format!("T=1 information field of the card, {value} bytes"),
        ('B', _, 1) => format!("T=1 waiting times: block {}, character {}", value >> 4, value & 0x0F),
        ('C', _, 1) => format!("T=1 error detection by {}", if value & 1 != 0 { "CRC" } else { "LRC" }),
        _ => format!("of T={protocol}, without a meaning known here"),
    }
}

/// Clock rate and baud rate adjustment: ISO/IEC 7816-3 tables 7 and 8.
fn rates(value: u8) -> String {
    const F: [u16; 16] = [372, 372, 558, 744, 1116, 1488, 1860, 0, 0, 512, 768, 1024, 1536, 2048, 0, 0];
    const D: [u8; 16] = [0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0];
    let (f, d) = (F[usize::from(value >> 4)], D[usize::from(value & 0x0F)]);
    match (f, d) {
        (0, _) | (_, 0) => "reserved rates".into(),
        _ => format!("F={f}, D={d}: {} clock cycles an etu", f / u16::from(d)),
    }
}

fn present(byte: u8) -> String {
    let names: Vec<_> = [(0x10, "TA"), (0x20, "TB"), (0x40, "TC"), (0x80, "TD")]
        .into_iter()
        .filter(|(mask, _)| byte & mask != 0)
        .map(|(_, name)| name)
        .collect();
    if names.is_empty() { "no interface bytes follow".into() } else { format!("{} follow", names.join(", ")) }
}

fn historical(bytes: &[u8], start: usize, lines: &mut Vec<Line>) {
    let Some((category, rest)) = bytes.split_first() else { return };
    lines.push(
        Line::new(0, start, "historical bytes").value(bytes).meaning(format!("{:?}", printable(bytes))),
    );
    let (says, objects, status) = match category {
        0x00 => match rest.split_last_chunk::<3>() {
            Some((objects, status)) => ("compact TLV, then a status", objects, Some(status)),
            None => ("compact TLV", rest, None),
        },
        0x10 => ("reference to DIR data", &rest[..0], None),
        0x80 => ("compact TLV", rest, None),
        // Anything else is the card maker's own.
        _ => return,
    };
    lines.push(Line::new(1, start, "category indicator").value([*category]).meaning(says));
    compact(objects, start + 1, lines);
    if let Some([life, a, b]) = status {
        let says = format!("life cycle {life:02X}, status word {a:02X}{b:02X}");
        lines.push(Line::new(1, start + bytes.len() - 3, "status").value([*life, *a, *b]).meaning(says));
    }
}

/// Compact TLV: a half byte of tag, a half byte of length. What does not add up is one line.
fn compact(bytes: &[u8], start: usize, lines: &mut Vec<Line>) {
    let mut rest = bytes;
    while let Some((head, after)) = rest.split_first() {
        let at = start + bytes.len() - rest.len();
        let Some(value) = after.get(..usize::from(head & 0x0F)) else {
            lines
                .push(Line::new(1, at, "no compact TLV").value(rest).meaning("its length is beyond the end"));
            return;
        };
        let name = match head >> 4 {
            1 => "country code",
            2 => "issuer identification number",
            3 => "card service data",
            4 => "initial access data",
            5 => "card issuer's data",
            6 => "pre-issuing data",
            7 => "card capabilities",
            8 => "status information",
            0xF => "application identifier",
            _ => "object without a name",
        };
        lines.push(Line::new(1, at, name).value(value));
        let rows = match head >> 4 {
            3 => SERVICE_DATA,
            7 => CAPABILITIES,
            _ => &[],
        };
        if !rows.is_empty() {
            for (byte, bit, words) in bits::of_rows(value, rows) {
                lines.push(Line::bit(2, at + 1, byte, bit, words));
            }
        }
        rest = &after[value.len()..];
    }
}

/// ISO/IEC 7816-4 12.1.1.2.
const SERVICE_DATA: &[BitRow] = &[
    (1, 8, "application selection by full DF name"),
    (1, 7, "application selection by partial DF name"),
    (1, 6, "BER-TLV data objects in EF.DIR"),
    (1, 5, "BER-TLV data objects in EF.ATR"),
    (1, 4, "EF.DIR and EF.ATR by READ BINARY"),
    (1, 3, "EF.DIR and EF.ATR by GET DATA"),
    (1, 2, "EF.DIR and EF.ATR by another command"),
    (1, 1, "card without MF"),
];

/// ISO/IEC 7816-4 12.1.1.9.
const CAPABILITIES: &[BitRow] = &[
    (1, 8, "DF selection by full name"),
    (1, 7, "DF selection by partial name"),
    (1, 6, "DF selection by path"),
    (1, 5, "DF selection by file identifier"),
    (1, 4, "implicit DF selection"),
    (1, 3, "short EF identifiers"),
    (1, 2, "record numbers"),
    (1, 1, "record identifiers"),
    (2, 8, "EFs of TLV structure"),
    (2, 7, "write function, first bit of its behaviour"),
    (2, 6, "write function, second bit of its behaviour"),
    (2, 5, "FF is a valid first byte of a tag"),
    (2, 4, "size of data units, first bit"),
    (2, 3, "size of data units, second bit"),
    (2, 2, "size of data units, third bit"),
    (2, 1, "size of data units, fourth bit"),
    (3, 8, "command chaining"),
    (3, 7, "extended Lc and Le"),
    (3, 6, "extended length information in EF.ATR"),
    (3, 5, "logical channel numbers by the card"),
    (3, 4, "logical channel numbers by the terminal"),
    (3, 3, "number of logical channels, first bit"),
    (3, 2, "number of logical channels, second bit"),
    (3, 1, "number of logical channels, third bit"),
];

fn byte(
    at: usize,
    name: impl Into<std::borrow::Cow<'static, str>>,
    value: u8,
    says: impl Into<String>,
) -> Line {
    Line::new(0, at, name).value([value]).meaning(says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use proptest::prelude::*;

    fn told(hex: &str) -> Vec<String> {
        let lines = explain_atr(&parse_hex(hex).unwrap()).unwrap();
        lines.iter().map(|line| format!("@{} {}: {}", line.offset, line.name, line.meaning)).collect()
    }

    #[test]
    fn every_byte_is_told() {
        let lines = told("3BDA18FF81B1FE751F03 0031F573C00160009000 1C");
        for wanted in [
            "@0 TS: direct convention",
            "@2 TA1: F=372, D=12: 31 clock cycles an etu",
            "@3 TC1: least guard time",
            "@4 TD1: T=1; TD follow",
            "@5 TD2: T=1; TA, TB, TD follow",
            "@6 TA3: T=1 information field of the card, 254 bytes",
            "@7 TB3: T=1 waiting times: block 7, character 5",
            "@8 TD3: T=15; TA follow",
            "@9 TA4: clock stop not supported; classes A, 5 V and B, 3 V",
            "@11 card service data: ",
            "@12 byte 1 bit 8: application selection by full DF name",
            "@13 card capabilities: ",
            "@17 status: life cycle 00, status word 9000",
        ] {
            assert!(lines.iter().any(|line| line == wanted), "no {wanted:?} in {lines:#?}");
        }
        assert!(told("3B8F8001804F0CA000000306030001000000006A").last().unwrap().contains("card name 0001"));
        assert!(explain_atr(&[0x3B, 0x80, 0x80, 0x01, 0x00]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = explain_atr(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = 0x3B;
            }
            let _ = explain_atr(&bytes);
        }
    }
}
