//! The initiator's side of NFC-DEP (ISO/IEC 18092, 12.6.4): it asks, and asks again where
//! no answer came or none that it could read.

use super::activation::{Identity, Polling, find};
use super::framing::{OVERHEAD, join, unwrap, wrap};
use crate::air::link::{Air, Heard, LinkError, Peer, PeerActivation};
use crate::base::context::Context;
use crate::words::iso18092::{BitRate, NfcDepFrame, Pfb, PfbKind, Side, waiting_time};
use std::time::Duration;

/// How often in a row a block is asked for again before the device counts as gone.
const RETRIES: u8 = 3;
/// How often in a row a target may ask for time.
const EXTENSIONS: u16 = 600;
/// RTOX has six bits; 0 and what is above 59 are not to be used.
const MOST_EXTENSION: u8 = 59;
/// How much longer than its waiting time a target on a socket may take.
const GRACE: Duration = Duration::from_millis(100);
const DURING: &str = "exchanging with the other device";

/// A target, as its initiator holds it.
#[derive(Debug)]
pub struct Initiator<A> {
    air: A,
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
        let activation = PeerActivation {
            side: Side::Initiator,
            general: found.response.general,
            place: air.place().to_owned(),
        };
        let waiting = waiting_time(found.response.timeout) + GRACE;
        let most = found.response.length.bytes() - OVERHEAD;
        Ok(Self { air, activation, rate: found.rate, number: 0, waiting, most })
    }

    /// Sends a block until an answer comes that is one.
    fn ask(&mut self, pfb: Pfb, data: &[u8], context: &mut Context) -> Result<(Pfb, Vec<u8>), LinkError> {
        let block = NfcDepFrame::block(Side::Initiator, pfb, data);
        let (mut frame, mut wait) = (block.clone(), self.waiting);
        let (mut tries, mut extensions) = (0, 0);
        loop {
            self.air.send(&wrap(&frame, self.rate), context)?;
            let heard = match self.air.receive(wait, context)? {
                Some(Heard::FieldOff) => return Err(self.activation.parted()),
                Some(Heard::Frame(frame)) => Some(unwrap(&frame, DURING)),
                None => None,
            };
            wait = self.waiting;
            match heard {
                Some(Ok(NfcDepFrame::Exchange { side: Side::Target, pfb, data, .. })) => match pfb.kind() {
                    PfbKind::TimeoutExtension => {
                        let extension = data.first().copied().unwrap_or(1).clamp(1, MOST_EXTENSION);
                        extensions += 1;
                        if extensions > EXTENSIONS {
                            return Err(self.activation.silent(wait));
                        }
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
                    return Err(protocol("a DEP_RES", format!("{other:?}")));
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

impl<A: Air> Peer for Initiator<A> {
    fn activation(&self) -> &PeerActivation {
        &self.activation
    }

    /// `timeout` is the target's own affair here: it answers within its waiting time, or
    /// asks for more.
    fn exchange(
        &mut self,
        payload: Option<&[u8]>,
        _timeout: Duration,
        context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        let payload = payload.unwrap_or_default();
        let pieces: Vec<&[u8]> =
            if payload.is_empty() { vec![payload] } else { payload.chunks(self.most).collect() };
        let mut answer = None;
        for (index, piece) in pieces.iter().enumerate() {
            let more = index + 1 < pieces.len();
            let (pfb, data) = self.ask(Pfb::information(self.number, more), piece, context)?;
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
            let (pfb, data) = self.ask(Pfb::ack(self.number), &[], context)?;
            let number = self.next_number();
            match pfb.kind() {
                PfbKind::Information { more } if pfb.number() == number => {
                    join(&mut whole, &data, DURING)?;
                    goes_on = more;
                }
                _ => return Err(unexpected("more information", number, pfb)),
            }
        }
        Ok(whole)
    }

    fn release(&mut self, context: &mut Context) {
        let request = NfcDepFrame::Release { side: Side::Initiator, did: None };
        // It is over in any case.
        if self.air.send(&wrap(&request, self.rate), context).is_ok() {
            let _ = self.air.receive(self.waiting, context);
        }
        let _ = self.air.field_off(context);
    }
}

fn unexpected(expected: &str, number: u8, pfb: Pfb) -> LinkError {
    protocol(&format!("{expected} with number {number}"), format!("PFB {:02X}", pfb.0))
}

fn protocol(expected: &str, found: String) -> LinkError {
    LinkError::Protocol { during: DURING.into(), expected: expected.into(), found }
}
