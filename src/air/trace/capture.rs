//! A recording as a capture that Wireshark opens: pcapng (IETF draft
//! draft-ietf-opsawg-pcapng), a packet for each command and each answer.

use super::{Trace, TraceEvent};

/// Link type USER0: what is in a packet is agreed on by those who use it, here a byte of
/// direction (0 to the card, 1 from it) and an APDU.
const LINK_TYPE: u16 = 147;
const TO_CARD: u8 = 0;
const FROM_CARD: u8 = 1;

/// Types of blocks.
const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// Codes of options.
const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const PACKET_FLAGS: u16 = 2;
/// A text's bytes at most; an option has its length in two bytes.
const LONGEST_OPTION: usize = 4096;

impl Trace {
    /// The recording as pcapng. What was said between two exchanges is a comment of the packet
    /// after it. Card data is as it is in the recording.
    pub fn to_pcapng(&self) -> Vec<u8> {
        let mut out = section_header(&format!("cardwright {}", env!("CARGO_PKG_VERSION")));
        out.extend(interface_description(&self.header.place));
        let mut comments: Vec<String> = Vec::new();
        for event in &self.events {
            let packet = match (event.command_bytes(), event.response_bytes()) {
                (Some(bytes), _) => Some((TO_CARD, bytes)),
                (None, bytes) => bytes.map(|bytes| (FROM_CARD, bytes)),
            };
            match packet {
                Some((direction, apdu)) => {
                    out.extend(packet_block(event.at.micros(), direction, apdu, &comments.join("\n")));
                    comments.clear();
                }
                None => comments.push(comment(event)),
            }
        }
        out
    }
}

fn comment(event: &TraceEvent) -> String {
    match event.reason.as_str() {
        "" => format!("{} {}", event.speaker, event.name),
        reason => format!("{} {}: {reason}", event.speaker, event.name),
    }
}

fn section_header(program: &str) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(0x1A2B_3C4D_u32.to_le_bytes());
    body.extend(1_u16.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    // The section's length is not told.
    body.extend((-1_i64).to_le_bytes());
    text_option(&mut body, USER_APPLICATION, program);
    end_of_options(&mut body);
    block(SECTION_HEADER, &body)
}

/// Times are in microseconds where no option says otherwise.
fn interface_description(place: &str) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(LINK_TYPE.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    // No packet is cut.
    body.extend(0_u32.to_le_bytes());
    text_option(&mut body, INTERFACE_NAME, place);
    end_of_options(&mut body);
    block(INTERFACE_DESCRIPTION, &body)
}

fn packet_block(micros: i64, direction: u8, apdu: &[u8], comment: &str) -> Vec<u8> {
    const INBOUND: u32 = 1;
    const OUTBOUND: u32 = 2;
    // A time before 1970 is no time of a capture.
    let micros = u64::try_from(micros).unwrap_or(0);
    let length = u32::try_from(apdu.len() + 1).unwrap_or(u32::MAX);
    let mut body = Vec::new();
    body.extend(0_u32.to_le_bytes());
    body.extend(((micros >> 32) as u32).to_le_bytes());
    body.extend((micros as u32).to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(length.to_le_bytes());
    body.push(direction);
    body.extend(apdu);
    pad(&mut body);
    let flags = if direction == TO_CARD { OUTBOUND } else { INBOUND };
    option(&mut body, PACKET_FLAGS, &flags.to_le_bytes());
    if !comment.is_empty() {
        text_option(&mut body, COMMENT, comment);
    }
    end_of_options(&mut body);
    block(ENHANCED_PACKET, &body)
}

/// Type, length, body, length; the body is whole words.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &length].concat()
}

/// Texts are UTF-8 up to their last letter.
fn text_option(body: &mut Vec<u8>, code: u16, text: &str) {
    option(body, code, &text.as_bytes()[..text.floor_char_boundary(LONGEST_OPTION)]);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend(END_OF_OPTIONS.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::trace::TraceHeader;
    use crate::base::env::Timestamp;
    use crate::base::event::Event;

    #[test]
    fn blocks_are_whole_words_with_their_length_at_both_ends() {
        let mut events = vec![
            Event::new("terminal", "step").because("x".repeat(70_000)),
            Event::new("link", "command").with_named("C-APDU", [0x80, 0xCA, 0x9F, 0x36, 0x00]),
            Event::new("link", "response").with_named("R-APDU", [0x90, 0x00]),
        ];
        events[1].at = Timestamp::from_micros(-5);
        events[2].at = Timestamp::from_micros(0x1_0000_0002);
        let events = events.into_iter().map(TraceEvent::from).collect();
        let trace = Trace { header: TraceHeader::new(Timestamp::default(), "sim:x"), events, cut: false };
        let bytes = trace.to_pcapng();
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let (mut at, mut kinds) = (0, Vec::new());
        while at < bytes.len() {
            let length = word(at + 4) as usize;
            assert!(length.is_multiple_of(4) && word(at + length - 4) as usize == length, "at {at}");
            kinds.push((word(at), at));
            at += length;
        }
        let names: Vec<u32> = kinds.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(names, [SECTION_HEADER, INTERFACE_DESCRIPTION, ENHANCED_PACKET, ENHANCED_PACKET]);
        let answer = kinds[3].1;
        assert_eq!((word(answer + 12), word(answer + 16), word(answer + 20)), (1, 2, 3));
        assert_eq!(bytes[answer + 28..answer + 31], [FROM_CARD, 0x90, 0x00]);
    }
}
