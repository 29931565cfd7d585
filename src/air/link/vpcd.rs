//! The virtual PC/SC reader of the vsmartcard project as a place to serve a card: its
//! driver in the daemon listens on TCP, and the card connects.
//!
//! A message is its length in two bytes, big-endian, then itself. One byte is a
//! command to the slot (00 off, 01 on, 02 reset, 04 answer to reset), more are an
//! APDU. Only 04 and an APDU are answered.

use super::{LinkError, Target, TargetDriver, TargetRequest};
use crate::base::context::Context;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The row of this driver in the registry.
pub const DRIVER: TargetDriver =
    TargetDriver { scheme: "vpcd", rest: "HOST:PORT", open: |rest| Ok(Box::new(Vpcd::connect(rest)?)) };

/// How often a connection is tried before the reader counts as gone.
const ATTEMPTS: u32 = if cfg!(test) { 4 } else { 12 };
/// The wait after the first failed attempt; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// The longest wait between two attempts: all of them take about 4 seconds.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// The longest that one attempt, or the rest of a message that has begun, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a request is waited for before whoever serves is asked whether to go on.
const QUIET: Duration = Duration::from_millis(250);

/// A card's place on a virtual reader.
pub struct Vpcd {
    address: String,
    place: String,
    /// `None` once the reader has gone; the next request tries to find it again.
    stream: Option<TcpStream>,
}

impl Vpcd {
    /// Connects to the reader at `HOST:PORT`, 127.0.0.1:35963 as Debian sets it up.
    /// The daemon may still be starting: several attempts are made, about 4 seconds in all.
    ///
    /// # Errors
    /// [`LinkError::Unavailable`] when nobody listens there, or the address is none.
    pub fn connect(address: &str) -> Result<Self, LinkError> {
        let stream = dial(address).map_err(|error| LinkError::Unavailable {
            missing: format!("no virtual reader listens on {address} ({error})"),
            remedy: "start pcscd with vsmartcard-vpcd; on Debian: apt install vsmartcard-vpcd && \
                     systemctl restart pcscd"
                .into(),
        })?;
        Ok(Self {
            address: address.into(),
            place: format!("virtual reader at {address}"),
            stream: Some(stream),
        })
    }
}

impl Target for Vpcd {
    fn place(&self) -> &str {
        &self.place
    }

    fn is_radio(&self) -> bool {
        false
    }

    /// A daemon that goes away switches the card off; one that comes back within about
    /// 4 seconds finds it again, else the reader is gone.
    fn receive(&mut self, _context: &mut Context) -> Result<TargetRequest, LinkError> {
        if self.stream.is_none() {
            match dial(&self.address) {
                Ok(stream) => self.stream = Some(stream),
                Err(_) => return Ok(TargetRequest::Gone),
            }
        }
        let Some(stream) = &mut self.stream else { return Ok(TargetRequest::Gone) };
        loop {
            match read_message(stream) {
                Err(error) if is_quiet(&error) => {
                    let during = "waiting for the virtual reader".into();
                    return Err(LinkError::timeout(during, QUIET));
                }
                Ok(message) => match message.as_slice() {
                    [0x00] => return Ok(TargetRequest::PowerOff),
                    [0x01 | 0x02] => return Ok(TargetRequest::PowerOn),
                    [0x04] => return Ok(TargetRequest::Atr),
                    // Nothing that the driver sends, and nothing that it waits on.
                    [] | [_] => {}
                    _ => return Ok(TargetRequest::Command(message)),
                },
                Err(_) => {
                    self.stream = None;
                    return Ok(TargetRequest::PowerOff);
                }
            }
        }
    }

    fn send(&mut self, answer: &[u8], _context: &mut Context) -> Result<(), LinkError> {
        let failed = |cause: String| LinkError::Io { doing: "answering the virtual reader".into(), cause };
        let length = u16::try_from(answer.len())
            .map_err(|_| failed(format!("expected at most 65535 bytes, found {}", answer.len())))?;
        // One write: a second would wait for the acknowledgement of the first.
        let mut message = length.to_be_bytes().to_vec();
        message.extend_from_slice(answer);
        let Some(stream) = &mut self.stream else { return Ok(()) };
        if stream.write_all(&message).is_err() {
            // The next request finds the reader again or says that it has gone.
            self.stream = None;
        }
        Ok(())
    }
}

/// Connects, with a bounded number of attempts.
fn dial(address: &str) -> io::Result<TcpStream> {
    let mut wait = FIRST_WAIT;
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        // A wrong name is wrong every time.
        for socket in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&socket, PATIENCE) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
    }
    Err(last)
}

/// Whether nothing came, not even the beginning of a message.
fn is_quiet(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Quiet>())
}

/// Nothing came.
#[derive(Debug, thiserror::Error)]
#[error("nothing came")]
struct Quiet;

/// Waits for the next message for a while; once it has begun, its rest must come.
fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.set_read_timeout(Some(QUIET))?;
    read_part(stream, &mut length[..1]).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => io::Error::other(Quiet),
        _ => error,
    })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    read_part(stream, &mut length[1..])?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    read_part(stream, &mut message)?;
    Ok(message)
}

/// Fills a buffer. The driver sends length and body in two writes and its kernel holds
/// the second back until the first is acknowledged: without an acknowledgement at once,
/// asked for anew before every read, each APDU takes 40 ms.
fn read_part(stream: &mut TcpStream, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        #[cfg(target_os = "linux")]
        std::os::linux::net::TcpStreamExt::set_quickack(stream, true)?;
        match stream.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => buffer = &mut buffer[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Discard;
    use std::net::TcpListener;

    /// A listener in the reader's place, and a card connected to it.
    fn reader_and_card() -> (TcpListener, Vpcd, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let card = Vpcd::connect(&listener.local_addr().unwrap().to_string()).unwrap();
        let reader = listener.accept().unwrap().0;
        (listener, card, reader)
    }

    #[test]
    fn slot_commands_and_apdus_are_told_apart() {
        let (_listener, mut card, mut reader) = reader_and_card();
        let mut context = Context::simulated(1, Discard);
        reader
            .write_all(&[0, 1, 0x01, 0, 1, 0x02, 0, 1, 0x04, 0, 1, 0x77, 0, 0, 0, 2, 0x00, 0xA4, 0, 1, 0x00])
            .unwrap();
        let expected = [
            TargetRequest::PowerOn,
            TargetRequest::PowerOn,
            TargetRequest::Atr,
            TargetRequest::Command(vec![0x00, 0xA4]),
            TargetRequest::PowerOff,
        ];
        for request in expected {
            assert_eq!(card.receive(&mut context), Ok(request));
        }
        card.send(&[0x90, 0x00], &mut context).unwrap();
        let mut answer = [0; 4];
        reader.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [0, 2, 0x90, 0x00]);
        assert!(matches!(card.send(&[0; 65_536], &mut context), Err(LinkError::Io { .. })));
    }

    #[test]
    fn a_reader_that_comes_back_is_found_again() {
        let (listener, mut card, reader) = reader_and_card();
        let mut context = Context::simulated(1, Discard);
        drop(reader);
        assert_eq!(card.receive(&mut context), Ok(TargetRequest::PowerOff));
        let again = std::thread::spawn(move || {
            let mut reader = listener.accept().unwrap().0;
            reader.write_all(&[0, 1, 0x01]).unwrap();
            reader
        });
        assert_eq!(card.receive(&mut context), Ok(TargetRequest::PowerOn));
        drop(again.join().unwrap());
    }

    #[test]
    fn a_reader_that_stays_away_is_gone() {
        let (listener, mut card, reader) = reader_and_card();
        let mut context = Context::simulated(1, Discard);
        drop((listener, reader));
        assert_eq!(card.receive(&mut context), Ok(TargetRequest::PowerOff));
        assert_eq!(card.receive(&mut context), Ok(TargetRequest::Gone));
        assert_eq!(card.receive(&mut context), Ok(TargetRequest::Gone));
    }

    #[test]
    fn nobody_there_and_no_address_are_errors_with_a_remedy() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        for address in [address.as_str(), "no address"] {
            let error = Vpcd::connect(address).err().unwrap().to_string();
            assert!(error.contains(address) && error.contains("apt install vsmartcard-vpcd"), "{error}");
        }
    }
}
