//! The client: puts a message, or gets one (NFC Forum SNEP 1.0, 4.1 and 5). It is asked
//! to go on after every turn of the link.

use super::frame::{Frame, Request, Response};
use super::transfer::{Incoming, Outgoing};
use super::{DEFAULT_SERVER, MOST_BYTES};
use crate::roles::p2p::llcp::{ConnectionState, Destination, Handle, Link, LlcpError};

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnepError {
    /// The link does not carry it.
    #[error(transparent)]
    Link(#[from] LlcpError),
    /// The connection ended before the response was there.
    #[error("the connection to the SNEP server ended before its response: {state}")]
    Ended {
        /// How it stands.
        state: String,
    },
    /// The server did not do it.
    #[error("expected Success, the SNEP server answered {response}")]
    Refused {
        /// What it answered.
        response: Response,
    },
    /// What came is no response.
    #[error("expected a SNEP response of version 1, found {found}")]
    Malformed {
        /// What came.
        found: String,
    },
    /// The response is longer than was acceptable.
    #[error("expected at most {most} bytes, the SNEP server has {found}")]
    TooLong {
        /// What was acceptable.
        most: u32,
        /// What the response says of itself.
        found: u32,
    },
}

#[derive(Debug)]
enum Step {
    /// The connection is not there yet.
    Connecting { frame: Vec<u8> },
    /// The first piece is out; the server says whether it wants the rest.
    Offered { rest: Outgoing },
    /// All of the request is out.
    Asked,
    /// A part of the response is there.
    Receiving { incoming: Incoming },
    /// It is over.
    Ended,
}

/// One request.
#[derive(Debug)]
pub struct Client {
    handle: Handle,
    step: Step,
    acceptable: u32,
}

impl Client {
    /// Puts a message to the default server.
    ///
    /// # Errors
    /// The link has no point left.
    pub fn put(link: &mut Link, message: &[u8]) -> Result<Self, SnepError> {
        Self::put_to(link, DEFAULT_SERVER, message)
    }

    /// Puts a message to a server of another name.
    ///
    /// # Errors
    /// The link has no point left.
    pub fn put_to(link: &mut Link, server: &str, message: &[u8]) -> Result<Self, SnepError> {
        Self::ask(link, server, Request::PUT, message.to_vec(), 0)
    }

    /// Gets the message that answers one, at most so many bytes.
    ///
    /// # Errors
    /// The link has no point left.
    pub fn get_from(
        link: &mut Link,
        server: &str,
        message: &[u8],
        acceptable: u32,
    ) -> Result<Self, SnepError> {
        let acceptable = acceptable.min(MOST_BYTES);
        let information = [&acceptable.to_be_bytes(), message].concat();
        Self::ask(link, server, Request::GET, information, acceptable)
    }

    fn ask(
        link: &mut Link,
        server: &str,
        request: Request,
        information: Vec<u8>,
        acceptable: u32,
    ) -> Result<Self, SnepError> {
        let handle = link.connect(Destination::Name(server))?;
        Ok(Self {
            handle,
            step: Step::Connecting { frame: Frame::bytes(request.0, &information) },
            acceptable,
        })
    }

    /// Goes on, once: the response's message, or why there is none; `None` while it is
    /// under way, and once it has been told.
    pub fn poll(&mut self, link: &mut Link) -> Option<Result<Vec<u8>, SnepError>> {
        let result = self.go_on(link).transpose()?;
        self.step = Step::Ended;
        link.disconnect(self.handle);
        Some(result)
    }

    fn go_on(&mut self, link: &mut Link) -> Result<Option<Vec<u8>>, SnepError> {
        if let Step::Connecting { frame } = &self.step {
            if link.state(self.handle) == ConnectionState::Established {
                let mut rest = Outgoing::new(frame, link.connection_miu(self.handle));
                link.send(self.handle, rest.next().unwrap_or_default())?;
                self.step = if rest.is_empty() { Step::Asked } else { Step::Offered { rest } };
            }
        } else if let Some(unit) = link.receive(self.handle) {
            return self.take(link, &unit);
        }
        match (link.state(self.handle), &self.step) {
            (_, Step::Ended) => Ok(None),
            (state @ ConnectionState::Closed(_), _) => Err(SnepError::Ended { state: state.to_string() }),
            _ => Ok(None),
        }
    }

    fn take(&mut self, link: &mut Link, unit: &[u8]) -> Result<Option<Vec<u8>>, SnepError> {
        match std::mem::replace(&mut self.step, Step::Ended) {
            Step::Receiving { mut incoming } => {
                incoming.add(unit);
                return Ok(self.keep(incoming));
            }
            Step::Offered { mut rest } => {
                let (frame, _) = header(unit)?;
                if Response(frame.code) != Response::CONTINUE {
                    return Err(SnepError::Refused { response: Response(frame.code) });
                }
                while let Some(piece) = rest.next() {
                    link.send(self.handle, piece)?;
                }
                self.step = Step::Asked;
            }
            Step::Asked => {
                let (frame, first) = header(unit)?;
                if Response(frame.code) != Response::SUCCESS {
                    return Err(SnepError::Refused { response: Response(frame.code) });
                }
                if frame.length > self.acceptable {
                    link.send(self.handle, Frame::bytes(Request::REJECT.0, &[]))?;
                    return Err(SnepError::TooLong { most: self.acceptable, found: frame.length });
                }
                let incoming = Incoming::new(frame.code, frame.length, first);
                if !incoming.is_whole() {
                    link.send(self.handle, Frame::bytes(Request::CONTINUE.0, &[]))?;
                }
                return Ok(self.keep(incoming));
            }
            step @ (Step::Connecting { .. } | Step::Ended) => self.step = step,
        }
        Ok(None)
    }

    /// The message, once it is whole.
    fn keep(&mut self, incoming: Incoming) -> Option<Vec<u8>> {
        if incoming.is_whole() {
            return Some(incoming.into_information());
        }
        self.step = Step::Receiving { incoming };
        None
    }
}

fn header(unit: &[u8]) -> Result<(Frame, &[u8]), SnepError> {
    let (frame, rest) =
        Frame::parse(unit).map_err(|error| SnepError::Malformed { found: error.to_string() })?;
    if !frame.is_spoken() {
        return Err(SnepError::Malformed { found: format!("version byte {:02X}", frame.version) });
    }
    Ok((frame, rest))
}
