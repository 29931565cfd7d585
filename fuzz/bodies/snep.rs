//! Whatever a client sends, the server makes up no message and answers in frames; whatever a
//! server sends, the client ends, and takes no more than it said that it would.

use super::pieces;
use cardwright::roles::p2p::llcp::{Destination, Link, LinkParameters, Sap, Terms};
use cardwright::roles::p2p::snep::{Client, DEFAULT_SERVER, Frame, Response, Server, Shelf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes that the client takes.
const ACCEPTABLE: u32 = 64;
/// What the client puts, and asks by: more than one unit.
const MESSAGE: [u8; 600] = [7; 600];

/// One try.
pub fn run(data: &[u8]) {
    server(data);
    client(data, true);
    client(data, false);
}

fn server(data: &[u8]) {
    let (mut ours, mut theirs) = pair();
    let (put, mut sent) = (Arc::new(AtomicUsize::new(0)), 0);
    let shelf = Counted(Arc::clone(&put));
    let mut server = Server::listen(&mut ours, DEFAULT_SERVER, Some(Sap::SNEP), shelf).expect("a free point");
    let talk = theirs.connect(Destination::Point(Sap::SNEP)).expect("a free point");
    turns(&mut ours, &mut theirs);
    for unit in pieces::of(data) {
        if theirs.send(talk, unit.to_vec()).is_err() {
            break;
        }
        sent += unit.len();
        for _ in 0..2 {
            turns(&mut ours, &mut theirs);
            server.poll(&mut ours).expect("the link holds");
        }
        while let Some(answer) = theirs.receive(talk) {
            Frame::parse(&answer).expect("a frame");
        }
    }
    assert!(put.load(Ordering::Relaxed) <= sent, "a message is longer than what was sent");
}

fn client(data: &[u8], gets: bool) {
    let (mut ours, mut theirs) = pair();
    let at = theirs.listen(DEFAULT_SERVER, Some(Sap::SNEP), Terms::default()).expect("a free point");
    let client = match gets {
        true => Client::get_from(&mut ours, DEFAULT_SERVER, &MESSAGE, ACCEPTABLE),
        false => Client::put(&mut ours, &MESSAGE),
    };
    let mut client = client.expect("a free point");
    turns(&mut ours, &mut theirs);
    let talk = theirs.accept(at).expect("a connection");
    for unit in pieces::of(data) {
        let _ = theirs.send(talk, unit.to_vec());
        turns(&mut ours, &mut theirs);
        if let Some(result) = client.poll(&mut ours) {
            let most = if gets { ACCEPTABLE as usize } else { 0 };
            assert!(result.is_err() || result.is_ok_and(|message| message.len() <= most));
            assert!(client.poll(&mut ours).is_none(), "it is told once");
            return;
        }
    }
    theirs.disconnect(talk);
    turns(&mut ours, &mut theirs);
    assert!(client.poll(&mut ours).is_some(), "the server has gone");
}

/// Two links that have met.
fn pair() -> (Link, Link) {
    let mut links = (Link::new(LinkParameters::default()), Link::new(LinkParameters::default()));
    let general = links.0.general_bytes();
    links.0.meet(&general).expect("LLCP");
    links.1.meet(&general).expect("LLCP");
    links
}

/// Enough turns of either side for what one unit brings about.
fn turns(ours: &mut Link, theirs: &mut Link) {
    for _ in 0..8 {
        theirs.take(&ours.say_next()).expect("a unit");
        ours.take(&theirs.say_next()).expect("a unit");
    }
}

/// Counts the bytes of what is put.
struct Counted(Arc<AtomicUsize>);

impl Shelf for Counted {
    fn put(&mut self, message: Vec<u8>) -> Response {
        self.0.fetch_add(message.len(), Ordering::Relaxed);
        Response::SUCCESS
    }
}
