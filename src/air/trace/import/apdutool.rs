//! What `apdutool` of the Java Card Development Kit prints, an exchange a line:
//! `CLA: 00, INS: a4, P1: 04, P2: 00, Lc: 02, a0, 00, Le: 01, 6f, SW1: 90, SW2: 00`. After Le
//! stands the answer's data.

use crate::air::trace::importer::{Conversation, Importer, Odd, lines};

/// This importer.
pub(in crate::air::trace) const IMPORTER: Importer = Importer {
    name: "apdutool",
    about: "what apdutool of the Java Card Development Kit prints",
    fits: |text| text.lines().any(|line| line.starts_with("CLA: ") && line.contains("SW1: ")),
    read,
};

fn read(text: &str, conversation: &mut Conversation) -> Result<(), Odd> {
    for (number, line) in lines(text).filter(|(_, line)| line.starts_with("CLA: ")) {
        let (mut header, mut sent, mut received, mut status) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut field = "";
        for part in line.split(',') {
            let (name, value) =
                part.trim().split_once(": ").map_or(("", part.trim()), |(name, value)| (name, value));
            if !name.is_empty() {
                field = ["CLA", "INS", "P1", "P2", "Lc", "Le", "SW1", "SW2"]
                    .into_iter()
                    .find(|known| *known == name)
                    .ok_or_else(|| Odd {
                        line: number,
                        reason: format!("expected CLA to SW2, found {name:?}"),
                    })?;
            }
            let value = u8::from_str_radix(value.trim(), 16).map_err(|_| Odd {
                line: number,
                reason: format!("expected a byte in hexadecimal, found {value:?}"),
            })?;
            match (field, name.is_empty()) {
                ("CLA" | "INS" | "P1" | "P2", false) => header.push(value),
                // The lengths follow from the bytes.
                ("Lc" | "Le", false) => {}
                ("Lc", true) => sent.push(value),
                ("Le", true) => received.push(value),
                ("SW1" | "SW2", false) => status.push(value),
                _ => {
                    return Err(Odd {
                        line: number,
                        reason: format!("expected no more bytes after {field}"),
                    });
                }
            }
        }
        let mut command = header;
        let reason = || format!("expected at most 255 bytes of data, found {}", sent.len());
        let length = u8::try_from(sent.len()).map_err(|_| Odd { line: number, reason: reason() })?;
        if length > 0 {
            command.push(length);
            command.extend(&sent);
        }
        command.push(0);
        conversation.command(number, &command)?;
        conversation.answer(number, &[received, status].concat())?;
    }
    Ok(())
}
