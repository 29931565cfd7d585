//! Whatever units come over a link, it says only units, and falls silent once nothing more
//! comes. The first piece is what the other device said of itself.

use super::pieces;
use cardwright::roles::p2p::llcp::{Link, LinkParameters, Pdu, PduType, Terms};

/// More turns than a link has to say of its own.
const TURNS: usize = 4096;

/// One try.
pub fn run(data: &[u8]) {
    let mut pieces = pieces::of(data);
    let mut link = Link::new(LinkParameters::default());
    let echo = link.listen("urn:nfc:sn:co-echo", None, Terms::default()).expect("a free point");
    let datagrams = link.bind(Some("urn:nfc:sn:cl-echo"), 2).expect("a free point");
    link.look_up("urn:nfc:sn:snep");
    let _ = link.meet(pieces.next().unwrap_or_default());
    let mut talks = Vec::new();
    for unit in pieces {
        let _ = link.take(unit);
        talks.extend(link.accept(echo));
        for talk in &talks {
            while let Some(heard) = link.receive(*talk) {
                let _ = link.send(*talk, heard);
            }
        }
        while let Some((from, heard)) = link.receive_from(datagrams) {
            let _ = link.send_to(datagrams, from, &heard);
        }
        say(&mut link);
    }
    assert!((0..TURNS).any(|_| say(&mut link) == Pdu::symmetry()), "it has always more to say");
}

fn say(link: &mut Link) -> Pdu {
    let said = link.say_next();
    let unit = Pdu::parse(&said).expect("a unit");
    assert_eq!(unit.to_bytes(), said);
    if [PduType::UI, PduType::SNL].contains(&unit.kind) {
        assert!(unit.information.len() <= link.remote_miu(), "it is more than the other device takes");
    }
    unit
}
