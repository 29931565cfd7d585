//! What libnfc prints with `LIBNFC_LOG_LEVEL=3` of a PN532 on a serial line: `TX:` and `RX:`
//! with the bytes of its frames, in pieces (PN532 user manual 6.2.1).

use crate::air::trace::importer::{Conversation, Importer, Odd, hex, lines};
use crate::words::iso7816::Atr;

/// This importer.
pub(in crate::air::trace) const IMPORTER: Importer = Importer {
    name: "libnfc",
    about: "what libnfc prints of a PN532 with LIBNFC_LOG_LEVEL=3",
    fits: |text| text.contains("libnfc.") && text.lines().any(|line| line.contains(SENT)),
    read,
};

const SENT: &str = "TX: ";
const RECEIVED: &str = "RX: ";
/// More parts of the same data follow, in the byte before them.
const MORE: u8 = 0x40;
/// Commands of the chip and their answers (PN532 user manual 7).
const IN_DATA_EXCHANGE: u8 = 0x40;
const IN_LIST_PASSIVE_TARGET: u8 = 0x4A;

fn read(text: &str, conversation: &mut Conversation) -> Result<(), Odd> {
    let (mut command, mut answer, mut stream) = (Vec::new(), Vec::new(), Vec::new());
    conversation.over("contactless");
    for (number, line) in lines(text) {
        if let Some((_, bytes)) = line.split_once(SENT) {
            // What came before belongs to the command before.
            stream.clear();
            let mut sent = hex(number, bytes)?;
            for frame in frames(&mut sent) {
                if let [0xD4, IN_DATA_EXCHANGE, target, data @ ..] = &frame[..] {
                    command.extend(data);
                    if target & MORE == 0 && !command.is_empty() {
                        conversation.command(number, &std::mem::take(&mut command))?;
                        answer.clear();
                    }
                }
            }
        } else if let Some((_, bytes)) = line.split_once(RECEIVED) {
            stream.extend(hex(number, bytes)?);
            for frame in frames(&mut stream) {
                match &frame[..] {
                    [0xD5, code, status, data @ ..] if *code == IN_DATA_EXCHANGE + 1 => {
                        answer.extend(data);
                        if status & MORE == 0 && answer.len() >= 2 {
                            conversation.answer(number, &std::mem::take(&mut answer))?;
                        }
                    }
                    [0xD5, code, found, target @ ..] if *code == IN_LIST_PASSIVE_TARGET + 1 && *found > 0 => {
                        if let Some(historical) = historical(target) {
                            conversation.reset(&Atr::contactless(historical));
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// Takes the whole frames off the beginning of a stream: what is between length and checksum.
fn frames(stream: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut taken = 0;
    while let Some(begin) =
        stream[at..].windows(2).position(|two| two == [0x00, 0xFF]).map(|place| at + place + 2)
    {
        let (length, data) = match stream[begin..] {
            // An acknowledgement or its opposite.
            [0x00, 0xFF, ..] | [0xFF, 0x00, ..] => (0, begin + 2),
            [0xFF, 0xFF, high, low, _, ..] => (usize::from(high) << 8 | usize::from(low), begin + 5),
            [length, check, ..] if length.wrapping_add(check) == 0 => (usize::from(length), begin + 2),
            [_, _, ..] => {
                at = begin;
                continue;
            }
            _ => break,
        };
        let Some(frame) = stream.get(data..data + length) else { break };
        if length > 0 {
            found.push(frame.to_vec());
        }
        (at, taken) = (data + length, data + length);
    }
    stream.drain(..taken);
    found
}

/// The historical bytes of the ATS of a target of type A: number, SENS_RES, SEL_RES, length and
/// NFCID1, ATS.
fn historical(target: &[u8]) -> Option<&[u8]> {
    let identifier = usize::from(*target.get(4)?);
    let ats = target.get(5 + identifier..)?;
    let length = usize::from(*ats.first()?);
    let announced = ats.get(1).map_or(0, |t0| (t0 >> 4 & 7).count_ones() as usize);
    let bytes = ats.get(2 + announced..length.min(ats.len()))?;
    Some(&bytes[..bytes.len().min(15)])
}
