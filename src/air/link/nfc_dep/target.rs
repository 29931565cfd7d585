//! The target's side of NFC-DEP (ISO/IEC 18092, 12.6.4): it answers, and answers again
//! where it is asked again.

use super::activation::{Identity, Met, be_found};
use super::framing::{LONGEST_PAYLOAD, OVERHEAD, unwrap, wrap};
use crate::air::link::parts::{join, parts};
use crate::air::link::{Air, Heard, LinkError, Peer, PeerActivation, RfFrame};
use crate::base::context::Context;
use crate::words::iso18092::{BitRate, NfcDepFrame, Pfb, PfbKind, Side};
use std::time::Duration;

const DURING: &str = "answering the other device";

/// An initiator, as its target holds it.
#[derive(Debug)]
pub struct Target<A> {
    air: A,
    talk: TargetTalk,
}

/// A target's conversation with an initiator, whatever air they have.
#[derive(Debug)]
pub struct TargetTalk {
    activation: PeerActivation,
    rate: BitRate,
    /// PNI that the next new block has.
    number: u8,
    /// The most bytes of data in a block.
    most: usize,
    /// A block that came while the two met.
    early: Option<RfFrame>,
    /// What was said last, for an initiator that did not hear it.
    last: Option<RfFrame>,
}

impl<A: Air> Target<A> {
    /// Lets itself be found.
    ///
    /// # Errors
    /// Nobody comes for so long.
    pub fn be_found(
        mut air: A,
        identity: &Identity,
        timeout: Duration,
        context: &mut Context,
    ) -> Result<Self, LinkError> {
        let met = be_found(&mut air, identity, timeout, context)?;
        let talk = TargetTalk::with(met, air.place());
        Ok(Self { air, talk })
    }
}

impl<A: Air> Peer for Target<A> {
    fn activation(&self) -> &PeerActivation {
        &self.talk.activation
    }

    fn exchange(
        &mut self,
        payload: Option<&[u8]>,
        timeout: Duration,
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        if let Some(payload) = payload {
            self.talk.answer(&mut self.air, payload, timeout, context)?;
        }
        self.talk.receive(&mut self.air, timeout, context)
    }

    /// A target has no word for it: it stops answering.
    fn release(&mut self, _context: &mut Context) {}
}

impl TargetTalk {
    /// With an initiator that was met at `place`.
    pub fn with(met: Met, place: &str) -> Self {
        let most = met.request.length.bytes() - OVERHEAD;
        let activation =
            PeerActivation { side: Side::Target, general: met.request.general, place: place.to_owned() };
        Self { activation, rate: met.rate, number: 0, most, early: Some(met.first), last: None }
    }

    /// What the initiator says next.
    ///
    /// # Errors
    /// As [`Peer::exchange`].
    pub fn receive(
        &mut self,
        air: &mut dyn Air,
        timeout: Duration,
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        let mut whole = Vec::new();
        loop {
            let (pfb, data) = self.hear(air, timeout, context)?;
            join(&mut whole, &data, LONGEST_PAYLOAD, DURING)?;
            match pfb.kind() {
                PfbKind::Information { more: false } => return Ok(whole),
                PfbKind::Information { more: true } => self.say(air, Pfb::ack(pfb.number()), &[], context)?,
                _ => {
                    let found = format!("PFB {:02X}", pfb.0);
                    return Err(LinkError::protocol(DURING, "information", found));
                }
            }
        }
    }

    fn say(
        &mut self,
        air: &mut dyn Air,
        pfb: Pfb,
        data: &[u8],
        context: &mut Context,
    ) -> Result<(), LinkError> {
        let frame = wrap(&NfcDepFrame::block(Side::Target, pfb, data), self.rate);
        air.send(&frame, context)?;
        self.last = Some(frame);
        Ok(())
    }

    /// The next block that is new; what asks for old ones is answered here.
    fn hear(
        &mut self,
        air: &mut dyn Air,
        timeout: Duration,
        context: &mut Context,
    ) -> Result<(Pfb, Vec<u8>), LinkError> {
        loop {
            let frame = match self.early.take() {
                Some(frame) => frame,
                None => match air.receive(timeout, context)? {
                    Some(Heard::Frame(frame)) => frame,
                    Some(Heard::FieldOff) => return Err(self.activation.parted()),
                    None => return Err(self.activation.silent(timeout)),
                },
            };
            // What cannot be read is not answered: the initiator asks again (12.6.4.4).
            match unwrap(&frame, DURING) {
                Ok(NfcDepFrame::Exchange { side: Side::Initiator, pfb, data, .. }) => {
                    if let Some(block) = self.new_block(air, pfb, data, context)? {
                        return Ok(block);
                    }
                }
                Ok(NfcDepFrame::Release { did, .. }) => {
                    let response = NfcDepFrame::Release { side: Side::Target, did };
                    return self.part(air, &response, context);
                }
                Ok(NfcDepFrame::Deselect { did, .. }) => {
                    let response = NfcDepFrame::Deselect { side: Side::Target, did };
                    return self.part(air, &response, context);
                }
                _ => {}
            }
        }
    }

    fn part<T>(
        &mut self,
        air: &mut dyn Air,
        response: &NfcDepFrame,
        context: &mut Context,
    ) -> Result<T, LinkError> {
        air.send(&wrap(response, self.rate), context)?;
        Err(self.activation.parted())
    }

    /// A block with the number that is due, or an acknowledgement of the last one.
    fn new_block(
        &mut self,
        air: &mut dyn Air,
        pfb: Pfb,
        data: Vec<u8>,
        context: &mut Context,
    ) -> Result<Option<(Pfb, Vec<u8>)>, LinkError> {
        let due = pfb.number() == self.number;
        match pfb.kind() {
            PfbKind::Information { .. } | PfbKind::Ack if due => {
                self.number = (self.number + 1) & 3;
                return Ok(Some((pfb, data)));
            }
            PfbKind::Attention => {
                let answer = wrap(&NfcDepFrame::block(Side::Target, Pfb::ATTENTION, []), self.rate);
                air.send(&answer, context)?;
            }
            PfbKind::Information { .. } | PfbKind::Ack | PfbKind::Nack => {
                if let Some(last) = &self.last {
                    air.send(last, context)?;
                }
            }
            // Nothing was asked for that a target could be told of.
            PfbKind::TimeoutExtension | PfbKind::Unknown => {}
        }
        Ok(None)
    }

    /// Says all of it, block by block.
    ///
    /// # Errors
    /// As [`Peer::exchange`].
    pub fn answer(
        &mut self,
        air: &mut dyn Air,
        payload: &[u8],
        timeout: Duration,
        context: &mut Context,
    ) -> Result<(), LinkError> {
        for (piece, more) in parts(payload, self.most) {
            // The number of the block that is answered.
            let number = self.number.wrapping_sub(1);
            self.say(air, Pfb::information(number, more), piece, context)?;
            if !more {
                break;
            }
            let (pfb, _) = self.hear(air, timeout, context)?;
            if pfb.kind() != PfbKind::Ack {
                let found = format!("PFB {:02X}", pfb.0);
                return Err(LinkError::protocol(DURING, "an acknowledgement", found));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::link::{Identity, Initiator, Polling};
    use crate::base::event::Discard;
    use std::collections::BTreeSet;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    const LONG: Duration = Duration::from_secs(20);

    /// One end of an air in this process that loses or garbles some of what it sends.
    #[derive(Debug)]
    struct Wire {
        out: Sender<Heard>,
        heard: Receiver<Heard>,
        sent: usize,
        lost: BTreeSet<usize>,
        garbled: BTreeSet<usize>,
    }

    impl Air for Wire {
        fn place(&self) -> &str {
            "a test"
        }

        fn send(&mut self, frame: &RfFrame, _: &mut Context) -> Result<(), LinkError> {
            while self.heard.try_recv().is_ok() {}
            let mut frame = frame.clone();
            self.sent += 1;
            if self.garbled.contains(&self.sent) {
                frame.bytes.pop();
            }
            if !self.lost.contains(&self.sent) {
                // The other end may have gone.
                let _ = self.out.send(Heard::Frame(frame));
            }
            Ok(())
        }

        fn receive(&mut self, timeout: Duration, _: &mut Context) -> Result<Option<Heard>, LinkError> {
            Ok(self.heard.recv_timeout(timeout).ok())
        }

        fn field_off(&mut self, _: &mut Context) -> Result<(), LinkError> {
            let _ = self.out.send(Heard::FieldOff);
            Ok(())
        }
    }

    fn wires() -> (Wire, Wire) {
        let ((there, here), (back, away)) = (channel(), channel());
        let wire = |out, heard| Wire { out, heard, sent: 0, lost: BTreeSet::new(), garbled: BTreeSet::new() };
        (wire(there, away), wire(back, here))
    }

    fn identity(name: &str) -> Identity {
        Identity { general: name.into(), timeout: 4 }
    }

    /// Sends payloads of many lengths to a target that sends them back, and parts.
    fn talk(initiator: Wire, target: Wire, rate: BitRate) {
        let serving = thread::spawn(move || {
            let mut context = Context::simulated(2, Discard);
            let mut peer = Target::be_found(target, &identity("target"), LONG, &mut context).unwrap();
            assert_eq!(peer.activation().general, b"initiator");
            let mut answer: Option<Vec<u8>> = None;
            loop {
                match peer.exchange(answer.as_deref(), LONG, &mut context) {
                    Ok(heard) => answer = Some(heard),
                    Err(error) => return error,
                }
            }
        });
        let mut context = Context::simulated(1, Discard);
        let polling = Polling { timeout: LONG, rate };
        let mut peer = Initiator::find(initiator, &identity("initiator"), polling, &mut context).unwrap();
        assert_eq!(
            (peer.activation().side, peer.activation().general.as_slice()),
            (Side::Initiator, &b"target"[..])
        );
        for length in [0, 1, 2, 250, 251, 252, 502, 503, 1500] {
            let payload: Vec<u8> = (0..length).map(|index| index as u8).collect();
            assert_eq!(peer.exchange(Some(&payload), LONG, &mut context).unwrap(), payload, "{length}");
        }
        peer.release(&mut context);
        assert_eq!(serving.join().unwrap(), LinkError::Parted { place: "a test".into() });
    }

    #[test]
    fn payloads_of_any_length_go_to_and_fro() {
        for rate in BitRate::ALL {
            let (initiator, target) = wires();
            talk(initiator, target, rate);
        }
    }

    #[test]
    fn what_is_lost_or_garbled_is_asked_for_again() {
        // The first six are of the meeting.
        for number in 7..22 {
            for (from_initiator, is_lost) in [(true, true), (true, false), (false, true), (false, false)] {
                let (mut initiator, mut target) = wires();
                let wire = if from_initiator { &mut initiator } else { &mut target };
                if is_lost { &mut wire.lost } else { &mut wire.garbled }.insert(number);
                talk(initiator, target, BitRate::Kbps106);
            }
        }
    }

    #[test]
    fn a_device_that_is_gone_is_an_error() {
        let (initiator, target) = wires();
        drop(target);
        let mut context = Context::simulated(1, Discard);
        let polling = Polling { timeout: Duration::from_secs(1), rate: BitRate::Kbps106 };
        let error = Initiator::find(initiator, &identity("x"), polling, &mut context).unwrap_err();
        assert!(
            error.to_string().contains("no answer of another device at a test within 1000 ms"),
            "{error}"
        );
    }
}
