//! Frames on the line between host and chip (PN532 user manual, 6.2.1): how they are written,
//! and how they are found again among noise. What they carry is others' business.

/// TFI of what the host says.
const FROM_HOST: u8 = 0xD4;
/// TFI of what the chip says.
const FROM_CHIP: u8 = 0xD5;
/// The only byte of an error frame.
const SYNTAX_ERROR: u8 = 0x7F;
const START: [u8; 2] = [0x00, 0xFF];
/// The most data behind the TFI: 264 bytes and the code.
const LONGEST: usize = 0x0109;
/// The longest normal frame.
const LONGEST_NORMAL: usize = 0xFF;

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The last frame has come.
    Ack,
    /// The last frame has come broken: it is wanted again.
    Nack,
    /// The chip does not know the command.
    Error,
    /// A command: its code and its parameters.
    Command(Vec<u8>),
    /// An answer: its code and what it says.
    Answer(Vec<u8>),
}

impl Frame {
    /// Its bytes, preamble and postamble included.
    pub fn to_bytes(&self) -> Vec<u8> {
        let inner = match self {
            Self::Ack => return vec![0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00],
            Self::Nack => return vec![0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00],
            Self::Error => vec![SYNTAX_ERROR],
            Self::Command(data) => [&[FROM_HOST], data.as_slice()].concat(),
            Self::Answer(data) => [&[FROM_CHIP], data.as_slice()].concat(),
        };
        let mut bytes = vec![0x00, 0x00, 0xFF];
        let length = inner.len();
        if length <= LONGEST_NORMAL {
            bytes.extend([length as u8, (length as u8).wrapping_neg()]);
        } else {
            let [high, low] = (length as u16).to_be_bytes();
            bytes.extend([0xFF, 0xFF, high, low, high.wrapping_add(low).wrapping_neg()]);
        }
        bytes.extend_from_slice(&inner);
        bytes.extend([sum(&inner).wrapping_neg(), 0x00]);
        bytes
    }
}

/// What is found on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A frame.
    Frame(Frame),
    /// A frame whose check sum is wrong.
    Broken,
}

/// Finds frames among the bytes that come.
#[derive(Debug, Clone, Default)]
pub struct Deframer {
    bytes: Vec<u8>,
}

impl Deframer {
    /// Takes what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, once all of it is there.
    pub fn next_frame(&mut self) -> Option<Found> {
        loop {
            let Some(start) = self.bytes.windows(2).position(|pair| pair == START) else {
                // The last byte may begin a start code.
                let keep = usize::from(self.bytes.last() == Some(&START[0]));
                self.bytes.drain(..self.bytes.len() - keep);
                return None;
            };
            self.bytes.drain(..start);
            match measure(&self.bytes[2..]) {
                Measured::Short => return None,
                Measured::Noise => self.skip_start(),
                Measured::Bare(frame) => {
                    self.bytes.drain(..4);
                    return Some(Found::Frame(frame));
                }
                Measured::Data { from, length } => {
                    let (from, to) = (2 + from, 2 + from + length);
                    let check = self.bytes.get(to).copied()?;
                    let inner = &self.bytes[from..to];
                    if sum(inner).wrapping_add(check) != 0 {
                        self.skip_start();
                        return Some(Found::Broken);
                    }
                    match frame_of(inner) {
                        Some(frame) => {
                            self.bytes.drain(..=to);
                            return Some(Found::Frame(frame));
                        }
                        None => self.skip_start(),
                    }
                }
            }
        }
    }

    /// The line has been quiet: a frame that is half there will not become whole, and what
    /// came behind its beginning may be one by itself.
    pub fn quiet(&mut self) -> bool {
        let was_waiting = self.bytes.len() > 1;
        if was_waiting {
            self.skip_start();
        }
        was_waiting
    }

    /// Forgets what has come.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    fn skip_start(&mut self) {
        self.bytes.drain(..self.bytes.len().min(START.len()));
    }
}

enum Measured {
    /// More bytes are needed to say.
    Short,
    /// No frame begins like that.
    Noise,
    /// A frame without data.
    Bare(Frame),
    /// Data that begin there, behind the start code.
    Data { from: usize, length: usize },
}

/// What the bytes behind a start code announce.
fn measure(bytes: &[u8]) -> Measured {
    match bytes {
        [] | [_] => Measured::Short,
        [0x00, 0xFF, ..] => Measured::Bare(Frame::Ack),
        [0xFF, 0x00, ..] => Measured::Bare(Frame::Nack),
        [0xFF, 0xFF] | [0xFF, 0xFF, _] | [0xFF, 0xFF, _, _] => Measured::Short,
        [0xFF, 0xFF, high, low, check, ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            match high.wrapping_add(*low).wrapping_add(*check) {
                0 if (1..=LONGEST).contains(&length) => Measured::Data { from: 5, length },
                _ => Measured::Noise,
            }
        }
        [length, check, ..] if length.wrapping_add(*check) == 0 && *length > 0 => {
            Measured::Data { from: 2, length: usize::from(*length) }
        }
        _ => Measured::Noise,
    }
}

fn frame_of(inner: &[u8]) -> Option<Frame> {
    match inner {
        [SYNTAX_ERROR] => Some(Frame::Error),
        [FROM_HOST, data @ ..] if !data.is_empty() => Some(Frame::Command(data.to_vec())),
        [FROM_CHIP, data @ ..] if !data.is_empty() => Some(Frame::Answer(data.to_vec())),
        _ => None,
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<Found> {
        let mut deframer = Deframer::default();
        deframer.push(bytes);
        std::iter::from_fn(|| deframer.next_frame()).collect()
    }

    fn command(bytes: &[u8]) -> Frame {
        Frame::Command(bytes.to_vec())
    }

    #[test]
    fn what_libraries_send_is_found() {
        // libnfc's first words, the wake-up before them, and the chip's acknowledgement.
        let line =
            "5555 00000000000000000000000000000000 0000FF03FDD414011700 0000FF00FF00 0000FF02FED5151600";
        let expected = [command(&[0x14, 0x01]), Frame::Ack, Frame::Answer(vec![0x15])].map(Found::Frame);
        assert_eq!(all(&parse_hex(line).unwrap()), expected);
        assert_eq!(command(&[0x14, 0x01]).to_bytes(), parse_hex("0000FF03FDD414011700").unwrap());
        assert_eq!(Frame::Error.to_bytes(), parse_hex("0000FF01FF7F8100").unwrap());
        assert_eq!(all(&Frame::Nack.to_bytes()), [Found::Frame(Frame::Nack)]);
    }

    #[test]
    fn what_is_broken_is_told_and_what_follows_is_found() {
        let mut bytes = command(&[0x02]).to_bytes();
        bytes[5] ^= 1;
        bytes.extend(command(&[0x04]).to_bytes());
        assert_eq!(all(&bytes), [Found::Broken, Found::Frame(command(&[0x04]))]);
        for noise in ["00FF", "00FF05", "0000FF05FA", "00FFFFFF0300FE", "00FF0101", "72", "00FF01FF55AB"] {
            let bytes = [parse_hex(noise).unwrap(), command(&[0x02]).to_bytes()].concat();
            let mut deframer = Deframer::default();
            deframer.push(&bytes);
            let mut found = Vec::new();
            for _ in 0..9 {
                found.extend(std::iter::from_fn(|| deframer.next_frame()));
                deframer.quiet();
            }
            assert_eq!(found.last(), Some(&Found::Frame(command(&[0x02]))), "{noise}");
        }
    }

    proptest! {
        #[test]
        fn a_frame_of_any_length_is_found_however_it_comes(
            data in prop::collection::vec(any::<u8>(), 1..264), pieces in 1usize..50,
        ) {
            let frame = Frame::Answer(data);
            let mut deframer = Deframer::default();
            let mut found = Vec::new();
            for piece in frame.to_bytes().chunks(pieces) {
                deframer.push(piece);
                found.extend(deframer.next_frame());
            }
            prop_assert_eq!(found, [Found::Frame(frame)]);
        }

        #[test]
        fn any_bytes_are_a_frame_or_none(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut deframer = Deframer::default();
            deframer.push(&bytes);
            while deframer.next_frame().is_some() || deframer.quiet() {}
            deframer.push(&[0, 0]);
            deframer.push(&Frame::Ack.to_bytes());
            prop_assert_eq!(deframer.next_frame(), Some(Found::Frame(Frame::Ack)));
        }
    }
}
