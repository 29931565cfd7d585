//! How the two meet: the initiator polls, the target lets itself be found, and both tell
//! who they are (ISO/IEC 18092, 11 and 12.6.1; ISO/IEC 14443-3, 6.5; JIS X 6319-4).

use super::framing::{unwrap, wrap};
use crate::air::link::iso_dep::{Selection, SelectionStep, poll_a, poll_f};
use crate::air::link::{Air, Heard, LinkError, RfFrame};
use crate::base::context::Context;
use crate::words::iso14443::{SENS_REQ, SelRes, Uid};
use crate::words::iso18092::{
    AttributeRequest, AttributeResponse, BitRate, LengthReduction, NfcDepFrame, ParameterRequest,
    waiting_time,
};
use std::time::Duration;

/// SENS_RES of a target with a single size identifier, least significant byte first.
const SENS_RES: [u8; 2] = [0x01, 0x01];
/// How long an answer in the collision resolution may take; the standard's microseconds
/// are too few for a socket.
const ANSWER: Duration = Duration::from_millis(500);

/// Who a device says that it is, and how it lets others wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Gi or Gt, at most 47 bytes: they must fit one frame.
    pub general: Vec<u8>,
    /// TO of a target, 0 to 14: see [`waiting_time`].
    pub timeout: u8,
}

/// How an initiator looks for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    /// How long, in all.
    pub timeout: Duration,
    /// The rate to go on at, once found.
    pub rate: BitRate,
}

/// What an initiator knows once it has found a target.
pub(super) struct Found {
    pub response: AttributeResponse,
    pub rate: BitRate,
}

/// How an initiator greets a target in passive communication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The rate to meet at: type A at 106 kbit/s, else type F.
    pub rate: BitRate,
    /// SENSF_REQ behind its length byte, for type F.
    pub sensf_req: [u8; 5],
    /// NFCID3i in type A; in type F it follows from the target's identifier (11.2.2.6).
    pub id: [u8; 10],
    /// Gi.
    pub general: Vec<u8>,
    /// How long the first answer is waited for.
    pub wait: Duration,
}

impl Greeting {
    /// SENSF_REQ to whoever is there.
    pub const ANYBODY: [u8; 5] = [0x00, 0xFF, 0xFF, 0x00, 0x00];

    /// Finds a target and greets it; `None` where none answers, or it does not speak NFC-DEP.
    ///
    /// # Errors
    /// The air fails.
    pub fn meet(
        &self,
        air: &mut dyn Air,
        context: &mut Context,
    ) -> Result<Option<AttributeResponse>, LinkError> {
        let id = if self.rate == BitRate::Kbps106 {
            match poll_a(air, SENS_REQ, self.wait, context)? {
                Some(card) if card.sel_res.has(SelRes::NFC_DEP) => self.id,
                _ => return Ok(None),
            }
        } else {
            match self.find_f(air, context)? {
                Some(id) => id,
                None => return Ok(None),
            }
        };
        self.greet_selected(air, id, context)
    }

    /// Greets a target that is selected.
    ///
    /// # Errors
    /// The air fails.
    pub fn greet_selected(
        &self,
        air: &mut dyn Air,
        id: [u8; 10],
        context: &mut Context,
    ) -> Result<Option<AttributeResponse>, LinkError> {
        let request = NfcDepFrame::AttributeRequest(AttributeRequest {
            id,
            did: 0,
            rates: [0, 0],
            length: LengthReduction::LONGEST,
            general: self.general.clone(),
        });
        Ok(match greet(air, &request, self.rate, ANSWER, context)? {
            Some(NfcDepFrame::AttributeResponse(response)) => Some(response),
            _ => None,
        })
    }

    /// NFCID3i for a target of type F: its identifier, and "ST".
    fn find_f(&self, air: &mut dyn Air, context: &mut Context) -> Result<Option<[u8; 10]>, LinkError> {
        Ok(match poll_f(air, self.rate, &self.sensf_req, self.wait, context)?.as_deref() {
            Some([_, 0x01, a, b, c, d, e, f, g, h, ..]) => Some([*a, *b, *c, *d, *e, *f, *g, *h, b'S', b'T']),
            _ => None,
        })
    }
}

/// Looks for a target at 106 kbit/s until one answers.
pub(super) fn find(
    air: &mut dyn Air,
    identity: &Identity,
    polling: Polling,
    context: &mut Context,
) -> Result<Found, LinkError> {
    let mut left = polling.timeout;
    loop {
        let greeting = Greeting {
            rate: BitRate::Kbps106,
            sensf_req: Greeting::ANYBODY,
            id: context.random(),
            general: identity.general.clone(),
            wait: ANSWER,
        };
        if let Some(response) = greeting.meet(air, context)?
            && agree(air, polling.rate, &response, context)?
        {
            return Ok(Found { response, rate: polling.rate });
        }
        // An air that answers nothing has let the whole of it pass.
        left = left.saturating_sub(ANSWER);
        if left.is_zero() {
            return Err(LinkError::nobody(air.place(), polling.timeout));
        }
    }
}

/// Whether the target goes on at this rate.
fn agree(
    air: &mut dyn Air,
    rate: BitRate,
    response: &AttributeResponse,
    context: &mut Context,
) -> Result<bool, LinkError> {
    if rate == BitRate::Kbps106 {
        return Ok(true);
    }
    let wait = waiting_time(response.timeout).max(ANSWER);
    change_rate(air, (BitRate::Kbps106, rate), wait, context)
}

/// Whether the target goes over from one rate to another.
pub(super) fn change_rate(
    air: &mut dyn Air,
    (from, to): (BitRate, BitRate),
    wait: Duration,
    context: &mut Context,
) -> Result<bool, LinkError> {
    let change = NfcDepFrame::ParameterRequest(ParameterRequest::at(to));
    let answer = greet(air, &change, from, wait, context)?;
    Ok(matches!(answer, Some(NfcDepFrame::ParameterResponse(_))))
}

/// A request at a rate, and its response where one comes.
fn greet(
    air: &mut dyn Air,
    request: &NfcDepFrame,
    rate: BitRate,
    wait: Duration,
    context: &mut Context,
) -> Result<Option<NfcDepFrame>, LinkError> {
    air.send(&wrap(request, rate), context)?;
    match air.receive(wait, context)? {
        Some(Heard::Frame(frame)) => Ok(unwrap(&frame, "meeting the other device").ok()),
        _ => Ok(None),
    }
}

/// What a target knows once it has been found: who the initiator is, at which rate it
/// goes on, and the first block where that has come already.
#[derive(Debug)]
pub struct Met {
    /// ATR_REQ.
    pub request: AttributeRequest,
    /// The rate.
    pub rate: BitRate,
    /// The first block.
    pub first: RfFrame,
}

/// A device that lets itself be found, in type A and in type F.
#[derive(Debug)]
pub struct Presence {
    selection: Selection,
    /// SENSF_RES behind its length byte, where it is found in type F.
    sensf_res: Option<Vec<u8>>,
    response: AttributeResponse,
    met: Option<(AttributeRequest, BitRate)>,
}

/// What a frame comes to.
#[derive(Debug)]
pub enum PresenceStep {
    /// Nothing is said.
    Silence,
    /// This is answered.
    Answer(RfFrame),
    /// An initiator has come.
    Met(Met),
}

impl Presence {
    /// A device of these answers; DID of ATR_RES is the initiator's.
    pub fn new(selection: Selection, sensf_res: Option<Vec<u8>>, response: AttributeResponse) -> Self {
        Self { selection, sensf_res, response, met: None }
    }

    /// What is heard, and what it comes to.
    pub fn hear(&mut self, heard: &Heard) -> PresenceStep {
        let Heard::Frame(frame) = heard else {
            self.selection.reset();
            self.met = None;
            return PresenceStep::Silence;
        };
        match self.selection.hear_in(frame, self.sensf_res.as_deref()) {
            SelectionStep::Silence => PresenceStep::Silence,
            SelectionStep::Answer(bytes) => {
                self.met = None;
                PresenceStep::Answer(RfFrame { modulation: frame.modulation, bytes })
            }
            SelectionStep::Beyond => self.greet(frame),
        }
    }

    fn greet(&mut self, frame: &RfFrame) -> PresenceStep {
        match (unwrap(frame, "meeting the other device"), &mut self.met) {
            (Ok(NfcDepFrame::AttributeRequest(request)), met) => {
                let rate = frame.modulation.rate;
                let response = AttributeResponse { did: request.did, ..self.response.clone() };
                *met = Some((request, rate));
                PresenceStep::Answer(wrap(&NfcDepFrame::AttributeResponse(response), rate))
            }
            (Ok(NfcDepFrame::ParameterRequest(change)), Some((_, rate))) => match change.rate() {
                Some(next) => {
                    let answer = wrap(&NfcDepFrame::ParameterResponse(change.did), *rate);
                    *rate = next;
                    PresenceStep::Answer(answer)
                }
                None => PresenceStep::Silence,
            },
            (Ok(NfcDepFrame::Exchange { .. }), Some((request, rate))) if *rate == frame.modulation.rate => {
                let met = Met { request: request.clone(), rate: *rate, first: frame.clone() };
                PresenceStep::Met(met)
            }
            // Noise, or words to a device that is gone.
            _ => PresenceStep::Silence,
        }
    }
}

/// Lets itself be found, in type A and in type F.
pub(super) fn be_found(
    air: &mut dyn Air,
    identity: &Identity,
    timeout: Duration,
    context: &mut Context,
) -> Result<Met, LinkError> {
    let levels = Uid::drawn(context.random()).levels();
    let f: [u8; 5] = context.random();
    // NFCID2 of a device that speaks NFC-DEP begins with 01FE; eight bytes of padding follow.
    let sensf_res = [&[0x01, 0x01, 0xFE][..], &f, &[0; 9]].concat();
    let response = AttributeResponse {
        id: context.random(),
        did: 0,
        rates: [0, 0],
        timeout: identity.timeout,
        length: LengthReduction::LONGEST,
        general: identity.general.clone(),
    };
    let selection = Selection::new(SENS_RES, levels, SelRes::NFC_DEP);
    let mut presence = Presence::new(selection, Some(sensf_res), response);
    loop {
        let heard = air.receive(timeout, context)?.ok_or_else(|| LinkError::nobody(air.place(), timeout))?;
        match presence.hear(&heard) {
            PresenceStep::Silence => {}
            PresenceStep::Answer(frame) => air.send(&frame, context)?,
            PresenceStep::Met(met) => return Ok(met),
        }
    }
}
