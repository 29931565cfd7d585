//! What `scriptor` (pcsc-tools) prints: `> 00 A4 ..` and `< 90 00 : Normal processing.`, an
//! answer over as many lines as it needs.

use crate::air::trace::importer::{Conversation, Importer, Odd, hex, lines};

/// This importer.
pub(in crate::air::trace) const IMPORTER: Importer = Importer {
    name: "scriptor",
    about: "what scriptor of pcsc-tools prints",
    fits: |text| {
        text.lines().any(|line| line.starts_with("> ")) && text.lines().any(|line| line.starts_with("< "))
    },
    read,
};

fn read(text: &str, conversation: &mut Conversation) -> Result<(), Odd> {
    // An answer that goes on in the next line.
    let mut open: Option<(usize, String)> = None;
    for (number, line) in lines(text) {
        if let Some(command) = line.strip_prefix("> ") {
            open = None;
            if command.trim() != "RESET" {
                conversation.command(number, &hex(number, command)?)?;
            }
        } else if let Some(atr) = line.strip_prefix("< OK: ") {
            conversation.reset(&hex(number, atr)?);
        } else if let Some(answer) = line.strip_prefix("< ") {
            open = Some((number, answer.to_owned()));
        } else if let Some((_, answer)) = &mut open {
            answer.push(' ');
            answer.push_str(&line);
        }
        // Words about the status word end it.
        if let Some((at, answer)) = &open
            && let Some((bytes, _)) = answer.split_once(" :")
        {
            conversation.answer(*at, &hex(*at, bytes)?)?;
            open = None;
        }
    }
    Ok(())
}
