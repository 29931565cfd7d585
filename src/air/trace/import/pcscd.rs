//! What `pcscd --foreground --debug --apdu` prints: microseconds since the line before, then
//! `APDU: ..` or `SW: ..`.

use crate::air::trace::importer::{Conversation, Importer, Odd, hex, lines};

/// This importer.
pub(in crate::air::trace) const IMPORTER: Importer = Importer {
    name: "pcscd",
    about: "what pcscd prints with --foreground --debug --apdu",
    fits: |text| {
        text.lines().any(|line| line.contains(COMMAND)) && text.lines().any(|line| line.contains(ANSWER))
    },
    read,
};

const COMMAND: &str = " APDU: ";
const ANSWER: &str = " SW: ";
const ATR: &str = "Card ATR: ";
/// Digits of the microseconds.
const DIGITS: usize = 8;

fn read(text: &str, conversation: &mut Conversation) -> Result<(), Odd> {
    for (number, line) in lines(text) {
        conversation.elapse(since_the_line_before(&line));
        if let Some((_, bytes)) = line.split_once(COMMAND) {
            conversation.command(number, &hex(number, bytes)?)?;
        } else if let Some((_, bytes)) = line.split_once(ANSWER) {
            conversation.answer(number, &hex(number, bytes)?)?;
        } else if let Some((_, bytes)) = line.split_once(ATR) {
            conversation.reset(&hex(number, bytes)?);
        }
    }
    Ok(())
}

/// A log by way of syslog has its own head before them.
fn since_the_line_before(line: &str) -> u64 {
    let is_time = |word: &&str| word.len() >= DIGITS && word.bytes().all(|byte| byte.is_ascii_digit());
    line.split(' ').find(is_time).and_then(|word| word.parse().ok()).unwrap_or(0)
}
