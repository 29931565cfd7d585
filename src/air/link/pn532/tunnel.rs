//! The PN532 inside a PC/SC reader (ACS ACR122U), reached by commands to the reader: a line like a
//! serial one, whose frames travel one by one. A command that the reader has taken cannot be
//! taken back: its answer is dropped when it comes.

use super::{Deframer, Found, Frame, Line};
use crate::air::link::LinkError;
use crate::air::link::pcsc::ReaderItself;
use std::io::{self, ErrorKind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// FF 00 00 00 Lc: what follows goes to the chip (ACR122U API, direct transmit).
const DIRECT_TRANSMIT: [u8; 4] = [0xFF, 0x00, 0x00, 0x00];
/// GET RESPONSE to the reader, after 61 nn.
const GET_RESPONSE: [u8; 4] = [0xFF, 0xC0, 0x00, 0x00];
/// The reader's firmware; answered without a status word.
const GET_FIRMWARE: [u8; 5] = [0xFF, 0x00, 0x48, 0x00, 0x00];
/// What a reader with such a chip says first.
const FIRMWARE: &[u8] = b"ACR122";
/// Reads the PICC operating parameter, which comes as SW2; and sets it to P2.
const GET_OPERATING: [u8; 5] = [0xFF, 0x00, 0x50, 0x00, 0x00];
const SET_OPERATING: [u8; 3] = [0xFF, 0x00, 0x51];
/// The bit by which the reader itself looks for cards.
const AUTO_POLLING: u8 = 0x80;
/// TFI of what the chip is told, and of what it says.
const FROM_HOST: u8 = 0xD4;
const FROM_CHIP: u8 = 0xD5;
/// The longest command, TFI included, as Lc is one byte.
const LONGEST: usize = 255;
/// The most data in one command behind code and target, and in its answer.
const MOST: usize = LONGEST - 3;
/// How long the reader may take to be put back as it was.
const PARTING: Duration = Duration::from_secs(1);

/// Says a command to a reader and gives its answer.
type Tell = Box<dyn FnMut(&[u8]) -> Result<Vec<u8>, LinkError> + Send>;

/// The line.
pub(super) struct Tunnel {
    asked: Option<Sender<(u32, Vec<u8>)>>,
    answers: Receiver<(u32, Result<Frame, LinkError>)>,
    deframer: Deframer,
    /// What the host has not read yet.
    ready: Vec<u8>,
    /// The last answer, for a host that did not get it whole.
    last: Vec<u8>,
    /// The number of the command whose answer is wanted.
    turn: u32,
}

impl Tunnel {
    /// Opens the line to the chip in the reader whose name holds `part`.
    ///
    /// # Errors
    /// There is none, or it has no such chip.
    pub(super) fn open(part: &str) -> Result<Self, LinkError> {
        let mut reader = ReaderItself::find(part)?;
        let name = reader.name();
        Self::over(&name, Box::new(move |command| reader.tell(command)))
    }

    fn over(name: &str, mut tell: Tell) -> Result<Self, LinkError> {
        let firmware = tell(&GET_FIRMWARE)?;
        if !firmware.starts_with(FIRMWARE) {
            return Err(LinkError::Unavailable {
                missing: format!("{name} does not say that it is an ACR122U with a PN532 inside"),
                remedy: format!(
                    "use it as a reader, --reader 'pcsc:{name}'; for a board name its device, pn532:DEVICE"
                ),
            });
        }
        // Its own search would take the field and the card from ours.
        let before = match tell(&GET_OPERATING)?.as_slice() {
            [0x90, parameter] => Some(*parameter),
            _ => None,
        };
        if let Some(parameter) = before {
            tell(&operating(parameter & !AUTO_POLLING))?;
        }
        let (asked, commands) = channel::<(u32, Vec<u8>)>();
        let (answer, answers) = channel();
        std::thread::spawn(move || {
            for (turn, command) in commands {
                if answer.send((turn, through(&mut tell, &command))).is_err() {
                    break;
                }
            }
            if let Some(parameter) = before {
                // Where the reader is gone, there is nothing to put back.
                let _ = tell(&operating(parameter));
            }
        });
        let (deframer, ready, last) = Default::default();
        Ok(Self { asked: Some(asked), answers, deframer, ready, last, turn: 0 })
    }

    fn take(&mut self, frame: Frame) -> io::Result<()> {
        match frame {
            Frame::Command(data) if data.len() < LONGEST => {
                self.turn = self.turn.wrapping_add(1);
                self.ready = Frame::Ack.to_bytes();
                let asked = self.asked.as_ref().map(|asked| asked.send((self.turn, data)));
                asked.and_then(Result::ok).ok_or_else(|| ErrorKind::BrokenPipe.into())
            }
            Frame::Command(_) => Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("the reader takes commands to its chip of {LONGEST} bytes at most"),
            )),
            // The host has given up what runs.
            Frame::Ack => {
                self.turn = self.turn.wrapping_add(1);
                Ok(())
            }
            Frame::Nack => {
                self.ready = self.last.clone();
                Ok(())
            }
            Frame::Answer(_) | Frame::Error => Ok(()),
        }
    }
}

impl Line for Tunnel {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.ready.is_empty() {
            match self.answers.recv_timeout(timeout) {
                Ok((turn, _)) if turn != self.turn => return Ok(0),
                Ok((_, Ok(frame))) => {
                    self.last = frame.to_bytes();
                    self.ready = self.last.clone();
                }
                Ok((_, Err(error))) => return Err(io::Error::other(error)),
                Err(RecvTimeoutError::Timeout) => return Ok(0),
                Err(RecvTimeoutError::Disconnected) => return Err(ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = self.ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.ready[..count]);
        self.ready.drain(..count);
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.deframer.push(bytes);
        while let Some(found) = self.deframer.next_frame() {
            if let Found::Frame(frame) = found {
                self.take(frame)?;
            }
        }
        Ok(())
    }

    fn sleeps(&self) -> bool {
        false
    }

    fn most(&self) -> usize {
        MOST
    }
}

impl Drop for Tunnel {
    /// The reader is put back as it was, before this program ends.
    fn drop(&mut self) {
        self.asked = None;
        while let Ok(_stale) = self.answers.recv_timeout(PARTING) {}
    }
}

/// A command to the chip, and what it answers; a reader that says 63 xx has had no answer of it.
fn through(tell: &mut Tell, command: &[u8]) -> Result<Frame, LinkError> {
    let inner = [&[FROM_HOST], command].concat();
    // A frame's command is shorter than LONGEST.
    let length = u8::try_from(inner.len()).unwrap_or(u8::MAX);
    let mut answer = tell(&[&DIRECT_TRANSMIT[..], &[length], &inner].concat())?;
    if let [0x61, waiting] = answer.as_slice() {
        let ask = [&GET_RESPONSE[..], &[*waiting]].concat();
        answer = tell(&ask)?;
    }
    match answer.as_slice() {
        [FROM_CHIP, data @ .., 0x90, 0x00] if !data.is_empty() => Ok(Frame::Answer(data.to_vec())),
        _ => Ok(Frame::Error),
    }
}

/// Sets the PICC operating parameter.
fn operating(parameter: u8) -> Vec<u8> {
    [&SET_OPERATING[..], &[parameter, 0x00]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::link::pn532::chip::{Chip, UdpAntenna};
    use crate::air::link::pn532::command::{GetFirmwareVersion, InDataExchange};
    use crate::air::link::pn532::line::tests::{Pipe, pipes};
    use crate::air::link::pn532::{Pn532, Pn532Peer};
    use crate::air::link::{Identity, Peer, Polling};
    use crate::base::context::Context;
    use crate::base::event::Discard;
    use crate::words::iso18092::BitRate;
    use std::net::UdpSocket;
    use std::sync::{Arc, Mutex};

    type Told = Arc<Mutex<Vec<Vec<u8>>>>;

    /// A reader that notes what it is told, and hands out its answers in two steps where it can.
    fn reader(in_steps: bool) -> (Tell, Told) {
        let told = Told::default();
        let (noted, mut kept) = (Arc::clone(&told), Vec::new());
        let tell = move |command: &[u8]| {
            noted.lock().unwrap().push(command.to_vec());
            let answer = match command {
                [0xFF, 0x00, 0x48, ..] => return Ok(b"ACR122U210".to_vec()),
                [0xFF, 0x00, 0x50, ..] => return Ok(vec![0x90, 0xFF]),
                [0xFF, 0x00, 0x51, ..] => return Ok(vec![0x90, command[3]]),
                [0xFF, 0xC0, ..] => return Ok(std::mem::take(&mut kept)),
                [0xFF, 0x00, 0x00, 0x00, 0x02, 0xD4, 0x02] => vec![0xD5, 0x03, 0x32, 1, 6, 7, 0x90, 0x00],
                [0xFF, 0x00, 0x00, 0x00, _, 0xD4, 0x40, _, data @ ..] => {
                    std::thread::sleep(Duration::from_millis(if data.is_empty() { 300 } else { 0 }));
                    [&[0xD5, 0x41, 0x00], data, &[0x90, 0x00]].concat()
                }
                _ => vec![0x63, 0x00],
            };
            if !in_steps {
                return Ok(answer);
            }
            kept = answer;
            Ok(vec![0x61, kept.len() as u8])
        };
        (Box::new(tell), told)
    }

    fn chip(in_steps: bool) -> (Pn532, Told) {
        let (tell, told) = reader(in_steps);
        (Pn532::wake(Tunnel::over("ACS", tell).unwrap(), "pcsc:ACS").unwrap(), told)
    }

    #[test]
    fn commands_and_answers_go_through_a_reader() {
        const LONG: Duration = Duration::from_secs(5);
        for in_steps in [false, true] {
            let (mut chip, told) = chip(in_steps);
            assert_eq!(chip.most(), 252);
            for length in [1, 250, 252] {
                let data = vec![7; length];
                let answer = chip.call(&InDataExchange { target: 1, data: data.clone() }, LONG).unwrap();
                assert_eq!(answer.data, data);
            }
            let too_long = InDataExchange { target: 1, data: vec![7; 253] };
            assert!(chip.call(&too_long, LONG).unwrap_err().to_string().contains("255 bytes at most"));
            drop(chip);
            let told = told.lock().unwrap();
            let operating: Vec<u8> = told.iter().filter(|told| told[2] == 0x51).map(|told| told[3]).collect();
            assert_eq!(operating, [0x7F, 0xFF], "its own search is off meanwhile, and on again");
            assert!(!told.iter().any(|told| told[5..].starts_with(&[0xD4, 0x14])), "it sleeps in no reader");
        }
    }

    #[test]
    fn an_answer_that_was_given_up_is_not_the_next_ones() {
        let (mut chip, _) = chip(false);
        let slow = InDataExchange { target: 1, data: Vec::new() };
        assert!(matches!(chip.call(&slow, Duration::from_millis(50)), Err(LinkError::Timeout { .. })));
        let version = chip.call(&GetFirmwareVersion, Duration::from_secs(5)).unwrap();
        assert_eq!(version.chip, 0x32);
    }

    #[test]
    fn a_reader_of_another_make_is_refused() {
        let other: Tell = Box::new(|_| Ok(vec![0x6D, 0x00]));
        let error = Tunnel::over("HID OMNIKEY", other).err().unwrap().to_string();
        assert!(error.contains("HID OMNIKEY") && error.contains("--reader 'pcsc:"), "{error}");
    }

    /// The chip in a reader speaks NFC-DEP with another chip, from either side.
    #[test]
    fn a_chip_in_a_reader_is_a_peer() {
        const WAIT: Duration = Duration::from_secs(10);
        for inside_begins in [true, false] {
            // Nobody has a port that was just let go.
            let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
            let inside =
                Pn532::wake(Tunnel::over("ACS", around(chip_on(&address))).unwrap(), "inside").unwrap();
            let outside = Pn532::wake(chip_on(&address), "outside").unwrap();
            let (begins, waits) = if inside_begins { (inside, outside) } else { (outside, inside) };
            let said: Vec<u8> = (0..900_u16).map(|byte| byte as u8).collect();
            let expected = said.clone();
            let identity = Identity { general: Vec::new(), timeout: 12 };
            let known = identity.clone();
            let other = std::thread::spawn(move || {
                let mut context = Context::system(Discard);
                let mut peer = Pn532Peer::be_found_with(waits, &known, WAIT, &mut context)?;
                let heard = peer.exchange(None, WAIT, &mut context)?;
                let _parted = peer.exchange(Some(&heard), WAIT, &mut context);
                Ok::<_, LinkError>(heard)
            });
            let mut context = Context::system(Discard);
            let polling = Polling { timeout: WAIT, rate: BitRate::Kbps424 };
            let mut peer = Pn532Peer::find_with(begins, &identity, polling, &mut context).unwrap();
            assert_eq!(peer.exchange(Some(&said), WAIT, &mut context).unwrap(), expected);
            peer.release(&mut context);
            assert_eq!(other.join().unwrap().unwrap(), expected);
        }
    }

    /// The host's end of a simulated chip's line, the chip on an air.
    fn chip_on(address: &str) -> Pipe {
        let (host, line) = pipes();
        let antenna = UdpAntenna::new(address);
        std::thread::spawn(move || {
            // It ends with the line.
            let _ = Chip::new(line, antenna).run(&mut Context::system(Discard), &|| true);
        });
        host
    }

    /// A reader around the chip at the other end of a line.
    fn around(mut line: Pipe) -> Tell {
        Box::new(move |command| match command {
            [0xFF, 0x00, 0x48, ..] => Ok(b"ACR122U210".to_vec()),
            [0xFF, 0x00, 0x00, 0x00, _, 0xD4, told @ ..] => {
                line.write(&Frame::Command(told.to_vec()).to_bytes()).unwrap();
                let mut deframer = Deframer::default();
                for _ in 0..1000 {
                    let mut buffer = [0; 512];
                    let count = line.read(&mut buffer, Duration::from_millis(20)).unwrap();
                    deframer.push(&buffer[..count]);
                    while let Some(found) = deframer.next_frame() {
                        if let Found::Frame(Frame::Answer(said)) = found {
                            return Ok([&[0xD5], said.as_slice(), &[0x90, 0x00]].concat());
                        }
                    }
                }
                Ok(vec![0x63, 0x00])
            }
            _ => Ok(vec![0x6D, 0x00]),
        })
    }
}
