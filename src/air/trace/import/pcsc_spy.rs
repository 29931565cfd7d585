//! What `pcsc-spy` prints: each call of a PC/SC program with what went in and came out, bytes
//! in rows of sixteen with their offset before them and their characters behind.

use crate::air::trace::importer::{Conversation, Importer, Odd, hex, lines};

/// This importer.
pub(in crate::air::trace) const IMPORTER: Importer = Importer {
    name: "pcsc-spy",
    about: "what pcsc-spy prints of a PC/SC program",
    fits: |text| text.contains("SCardTransmit") && text.contains("bSendBuffer"),
    read,
};

/// Where the bytes of a row stand: behind offset and space, two digits and a space each.
const BYTES: std::ops::Range<usize> = 5..5 + 16 * 3 - 1;

/// What the rows of bytes belong to.
#[derive(Clone, Copy, PartialEq)]
enum Rows {
    None,
    Sent,
    Received,
}

fn read(text: &str, conversation: &mut Conversation) -> Result<(), Odd> {
    let (mut function, mut rows) = (String::new(), Rows::None);
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    let (mut atr, mut was_reset) = (Vec::new(), false);
    for (number, line) in lines(text) {
        // A second thread is indented.
        let line = line.trim_start();
        if line.starts_with("SCar") {
            function = line.trim().to_owned();
            (sent, received, rows) = (Vec::new(), Vec::new(), Rows::None);
            was_reset |= function == "SCardReconnect";
        } else if let Some(rest) = line.strip_prefix("i ").or_else(|| line.strip_prefix("o ")) {
            match rest.trim_end() {
                "bSendBuffer" => rows = Rows::Sent,
                "bRecvBuffer" => rows = Rows::Received,
                row if row.starts_with(' ') => {
                    let bytes = row
                        .trim_start()
                        .get(BYTES)
                        .unwrap_or_else(|| row.trim_start().get(5..).unwrap_or(""));
                    match rows {
                        Rows::Sent => sent.extend(hex(number, bytes)?),
                        Rows::Received => received.extend(hex(number, bytes)?),
                        Rows::None => {}
                    }
                }
                other => {
                    rows = Rows::None;
                    if let Some(bytes) = other.strip_prefix("bAtr ").filter(|bytes| *bytes != "NULL") {
                        atr = hex(number, bytes)?;
                        if std::mem::take(&mut was_reset) {
                            conversation.reset(&atr);
                        }
                    }
                }
            }
        } else if line.starts_with("=>") {
            conversation.elapse(micros(line));
            if function == "SCardTransmit" && !sent.is_empty() {
                if std::mem::take(&mut was_reset) {
                    conversation.reset(&atr);
                }
                conversation.command(number, &sent)?;
                if !received.is_empty() {
                    conversation.answer(number, &received)?;
                }
            }
            function.clear();
        }
    }
    Ok(())
}

/// How long a call took: seconds with six places, in the last brackets.
fn micros(line: &str) -> u64 {
    let inside = line.rsplit_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inside, _)| inside);
    let digits = inside
        .and_then(|text| text.split_once('.'))
        .map(|(seconds, places)| format!("{seconds}{places:0<6.6}"));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
