//! The initiator's side of NFC-DEP (ISO/IEC 18092, 12.6.4): it asks, and asks again where
//! no answer came or none that it could read.

use super::activation::{Identity, Polling, change_rate, find};
use super::framing::{LONGEST_PAYLOAD, OVERHEAD, unwrap, wrap};
use crate::air::link::parts::{join, parts};
use crate::air::link::patience::{Extensions, GRACE, PARTING};
use crate::air::link::{Air, Heard, LinkError, Peer, PeerActivation};
use crate::base::context::Context;
use crate::words::iso18092::{AttributeResponse, BitRate, NfcDepFrame, Pfb, PfbKind, Side, waiting_time};
use std::time::Duration;

/// How often in a row a block is asked for again before the device counts as gone.
const RETRIES: u8 = 3;
const DURING: &str = "exchanging with the other device";

/// A target, as its initiator holds it.
#[derive(Debug)]
pub struct Initiator<A> {
    air: A,
    talk: InitiatorTalk,
}

/// An initiator's conversation with a target, whatever air they have.
#[derive(Debug)]
pub struct InitiatorTalk {
    activation: PeerActivation,
    rate: BitRate,
    /// PNI of the next block.
    number: u8,
    /// RWT.
    waiting: Duration,
    /// The most bytes of data in a block.
    most: usize,
}

impl<A: Air> Initiator<A> {
    /// Looks for a target and greets it.
    ///
    /// # Errors
    /// None answers in time.
    pub fn find(
        mut air: A,
        identity: &Identity,
        polling: Polling,
        context: &mut Context,
    ) -> Result<Self, LinkError> {
        let found = find(&mut air, identity, polling, context)?;
        let talk = InitiatorTalk::with(&found.response, found.rate, air.place());
        Ok(Self { air, talk })
    }
}

impl<A: Air> Peer for Initiator<A> {
    fn activation(&self) -> &PeerActivation {
        &self.talk.activation
    }

    /// `timeout` is the target's own affair here: it answers within its waiting time, or
    /// asks for more.
    fn exchange(
        &mut self,
        payload: Option<&[u8]>,
        _timeout: Duration,
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        self.talk.exchange(&mut self.air, payload.unwrap_or_default(), context)
    }

    fn release(&mut self, context: &mut Context) {
        self.talk.release(&mut self.air, context);
        let _ = self.air.field_off(context);
    }
}

impl InitiatorTalk {
    /// With a target at `place` that has answered the greeting, and goes on at this rate.
    pub fn with(response: &AttributeResponse, rate: BitRate, place: &str) -> Self {
        let activation = PeerActivation {
            side: Side::Initiator,
            general: response.general.clone(),
            place: place.to_owned(),
        };
        let waiting = waiting_time(response.timeout) + GRACE;
        Self { activation, rate, number: 0, waiting, most: response.length.bytes() - OVERHEAD }
    }

    /// Says something and gives what comes back.
    ///
    /// # Errors
    /// As [`Peer::exchange`].
    pub fn exchange(
        &mut self,
        air: &mut dyn Air,
        payload: &[u8],
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        let mut answer = None;
        for (piece, more) in parts(payload, self.most) {
            let (pfb, data) = self.ask(air, Pfb::information(self.number, more), piece, context)?;
            let number = self.next_number();
            match pfb.kind() {
                PfbKind::Ack if more && pfb.number() == number => {}
                PfbKind::Information { more: goes_on } if !more && pfb.number() == number => {
                    answer = Some((data, goes_on));
                }
                _ => {
                    return Err(unexpected(
                        if more { "an acknowledgement" } else { "information" },
                        number,
                        pfb,
                    ));
                }
            }
        }
        let (mut whole, mut goes_on) = answer.unwrap_or_default();
        while goes_on {
            let (pfb, data) = self.ask(air, Pfb::ack(self.number), &[], context)?;
            let number = self.next_number();
            match pfb.kind() {
                PfbKind::Information { more } if pfb.number() == number => {
                    join(&mut whole, &data, LONGEST_PAYLOAD, DURING)?;
                    goes_on = more;
                }
                _ => return Err(unexpected("more information", number, pfb)),
            }
        }
        Ok(whole)
    }

    /// Parts: the target is told.
    pub fn release(&mut self, air: &mut dyn Air, context: &mut Context) {
        let request = NfcDepFrame::Release { side: Side::Initiator, did: None };
        // It is over in any case.
        if air.send(&wrap(&request, self.rate), context).is_ok() {
            let _ = air.receive(self.waiting.min(PARTING), context);
        }
    }

    /// Goes on at another rate, if the target agrees.
    ///
    /// # Errors
    /// The air fails.
    pub fn change_rate(
        &mut self,
        air: &mut dyn Air,
        rate: BitRate,
        context: &mut Context,
    ) -> Result<bool, LinkError> {
        let agrees = change_rate(air, (self.rate, rate), self.waiting, context)?;
        if agrees {
            self.rate = rate;
        }
        Ok(agrees)
    }

    /// Sends a block until an answer comes that is one.
    fn ask(
        &mut self,
        air: &mut dyn Air,
        pfb: Pfb,
        data: &[u8],
        context: &mut Context,
    ) -> Result<(Pfb, Vec<u8>), LinkError> {
        let block = NfcDepFrame::block(Side::Initiator, pfb, data);
        let (mut frame, mut wait) = (block.clone(), self.waiting);
        let (mut tries, mut extensions) = (0, Extensions::default());
        loop {
            air.send(&wrap(&frame, self.rate), context)?;
            let heard = match air.receive(wait, context)? {
                Some(Heard::FieldOff) => return Err(self.activation.parted()),
                Some(Heard::Frame(frame)) => Some(unwrap(&frame, DURING)),
                None => None,
            };
            wait = self.waiting;
            match heard {
                Some(Ok(NfcDepFrame::Exchange { side: Side::Target, pfb, data, .. })) => match pfb.kind() {
                    PfbKind::TimeoutExtension => {
                        let extension = extensions.grant(data.first().copied().unwrap_or(1));
                        let extension = extension.ok_or_else(|| self.activation.silent(wait))?;
                        wait = self.waiting * u32::from(extension);
                        frame = NfcDepFrame::block(Side::Initiator, Pfb::TIMEOUT_EXTENSION, [extension]);
                        tries = 0;
                        continue;
                    }
                    // It is there, and has not heard the block.
                    PfbKind::Attention => frame = block.clone(),
                    _ => return Ok((pfb, data)),
                },
                Some(Ok(NfcDepFrame::Release { .. } | NfcDepFrame::Deselect { .. })) => {
                    return Err(self.activation.parted());
                }
                Some(Ok(other)) => {
                    return Err(LinkError::protocol(DURING, "a DEP_RES", format!("{other:?}")));
                }
                Some(Err(error)) if tries == RETRIES => return Err(error),
                Some(Err(_)) => {
                    frame = NfcDepFrame::block(Side::Initiator, Pfb::nack(self.number), []);
                }
                None => frame = NfcDepFrame::block(Side::Initiator, Pfb::ATTENTION, []),
            }
            tries += 1;
            if tries > RETRIES {
                return Err(self.activation.silent(wait));
            }
        }
    }

    fn next_number(&mut self) -> u8 {
        let number = self.number;
        self.number = (number + 1) & 3;
        number
    }
}

fn unexpected(expected: &str, number: u8, pfb: Pfb) -> LinkError {
    LinkError::protocol(DURING, format!("{expected} with number {number}"), format!("PFB {:02X}", pfb.0))
}
