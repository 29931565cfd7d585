//! A recording as a script: its commands, and the status words that they were answered
//! with. Answers themselves are not expected: the next card has its own data.

use super::explain::{command_words, response_words, visible};
use crate::air::trace::Trace;
use crate::base::bytes::Hex;
use crate::words::decode::Explainer;
use crate::words::iso7816::ResponseApdu;

/// The format's name.
pub(super) const NAME: &str = "trace_script";

/// The recording as the text of an `.apdu` file. Card data is as it is: mask it first
/// ([`Trace::masked`]) where it must not be seen.
pub fn trace_script(trace: &Trace) -> String {
    let header = &trace.header;
    let mut out = format!("# {}\n", visible(&header.place));
    if header.masked {
        out.push_str("# Card data is masked: numbers are pseudonyms, and a PIN is zeros.\n");
    }
    out.push_str("\ncase recorded\n");
    let mut explainer = Explainer::unmasked();
    let mut events = trace.events.iter().enumerate().filter(|(_, event)| event.is_reset()).peekable();
    for exchange in trace.exchanges() {
        while events.next_if(|(index, _)| *index < exchange.event).is_some() {
            explainer = Explainer::unmasked();
            out.push_str("\nreset\n");
        }
        let words = command_words(exchange.command, &mut explainer).unwrap_or_default();
        out.push_str(&format!("\n# {}\n{}\n", visible(&words), Hex(exchange.command)));
        let Some((_, answer)) = exchange.answer else { continue };
        response_words(answer, &mut explainer);
        if let Ok(response) = ResponseApdu::parse(answer) {
            out.push_str(&format!("expect {}\n", Hex(&response.status.0.to_be_bytes())));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::trace::import;

    #[test]
    fn commands_and_status_words_in_order() {
        let log = "R:3B00\nC:80CA9F3600:9000:9F36020007\nR:3B00\nC:80CA9F1700:6A88:\n";
        let (_, trace) = import(log, None, "a log").unwrap();
        let expected = "\
# a log, as cardpeek wrote it

case recorded

# GET DATA: 9F36 Application Transaction Counter (ATC)
80CA9F3600
expect 9000

reset

# GET DATA: 9F17 Personal Identification Number (PIN) Try Counter
80CA9F1700
expect 6A88
";
        assert_eq!(trace_script(&trace), expected);
    }
}
