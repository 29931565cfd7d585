//! The smallest card for the virtual reader: a fixed ATR, and 9000 to everything, or what a
//! test wants it to answer. It proves the reader of a test before our own card is put on it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::linux::net::TcpStreamExt;
use std::thread::JoinHandle;

use super::pcscd::{PORT, PrivatePcscd};
use super::process::{PATIENCE, wait_until};

/// A card on the virtual reader. Dropping it pulls the card.
#[derive(Debug)]
pub(crate) struct FixedCard {
    stream: TcpStream,
    serving: Option<JoinHandle<usize>>,
}

impl FixedCard {
    /// Puts a card with this ATR on the daemon's reader.
    pub(crate) fn insert(daemon: &PrivatePcscd, atr: &[u8]) -> std::io::Result<Self> {
        Self::insert_answering(daemon, atr, |_| vec![0x90, 0x00])
    }

    /// The same, with a card that answers as it is told.
    pub(crate) fn insert_answering(
        daemon: &PrivatePcscd,
        atr: &[u8],
        answer: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static,
    ) -> std::io::Result<Self> {
        let stream = daemon.in_its_network(|| {
            // The driver listens a moment after the daemon does.
            wait_until(PATIENCE, || TcpStream::connect(("127.0.0.1", PORT)).ok())
        })?;
        let stream = stream.ok_or_else(|| std::io::Error::other("the virtual reader does not listen"))?;
        let (atr, own) = (atr.to_vec(), stream.try_clone()?);
        Ok(Self { stream, serving: Some(std::thread::spawn(move || serve(own, &atr, answer))) })
    }

    /// Pulls the card and counts the APDUs that it answered.
    pub(crate) fn pull(mut self) -> usize {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.serving.take().and_then(|serving| serving.join().ok()).unwrap_or(0)
    }
}

impl Drop for FixedCard {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Answers until the reader goes away. A message is its length in two bytes, then
/// itself: one byte is a command to the slot, more are an APDU.
fn serve(mut stream: TcpStream, atr: &[u8], mut answer: impl FnMut(&[u8]) -> Vec<u8>) -> usize {
    let mut apdus = 0;
    while let Ok(message) = receive(&mut stream) {
        let answer = match message.as_slice() {
            [4] => atr.to_vec(),
            [_] | [] => continue,
            command => {
                apdus += 1;
                answer(command)
            }
        };
        // One write: two would wait for each other's acknowledgement.
        let mut bytes = u16::try_from(answer.len()).unwrap_or(0).to_be_bytes().to_vec();
        bytes.extend_from_slice(&answer);
        if stream.write_all(&bytes).is_err() {
            break;
        }
    }
    apdus
}

/// One message. The acknowledgement of what comes is asked for at once before every
/// read, or the reader, which writes in two parts, waits 40 ms for it.
fn receive(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.set_quickack(true)?;
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.set_quickack(true)?;
    stream.read_exact(&mut message)?;
    Ok(message)
}
