//! The speed of a PN532's line: asked at each that the chip has, where a user names the device.

use super::Finding;
use crate::air::link::LinkError;
use crate::air::link::pn532::{Line, Pn532, SPEED, open_line};

/// The speeds of the chip, Bd, the one that it begins with first (PN532 user manual, 7.2.9).
const SPEEDS: &[u32] = &[SPEED, 9_600, 19_200, 38_400, 57_600, 230_400, 460_800, 921_600];

/// Looks for a PN532 at a serial device.
pub fn probe_speed(path: &str) -> Finding {
    probe(path, |speed| open_line(path, speed))
}

/// Looks for a PN532 on the line that `open` opens at a speed.
fn probe<L: Line + 'static>(path: &str, open: impl Fn(u32) -> Result<L, LinkError>) -> Finding {
    for speed in SPEEDS {
        let line = match open(*speed) {
            Ok(line) => line,
            Err(LinkError::Unavailable { missing, remedy }) => {
                return Finding::trouble("chip-line", missing, remedy);
            }
            Err(error) => return Finding::trouble("chip-line", error.to_string(), "name another device"),
        };
        match (Pn532::wake(line, path), *speed) {
            (Err(_), _) => {}
            (Ok(_), SPEED) => return Finding::fine("chip", format!("a PN532 answers at {path}, {SPEED} Bd")),
            (Ok(_), speed) => {
                return Finding::trouble(
                    "chip-speed",
                    format!("the PN532 at {path} speaks {speed} Bd, not the {SPEED} Bd that it begins with"),
                    "take its power away and give it back: another program has changed its speed",
                );
            }
        }
    }
    Finding::trouble(
        "chip-silent",
        format!("nothing at {path} answers as a PN532 does, at any of its speeds"),
        "both switches of the board to HSU (off), TXD to RXD and RXD to TXD, GND to GND, 3.3 V; then take its power \
         away and give it back",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::link::diagnosis::Grade;
    use crate::air::link::pn532::Frame;
    use std::io;
    use std::time::Duration;

    /// A line whose chip speaks one speed: what comes at another is noise to either.
    struct Board {
        understands: bool,
        answers: Vec<u8>,
    }

    impl Line for Board {
        fn read(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
            let count = self.answers.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.answers[..count]);
            self.answers.drain(..count);
            Ok(count)
        }

        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            let answer = match bytes {
                _ if !self.understands => return Ok(()),
                [0x00, 0x00, 0xFF, _, _, 0xD4, 0x14, ..] => vec![0x15],
                [0x00, 0x00, 0xFF, _, _, 0xD4, 0x02, ..] => vec![0x03, 0x32, 0x01, 0x06, 0x07],
                _ => return Ok(()),
            };
            self.answers.extend(Frame::Ack.to_bytes());
            self.answers.extend(Frame::Answer(answer).to_bytes());
            Ok(())
        }
    }

    fn probed(speaks: u32) -> Finding {
        probe("/dev/ttyUSB0", |speed| Ok(Board { understands: speed == speaks, answers: Vec::new() }))
    }

    #[test]
    fn a_chip_is_found_at_the_speed_that_it_speaks() {
        let found = probed(115_200);
        assert_eq!((found.grade, found.kind), (Grade::Fine, "chip"));
        let found = probed(9_600);
        assert_eq!((found.grade, found.kind), (Grade::Trouble, "chip-speed"));
        assert!(found.what.contains("speaks 9600 Bd"), "{}", found.what);
        assert_eq!(probed(1).kind, "chip-silent");
    }

    #[test]
    fn a_line_that_cannot_be_opened_is_not_asked_again() {
        let found = probe_speed("/nowhere/ttyUSB0");
        assert_eq!(found.kind, "chip-line");
        assert!(found.what.contains("/nowhere/ttyUSB0") && found.remedy.is_some());
    }
}
