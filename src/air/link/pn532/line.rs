//! The line between host and chip: bytes that go to and fro, at a serial port, a
//! pseudo-terminal, or in this process. Nothing of what they say enters.

use std::io::{self, ErrorKind};
use std::time::Duration;

/// What a frame on a serial line carries: 265 bytes, TFI, code and number among them
/// (PN532 user manual, 6.2.1.2).
const MOST: usize = 262;

/// One end of a line.
pub trait Line: Send {
    /// Waits for bytes, at most so long; 0 where none came.
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize>;

    /// Sends bytes, all of them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Whether the chip at its other end may sleep, and has to be woken.
    fn sleeps(&self) -> bool {
        true
    }

    /// The most data that a command may carry behind its code and a number, bytes.
    fn most(&self) -> usize {
        MOST
    }
}

/// A serial port, or the chip's end of a pseudo-terminal.
pub struct Port<P> {
    port: P,
}

/// The speed that a PN532 begins with, Bd.
pub const SPEED: u32 = 115_200;
/// How long the line may hold back what is written.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a port is tried again that somebody else has, and after how long.
const HELD: u32 = 10;
const HOLD: Duration = Duration::from_millis(25);

/// What a serial port is here.
#[cfg(unix)]
pub type Native = serialport::TTYPort;
/// What a serial port is here.
#[cfg(windows)]
pub type Native = serialport::COMPort;

impl Port<Native> {
    /// Opens a serial port at a speed, Bd, for this program alone.
    pub fn open(path: &str, speed: u32) -> serialport::Result<Self> {
        let open = || serialport::new(path, speed).timeout(PATIENCE).open_native();
        let mut last = open();
        for _ in 0..HELD {
            // It is another's, who may be about to end.
            let Err(serialport::Error { kind: serialport::ErrorKind::NoDevice, .. }) = last else { break };
            if !std::path::Path::new(path).exists() {
                break;
            }
            std::thread::sleep(HOLD);
            last = open();
        }
        Ok(Self { port: last? })
    }
}

impl<P: serialport::SerialPort> Line for Port<P> {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.port.set_timeout(timeout).map_err(io::Error::from)?;
        match self.port.read(buffer) {
            // A port that can be read and has nothing is a cable that was pulled.
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => Ok(count),
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.set_timeout(PATIENCE).map_err(io::Error::from)?;
        self.port.write_all(bytes)
    }
}

/// A pseudo-terminal: the chip's end here, the host's at a path.
#[cfg(unix)]
pub struct Terminal {
    line: Port<serialport::TTYPort>,
    /// Held open: without it the chip's end fails whenever a host closes its own.
    _host: serialport::TTYPort,
    link: std::path::PathBuf,
}

#[cfg(unix)]
impl Terminal {
    /// Makes a pseudo-terminal, and a link to the host's end at `path`. What is there already
    /// stays, but for a link, which an earlier one has left.
    ///
    /// # Errors
    /// The system has none, or something else is at the path.
    pub fn make(path: &std::path::Path) -> io::Result<Self> {
        use serialport::SerialPort;
        let (line, host) = serialport::TTYPort::pair().map_err(io::Error::from)?;
        let name = host.name().ok_or_else(|| io::Error::other("the pseudo-terminal has no name"))?;
        if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink()) {
            std::fs::remove_file(path)?;
        }
        std::os::unix::fs::symlink(name, path)?;
        Ok(Self { line: Port { port: line }, _host: host, link: path.into() })
    }
}

#[cfg(unix)]
impl Line for Terminal {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.line.read(buffer, timeout)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.line.write(bytes)
    }
}

#[cfg(unix)]
impl Drop for Terminal {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.link);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

    /// One end of a line in this process.
    pub(in crate::air::link::pn532) struct Pipe {
        out: Sender<Vec<u8>>,
        heard: Receiver<Vec<u8>>,
        left: Vec<u8>,
    }

    pub(in crate::air::link::pn532) fn pipes() -> (Pipe, Pipe) {
        let ((there, here), (back, away)) = (channel(), channel());
        let pipe = |out, heard| Pipe { out, heard, left: Vec::new() };
        (pipe(there, away), pipe(back, here))
    }

    impl Line for Pipe {
        fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
            if self.left.is_empty() {
                match self.heard.recv_timeout(timeout) {
                    Ok(bytes) => self.left = bytes,
                    Err(RecvTimeoutError::Timeout) => return Ok(0),
                    Err(RecvTimeoutError::Disconnected) => return Err(ErrorKind::UnexpectedEof.into()),
                }
            }
            let count = self.left.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.left[..count]);
            self.left.drain(..count);
            Ok(count)
        }

        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.out.send(bytes.to_vec()).map_err(|_| ErrorKind::BrokenPipe.into())
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pseudo_terminal_carries_every_byte_both_ways() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chip");
        let mut chip = Terminal::make(&path).unwrap();
        let all: Vec<u8> = (0..=255).collect();
        for _ in 0..2 {
            // A host that comes again finds it again.
            let mut host = Port::open(path.to_str().unwrap(), SPEED).unwrap();
            host.write(&all).unwrap();
            chip.write(&all).unwrap();
            for line in [&mut host as &mut dyn Line, &mut chip] {
                let (mut heard, mut buffer) = (Vec::new(), [0; 64]);
                while heard.len() < all.len() {
                    let count = line.read(&mut buffer, Duration::from_secs(5)).unwrap();
                    assert_ne!(count, 0);
                    heard.extend_from_slice(&buffer[..count]);
                }
                assert_eq!(heard, all);
                assert_eq!(line.read(&mut buffer, Duration::ZERO).unwrap(), 0);
            }
        }
        drop(chip);
        assert!(!path.exists());
        std::fs::write(&path, "mine").unwrap();
        assert!(Terminal::make(&path).is_err(), "a file that is no link stays");
    }
}
