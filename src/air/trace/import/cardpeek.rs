//! What cardpeek keeps of a card to play it again (`.cpe`): `R:ATR` and `C:command:SW:data`.

use crate::air::trace::importer::{Conversation, Importer, Odd, hex, lines};

/// This importer.
pub(in crate::air::trace) const IMPORTER: Importer = Importer {
    name: "cardpeek",
    about: "a file in which cardpeek keeps a card's answers",
    fits: |text| {
        text.starts_with("# cardpeek")
            || text.lines().any(|line| line.starts_with("C:") && line.matches(':').count() == 3)
    },
    read,
};

fn read(text: &str, conversation: &mut Conversation) -> Result<(), Odd> {
    for (number, line) in lines(text) {
        if let Some(atr) = line.strip_prefix("R:") {
            conversation.reset(&hex(number, atr)?);
        } else if let Some(exchange) = line.strip_prefix("C:") {
            let parts: Vec<&str> = exchange.split(':').collect();
            let [command, status, data] = parts[..] else {
                let reason = format!("expected C:command:status word:data, found {} parts", parts.len());
                return Err(Odd { line: number, reason });
            };
            conversation.command(number, &hex(number, command)?)?;
            conversation.answer(number, &[hex(number, data)?, hex(number, status)?].concat())?;
        }
    }
    Ok(())
}
