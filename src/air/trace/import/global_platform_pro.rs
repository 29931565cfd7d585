//! What GlobalPlatformPro prints with `-d`: `A>> T=1 (4+0008) 00A40400 08 ..` and
//! `A<< (0018+2) (26ms) .. 9000`.

use crate::air::trace::importer::{Conversation, Importer, Odd, hex, lines};

/// This importer.
pub(in crate::air::trace) const IMPORTER: Importer = Importer {
    name: "gp",
    about: "what GlobalPlatformPro prints with --debug",
    fits: |text| text.lines().any(|line| line.starts_with(COMMAND)),
    read,
};

const COMMAND: &str = "A>> ";
const ANSWER: &str = "A<< ";
const CONNECTED: &str = "SCardConnect(";

fn read(text: &str, conversation: &mut Conversation) -> Result<(), Odd> {
    for (number, line) in lines(text) {
        if line.starts_with(COMMAND) {
            conversation.command(number, &behind_brackets(number, &line)?)?;
        } else if line.starts_with(ANSWER) {
            conversation.elapse(milliseconds(&line).saturating_mul(1000));
            conversation.answer(number, &behind_brackets(number, &line)?)?;
        } else if line.contains(CONNECTED)
            && let Some((_, atr)) = line.rsplit_once(", ")
        {
            conversation.reset(&hex(number, atr)?);
        }
    }
    Ok(())
}

/// What stands behind the last bracket.
fn behind_brackets(number: usize, line: &str) -> Result<Vec<u8>, Odd> {
    let reason = || "expected lengths in brackets and bytes behind them".to_owned();
    let (_, bytes) = line.rsplit_once(')').ok_or_else(|| Odd { line: number, reason: reason() })?;
    hex(number, bytes)
}

fn milliseconds(line: &str) -> u64 {
    let inside = line.split_once("ms)").and_then(|(before, _)| before.rsplit_once('('));
    inside.and_then(|(_, digits)| digits.parse().ok()).unwrap_or(0)
}
