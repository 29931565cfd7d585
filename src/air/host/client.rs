//! A host at the other end of a TCP line. It signs on when it must, and makes of
//! every trouble the one of [`HostError`] that says whether the host can have acted.

use super::answer_message::{check_answers, code_of};
use super::place::put_institution;
use super::security::{MasterKey, WorkingKeys, echo, link_sign_on, sign_on, signed_on};
use super::{
    Answer, BatchTotals, Host, HostError, MessageKey, Request, ResponseCode, Sender, WireError,
    answer_from_message, to_message, totals_to_message,
};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::words::iso8583::{Dialect, Frame, Message, encode, parse};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The longest frame that is read, in bytes after its length.
const FRAME_BYTES: usize = 4096;
/// The most pieces that one frame may come in.
const PIECES: usize = 256;

/// How long a client waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection, milliseconds.
    pub connect_ms: u64,
    /// From a message to the end of its answer, milliseconds.
    pub answer_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 3_000, answer_ms: 30_000 }
    }
}

/// A remote host. One message is under way at a time; the connection is kept.
pub struct TcpHost {
    address: String,
    dialect: Dialect,
    master: MasterKey,
    timeouts: Timeouts,
    /// The institution at this end, where it forwards for terminals.
    institution: Option<String>,
    line: Option<TcpStream>,
    /// The keys, and whose they are.
    keys: Option<(Sender, WorkingKeys)>,
}

/// Why one exchange came to nothing.
enum Trouble {
    /// Nothing was sent.
    Unsent(String),
    /// Sent, and the line was silent or broke.
    Silent,
    /// Sent, and what came is of no use.
    Useless(WireError),
}

impl TcpHost {
    /// A host at `HOST:PORT`. Nothing is opened yet.
    pub fn new(address: impl Into<String>, dialect: Dialect, master: MasterKey, timeouts: Timeouts) -> Self {
        let address = address.into();
        Self { address, dialect, master, timeouts, institution: None, line: None, keys: None }
    }

    /// The same host for an institution that forwards the messages of terminals: the line
    /// has one pair of keys, under the institution's zone master key.
    #[must_use]
    pub fn for_institution(mut self, institution: impl Into<String>) -> Self {
        self.institution = Some(institution.into());
        self
    }

    /// Asks whether the host is there.
    pub fn echo(&mut self, key: &MessageKey, context: &mut Context) -> Result<(), HostError> {
        let unsaid = |error: WireError| HostError::Unreachable { cause: error.to_string() };
        let mut message = echo(key, &self.dialect).map_err(unsaid)?;
        if let Some(institution) = &self.institution {
            put_institution(&mut message, institution, context.now());
        }
        let bytes = encode(&message, &self.dialect).map_err(|error| unsaid(error.into()))?;
        let answer = self.round(&bytes, context).and_then(|bytes| self.read(&bytes));
        let answer = answer.map_err(|trouble| self.told(trouble))?;
        let fits = check_answers(&answer, &message);
        fits.map_err(|error| HostError::Unusable { cause: error.to_string() })
    }

    fn say(
        &mut self,
        mut message: Message,
        key: &MessageKey,
        pin: Option<&Secret<String>>,
        context: &mut Context,
    ) -> Result<Answer, HostError> {
        if let Some(institution) = &self.institution {
            put_institution(&mut message, institution, context.now());
        }
        // The host may have lost its keys or begun a new day: it says so once.
        for is_second in [false, true] {
            let keys = match self.keys_for(key, context) {
                Ok(keys) => keys,
                // The request itself was not sent.
                Err(cause) if !is_second => return Err(HostError::Unreachable { cause }),
                Err(cause) => return Err(HostError::Unusable { cause }),
            };
            let sealed = keys.seal(message.clone(), pin, &self.dialect);
            let sealed = sealed.map_err(|error| HostError::Unreachable { cause: error.to_string() })?;
            match self.ask(&sealed, &message, &keys, context) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => self.keys = None,
                // A first message that never left; a second one stands for the first.
                Err(Trouble::Unsent(_)) if is_second => return Err(self.told(Trouble::Silent)),
                Err(trouble) => return Err(self.told(trouble)),
            }
        }
        let cause = "the host refuses the authentication code also under new keys".into();
        Err(HostError::Unusable { cause })
    }

    /// The answer; none where the host wants a new sign-on.
    fn ask(
        &mut self,
        sealed: &[u8],
        request: &Message,
        keys: &WorkingKeys,
        context: &mut Context,
    ) -> Result<Option<Answer>, Trouble> {
        let bytes = self.round(sealed, context)?;
        let useless = |line: &mut Option<TcpStream>, error| {
            *line = None;
            Err(Trouble::Useless(error))
        };
        let answer = self.read(&bytes)?;
        let message = Frame::open(&bytes, &self.dialect).map(|frame| frame.message).unwrap_or_default();
        if let Err(error) = keys.check(message, &answer, &self.dialect) {
            // Whoever says this gains nothing: under its key the message acts once.
            if !answer.has(self.dialect.mac_field(&answer))
                && code_of(&answer) == Ok(ResponseCode::MAC_FAILED)
            {
                return Ok(None);
            }
            return useless(&mut self.line, error);
        }
        match answer_from_message(&answer, request) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => useless(&mut self.line, error),
        }
    }

    fn keys_for(&mut self, key: &MessageKey, context: &mut Context) -> Result<WorkingKeys, String> {
        let sender = match &self.institution {
            Some(institution) => Sender::Link { institution: institution.clone() },
            None => Sender::Terminal { terminal: key.terminal.clone(), merchant: key.merchant.clone() },
        };
        if let Some((_, keys)) = self.keys.as_ref().filter(|(owner, _)| *owner == sender) {
            return Ok(keys.clone());
        }
        let says = |error: WireError| error.to_string();
        let request = match &sender {
            Sender::Link { institution } => link_sign_on(institution, key.trace, context.now()),
            Sender::Terminal { .. } => sign_on(key, &self.dialect).map_err(says)?,
        };
        let bytes = encode(&request, &self.dialect).map_err(|error| error.to_string())?;
        let answer = self.round(&bytes, context).and_then(|bytes| self.read(&bytes));
        let answer = answer.map_err(|trouble| match trouble {
            Trouble::Unsent(cause) => cause,
            other => format!("sign-on: {}", self.told(other)),
        })?;
        let keys = signed_on(&answer, &request, &self.master, &self.dialect).map_err(says)?;
        context.emit(
            Event::new("host line", "Signed On").because("working keys came and their check values fit"),
        );
        self.keys = Some((sender, keys.clone()));
        Ok(keys)
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Message, Trouble> {
        let frame = Frame::open(bytes, &self.dialect);
        let message = frame.and_then(|frame| parse(frame.message, &self.dialect));
        message.map_err(|error| {
            self.line = None;
            Trouble::Useless(error.into())
        })
    }

    /// Sends a message and gives what follows the length of the frame that comes back.
    /// The line is closed on any trouble, so that a late answer finds nobody.
    fn round(&mut self, message: &[u8], context: &mut Context) -> Result<Vec<u8>, Trouble> {
        let frame = Frame { tpdu: None, header: None, message }.to_bytes(&self.dialect);
        let frame = frame.map_err(|error| Trouble::Unsent(error.to_string()))?;
        let mut line = self.line()?;
        let until = context.now().plus(Duration::from_millis(self.timeouts.answer_ms));
        if line.write_all(&frame).is_err() {
            return Err(Trouble::Silent);
        }
        let answer = self.receive(&mut line, until, context)?;
        self.line = Some(line);
        Ok(answer)
    }

    /// The open line where it is good, else a new one.
    fn line(&mut self) -> Result<TcpStream, Trouble> {
        if let Some(line) = self.line.take().filter(is_quiet) {
            return Ok(line);
        }
        let unsent = |error: std::io::Error| Trouble::Unsent(format!("{}: {error}", self.address));
        let limit = |ms: u64| Duration::from_millis(ms.max(1));
        let mut last = std::io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in self.address.to_socket_addrs().map_err(unsent)? {
            match TcpStream::connect_timeout(&address, limit(self.timeouts.connect_ms)) {
                Ok(line) => {
                    line.set_nodelay(true).map_err(unsent)?;
                    line.set_write_timeout(Some(limit(self.timeouts.answer_ms))).map_err(unsent)?;
                    return Ok(line);
                }
                Err(error) => last = error,
            }
        }
        Err(unsent(last))
    }

    fn receive(&self, line: &mut TcpStream, until: Timestamp, context: &Context) -> Result<Vec<u8>, Trouble> {
        let prefix = self.dialect.prefix;
        let mut bytes = vec![0; prefix.bytes()];
        let (mut filled, mut wanted) = (0, None);
        for _ in 0..PIECES {
            let left_micros = until.micros().saturating_sub(context.now().micros());
            let Some(left) = u64::try_from(left_micros).ok().filter(|left| *left > 0) else { break };
            if line.set_read_timeout(Some(Duration::from_micros(left))).is_err() {
                break;
            }
            match line.read(bytes.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            if filled < bytes.len() {
                continue;
            }
            if wanted.is_some() {
                return Ok(bytes);
            }
            let length = prefix.read(&bytes).map_err(|error| Trouble::Useless(error.into()))?;
            let min = Frame::overhead(&self.dialect);
            if !(min.max(1)..=FRAME_BYTES).contains(&length) {
                let error =
                    crate::words::iso8583::Iso8583Error::FrameLength { min, max: FRAME_BYTES, found: length };
                return Err(Trouble::Useless(error.into()));
            }
            (bytes, filled, wanted) = (vec![0; length], 0, Some(length));
        }
        Err(Trouble::Silent)
    }

    fn told(&self, trouble: Trouble) -> HostError {
        match trouble {
            Trouble::Unsent(cause) => HostError::Unreachable { cause },
            Trouble::Silent => HostError::NoAnswer { timeout_ms: self.timeouts.answer_ms },
            Trouble::Useless(error) => HostError::Unusable { cause: error.to_string() },
        }
    }

    fn request(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        let message = to_message(request, &self.dialect);
        let message = message.map_err(|error| HostError::Unreachable { cause: error.to_string() })?;
        self.say(message, &request.key, request.pin.as_ref(), context)
    }
}

impl Host for TcpHost {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.request(request, context)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.request(request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.request(request, context)
    }

    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        let message = totals_to_message(totals, &self.dialect);
        let message = message.map_err(|error| HostError::Unreachable { cause: error.to_string() })?;
        self.say(message, &totals.key, None, context)
    }
}

/// Whether a line is open and has nothing to say: an end or a late answer makes it useless.
fn is_quiet(line: &TcpStream) -> bool {
    let peeked = line.set_nonblocking(true).and_then(|()| line.peek(&mut [0]));
    let is_blocking = line.set_nonblocking(false).is_ok();
    is_blocking && matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
}
