//! The server: takes what is put, gives what is got (NFC Forum SNEP 1.0, 4.2 and 5). It is
//! asked to go on after every turn of the link.

use super::MOST_BYTES;
use super::frame::{Frame, Request, Response};
use super::transfer::{Incoming, Outgoing};
use crate::base::bytes::Cursor;
use crate::roles::p2p::llcp::{ConnectionState, Handle, Link, LlcpError, Sap, Terms};

/// What a server's owner answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it went.
    pub response: Response,
    /// The message that was got; empty otherwise.
    pub message: Vec<u8>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self { response, message: Vec::new() }
    }
}

/// Where a server's messages go, and come from.
pub trait Shelf: Send {
    /// A message is put.
    fn put(&mut self, message: Vec<u8>) -> Response;

    /// The message that answers one is wanted. The default server has none (5.1).
    fn get(&mut self, _message: &[u8]) -> Answer {
        Response::NOT_IMPLEMENTED.into()
    }
}

#[derive(Debug)]
enum Step {
    /// Nothing has come, or all of it is answered.
    Idle,
    /// A part of a request is there.
    Receiving { incoming: Incoming },
    /// The first piece of a response is out; the client says whether it wants the rest.
    Offered { rest: Outgoing },
}

#[derive(Debug)]
struct Talk {
    handle: Handle,
    step: Step,
}

/// A server with its connections.
pub struct Server {
    at: Sap,
    shelf: Box<dyn Shelf>,
    talks: Vec<Talk>,
}

impl Server {
    /// A server of this name, at a point of its own choice or a free one.
    ///
    /// # Errors
    /// The link has no point left.
    pub fn listen(
        link: &mut Link,
        name: &str,
        sap: Option<Sap>,
        shelf: impl Shelf + 'static,
    ) -> Result<Self, LlcpError> {
        Ok(Self { at: link.listen(name, sap, Terms::default())?, shelf: Box::new(shelf), talks: Vec::new() })
    }

    /// Goes on with every connection.
    ///
    /// # Errors
    /// The link does not take an answer.
    pub fn poll(&mut self, link: &mut Link) -> Result<(), LlcpError> {
        while let Some(handle) = link.accept(self.at) {
            self.talks.push(Talk { handle, step: Step::Idle });
        }
        for talk in &mut self.talks {
            while let Some(unit) = link.receive(talk.handle) {
                talk.take(&unit, self.shelf.as_mut(), link)?;
            }
        }
        self.talks.retain(|talk| !matches!(link.state(talk.handle), ConnectionState::Closed(_)));
        Ok(())
    }
}

impl Talk {
    fn take(&mut self, unit: &[u8], shelf: &mut dyn Shelf, link: &mut Link) -> Result<(), LlcpError> {
        // One that has ended is not answered any more.
        if link.state(self.handle) != ConnectionState::Established {
            return Ok(());
        }
        let incoming = match std::mem::replace(&mut self.step, Step::Idle) {
            Step::Receiving { mut incoming } => {
                incoming.add(unit);
                incoming
            }
            Step::Offered { mut rest } => {
                let goes_on = Frame::parse(unit).is_ok_and(|(frame, _)| frame.code == Request::CONTINUE.0);
                while let Some(piece) = rest.next().filter(|_| goes_on) {
                    link.send(self.handle, piece)?;
                }
                return Ok(());
            }
            Step::Idle => match first(unit) {
                Ok(incoming) if !incoming.is_whole() => {
                    link.send(self.handle, Frame::bytes(Response::CONTINUE.0, &[]))?;
                    incoming
                }
                Ok(incoming) => incoming,
                Err(response) => return self.answer(response.into(), link),
            },
        };
        if !incoming.is_whole() {
            self.step = Step::Receiving { incoming };
            return Ok(());
        }
        let request = Request(incoming.code);
        let answer = perform(request, incoming.into_information(), shelf);
        self.answer(answer, link)
    }

    fn answer(&mut self, answer: Answer, link: &mut Link) -> Result<(), LlcpError> {
        let frame = Frame::bytes(answer.response.0, &answer.message);
        let mut rest = Outgoing::new(&frame, link.connection_miu(self.handle));
        link.send(self.handle, rest.next().unwrap_or_default())?;
        if !rest.is_empty() {
            self.step = Step::Offered { rest };
        }
        Ok(())
    }
}

/// The first piece of a request, or why it is none.
fn first(unit: &[u8]) -> Result<Incoming, Response> {
    let (frame, first) = Frame::parse(unit).map_err(|_| Response::BAD_REQUEST)?;
    if !frame.is_spoken() {
        return Err(Response::UNSUPPORTED_VERSION);
    }
    if frame.length > MOST_BYTES {
        return Err(Response::REJECT);
    }
    Ok(Incoming::new(frame.code, frame.length, first))
}

fn perform(request: Request, information: Vec<u8>, shelf: &mut dyn Shelf) -> Answer {
    match request {
        Request::PUT => shelf.put(information).into(),
        Request::GET => {
            let mut cursor = Cursor::new(&information);
            let Ok(acceptable) = cursor.array("the acceptable length") else {
                return Response::BAD_REQUEST.into();
            };
            let answer = shelf.get(cursor.rest());
            let fits = answer.message.len() as u64 <= u64::from(u32::from_be_bytes(acceptable));
            if fits { answer } else { Response::EXCESS_DATA.into() }
        }
        Request::CONTINUE | Request::REJECT => Response::BAD_REQUEST.into(),
        Request(_) => Response::NOT_IMPLEMENTED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::p2p::llcp::LinkParameters;
    use crate::roles::p2p::snep::{Client, DEFAULT_SERVER, SnepError};
    use proptest::prelude::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct One(Arc<Mutex<Vec<u8>>>);

    impl Shelf for One {
        fn put(&mut self, message: Vec<u8>) -> Response {
            *self.0.lock().unwrap() = message;
            Response::SUCCESS
        }

        fn get(&mut self, _: &[u8]) -> Answer {
            Answer { response: Response::SUCCESS, message: self.0.lock().unwrap().clone() }
        }
    }

    struct Two {
        near: Link,
        far: Link,
        server: Server,
    }

    fn two(shelf: impl Shelf + 'static) -> Two {
        let (mut near, mut far) =
            (Link::new(LinkParameters::default()), Link::new(LinkParameters::default()));
        let server = Server::listen(&mut far, DEFAULT_SERVER, Some(Sap::SNEP), shelf).unwrap();
        far.meet(&near.general_bytes()).unwrap();
        near.meet(&far.general_bytes()).unwrap();
        Two { near, far, server }
    }

    impl Two {
        fn run(&mut self, client: &mut Client) -> Result<Vec<u8>, SnepError> {
            for _ in 0..10_000 {
                if let Some(result) = client.poll(&mut self.near) {
                    return result;
                }
                self.far.take(&self.near.say_next()).unwrap();
                self.server.poll(&mut self.far).unwrap();
                self.near.take(&self.far.say_next()).unwrap();
            }
            panic!("no end: {client:?}");
        }
    }

    #[test]
    fn messages_of_any_length_are_put_and_got() {
        let shelf = One::default();
        let mut two = two(shelf.clone());
        for length in [0, 1, 242, 243, 244, 900, 20_000] {
            let message = vec![length as u8; length];
            let mut client = Client::put(&mut two.near, &message).unwrap();
            assert_eq!(two.run(&mut client), Ok(vec![]), "{length}");
            assert_eq!(*shelf.0.lock().unwrap(), message);
            let mut client = Client::get_from(&mut two.near, DEFAULT_SERVER, &message, 30_000).unwrap();
            assert_eq!(two.run(&mut client), Ok(message), "{length}");
        }
        let mut client = Client::get_from(&mut two.near, DEFAULT_SERVER, &[], 19_999).unwrap();
        assert_eq!(two.run(&mut client), Err(SnepError::Refused { response: Response::EXCESS_DATA }));
    }

    struct Only;

    impl Shelf for Only {
        fn put(&mut self, _: Vec<u8>) -> Response {
            Response::NOT_FOUND
        }
    }

    #[test]
    fn what_a_server_refuses_is_told() {
        let mut two = two(Only);
        let mut client = Client::put(&mut two.near, &[1]).unwrap();
        assert_eq!(two.run(&mut client), Err(SnepError::Refused { response: Response::NOT_FOUND }));
        let mut client = Client::get_from(&mut two.near, DEFAULT_SERVER, &[], 10).unwrap();
        assert_eq!(two.run(&mut client), Err(SnepError::Refused { response: Response::NOT_IMPLEMENTED }));
        let mut client = Client::put(&mut two.near, &vec![0; MOST_BYTES as usize + 1]).unwrap();
        assert_eq!(two.run(&mut client), Err(SnepError::Refused { response: Response::REJECT }));
        let mut client = Client::put_to(&mut two.near, "urn:nfc:sn:other", &[1]).unwrap();
        let error = two.run(&mut client).unwrap_err().to_string();
        assert!(error.contains("no such service"), "{error}");
    }

    #[test]
    fn what_is_no_request_is_answered() {
        let rows = [
            (&[0x10][..], Response::BAD_REQUEST),
            (&[0x20, 2, 0, 0, 0, 0], Response::UNSUPPORTED_VERSION),
            (&[0x10, 0x33, 0, 0, 0, 0], Response::NOT_IMPLEMENTED),
            (&[0x10, 0, 0, 0, 0, 0], Response::BAD_REQUEST),
            (&[0x10, 1, 0, 0, 0, 1, 0], Response::BAD_REQUEST),
        ];
        for (unit, response) in rows {
            let answer = match first(unit) {
                Ok(incoming) => perform(Request(incoming.code), incoming.into_information(), &mut Only),
                Err(response) => response.into(),
            };
            assert_eq!(answer, response.into(), "{unit:02X?}");
        }
    }

    proptest! {
        #[test]
        fn no_unit_breaks_a_server(units in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..20)) {
            use crate::roles::p2p::llcp::Destination;
            let mut two = two(One::default());
            let handle = two.near.connect(Destination::Point(Sap::SNEP)).unwrap();
            for unit in [vec![]].into_iter().chain(units) {
                let _ = two.near.send(handle, unit);
                for _ in 0..3 {
                    two.far.take(&two.near.say_next()).unwrap();
                    two.server.poll(&mut two.far).unwrap();
                    two.near.take(&two.far.say_next()).unwrap();
                }
            }
        }
    }
}
