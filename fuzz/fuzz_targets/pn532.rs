//! Any bytes on a line to a PN532 are frames or noise, and any frame a command or none.
#![no_main]

use cardwright::air::link::pn532::command::COMMANDS;
use cardwright::air::link::pn532::{Deframer, Found, Frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut deframer = Deframer::default();
    for piece in data.chunks(7) {
        deframer.push(piece);
        while let Some(found) = deframer.next_frame() {
            let Found::Frame(frame) = found else { continue };
            assert!(!frame.to_bytes().is_empty());
            let (Frame::Command(inner) | Frame::Answer(inner)) = frame else { continue };
            let Some((code, rest)) = inner.split_first() else { continue };
            for row in COMMANDS.iter().filter(|row| row.code == code & !1) {
                let _ = ((row.again)(rest), (row.answer_again)(rest));
            }
        }
    }
    while deframer.quiet() {
        while deframer.next_frame().is_some() {}
    }
});
