//! How the two meet: the initiator polls, the target lets itself be found, and both tell
//! who they are (ISO/IEC 18092, 11 and 12.6.1; ISO/IEC 14443-3, 6.5; JIS X 6319-4).

use super::framing::{unwrap, wrap};
use crate::air::link::{Air, Heard, LinkError, Modulation, RfFrame, Technology};
use crate::base::context::Context;
use crate::words::iso18092::{
    AttributeRequest, AttributeResponse, BitRate, LengthReduction, NfcDepFrame, ParameterRequest,
    waiting_time,
};
use std::time::Duration;

/// SENS_REQ, a short frame.
const SENS_REQ: &[u8] = &[0x26];
/// ALL_REQ, which wakes sleeping ones too.
const ALL_REQ: &[u8] = &[0x52];
const SDD_REQ: &[u8] = &[0x93, 0x20];
const SEL_REQ: &[u8] = &[0x93, 0x70];
/// SENS_RES of a target with a single size identifier, least significant byte first.
const SENS_RES: &[u8] = &[0x01, 0x01];
/// SEL_RES: NFC-DEP is spoken.
const SPEAKS_NFC_DEP: u8 = 0x40;
/// First byte of a random single size identifier (ISO/IEC 14443-3, 6.5.4).
const RANDOM_ID: u8 = 0x08;
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

/// Looks for a target at 106 kbit/s until one answers.
pub(super) fn find(
    air: &mut impl Air,
    identity: &Identity,
    polling: Polling,
    context: &mut Context,
) -> Result<Found, LinkError> {
    let mut left = polling.timeout;
    loop {
        if let Some(answer) = ask(air, SENS_REQ.to_vec(), context)?
            && answer.len() == 2
            && let Some(found) = meet(air, identity, polling.rate, context)?
        {
            return Ok(found);
        }
        // An air that answers nothing has let the whole of it pass.
        left = left.saturating_sub(ANSWER);
        if left.is_zero() {
            return Err(nobody(air, polling.timeout));
        }
    }
}

/// Resolves, selects and greets; `None` where the device does not speak NFC-DEP, or is
/// gone again.
fn meet(
    air: &mut impl Air,
    identity: &Identity,
    rate: BitRate,
    context: &mut Context,
) -> Result<Option<Found>, LinkError> {
    let Some(id) = ask(air, SDD_REQ.to_vec(), context)? else { return Ok(None) };
    match ask(air, [SEL_REQ, &id].concat(), context)?.as_deref() {
        Some([sel, ..]) if sel & SPEAKS_NFC_DEP != 0 => {}
        _ => return Ok(None),
    }
    let request = NfcDepFrame::AttributeRequest(AttributeRequest {
        id: context.random(),
        did: 0,
        rates: [0, 0],
        length: LengthReduction::LONGEST,
        general: identity.general.clone(),
    });
    let Some(NfcDepFrame::AttributeResponse(response)) = greet(air, &request, ANSWER, context)? else {
        return Ok(None);
    };
    if rate == BitRate::Kbps106 {
        return Ok(Some(Found { response, rate }));
    }
    let wait = waiting_time(response.timeout).max(ANSWER);
    let change = NfcDepFrame::ParameterRequest(ParameterRequest::at(rate));
    match greet(air, &change, wait, context)? {
        Some(NfcDepFrame::ParameterResponse(_)) => Ok(Some(Found { response, rate })),
        _ => Ok(None),
    }
}

/// A request at 106 kbit/s, and its response where one comes.
fn greet(
    air: &mut impl Air,
    request: &NfcDepFrame,
    wait: Duration,
    context: &mut Context,
) -> Result<Option<NfcDepFrame>, LinkError> {
    air.send(&wrap(request, BitRate::Kbps106), context)?;
    match air.receive(wait, context)? {
        Some(Heard::Frame(frame)) => Ok(unwrap(&frame, "meeting the other device").ok()),
        _ => Ok(None),
    }
}

fn ask(air: &mut impl Air, bytes: Vec<u8>, context: &mut Context) -> Result<Option<Vec<u8>>, LinkError> {
    air.send(&RfFrame { modulation: Modulation::A106, bytes }, context)?;
    match air.receive(ANSWER, context)? {
        Some(Heard::Frame(frame)) if frame.modulation == Modulation::A106 => Ok(Some(frame.bytes)),
        _ => Ok(None),
    }
}

fn nobody(air: &impl Air, timeout: Duration) -> LinkError {
    LinkError::timeout(format!("of another device at {}", air.place()), timeout)
}

/// What a target knows once it has been found: who the initiator is, at which rate it
/// goes on, and the first block where that has come already.
pub(super) struct Met {
    pub request: AttributeRequest,
    pub rate: BitRate,
    pub first: RfFrame,
}

/// Lets itself be found, in type A and in type F.
pub(super) fn be_found(
    air: &mut impl Air,
    identity: &Identity,
    timeout: Duration,
    context: &mut Context,
) -> Result<Met, LinkError> {
    let random: [u8; 9] = context.random();
    let [_, a, b, c, f @ ..] = random;
    let id = [RANDOM_ID, a, b, c];
    let check = id.iter().fold(0, |sum, byte| sum ^ byte);
    // NFCID2 of a device that speaks NFC-DEP begins with 01FE.
    let id_f = [[0x01, 0xFE].as_slice(), &f, &[0]].concat();
    let mut met: Option<(AttributeRequest, BitRate)> = None;
    loop {
        let Some(heard) = air.receive(timeout, context)? else {
            return Err(nobody(air, timeout));
        };
        let Heard::Frame(frame) = heard else {
            met = None;
            continue;
        };
        let answer = |bytes: Vec<u8>| RfFrame { modulation: frame.modulation, bytes };
        let (modulation, bytes) = (frame.modulation, frame.bytes.as_slice());
        if modulation == Modulation::A106 && [SENS_REQ, ALL_REQ].contains(&bytes) {
            met = None;
            air.send(&answer(SENS_RES.to_vec()), context)?;
        } else if modulation == Modulation::A106 && bytes == SDD_REQ {
            air.send(&answer([id.as_slice(), &[check]].concat()), context)?;
        } else if modulation == Modulation::A106 && bytes.starts_with(SEL_REQ) {
            if bytes[2..] == [id.as_slice(), &[check]].concat() {
                air.send(&answer(vec![SPEAKS_NFC_DEP]), context)?;
            }
        } else if modulation.technology == Technology::F && bytes.get(1) == Some(&0) && bytes.len() == 6 {
            // SENSF_REQ, and SENSF_RES with eight bytes of padding.
            met = None;
            let response = [&[18, 1], id_f.as_slice(), &[0; 8]].concat();
            air.send(&answer(response), context)?;
        } else {
            match (unwrap(&frame, "meeting the other device"), &mut met) {
                (Ok(NfcDepFrame::AttributeRequest(request)), met) => {
                    let response = NfcDepFrame::AttributeResponse(AttributeResponse {
                        id: context.random(),
                        did: request.did,
                        rates: [0, 0],
                        timeout: identity.timeout,
                        length: LengthReduction::LONGEST,
                        general: identity.general.clone(),
                    });
                    air.send(&wrap(&response, modulation.rate), context)?;
                    *met = Some((request, modulation.rate));
                }
                (Ok(NfcDepFrame::ParameterRequest(change)), Some((_, rate))) => {
                    if let Some(next) = change.rate() {
                        air.send(&wrap(&NfcDepFrame::ParameterResponse(change.did), *rate), context)?;
                        *rate = next;
                    }
                }
                (Ok(NfcDepFrame::Exchange { .. }), Some((request, rate))) if *rate == modulation.rate => {
                    return Ok(Met { request: request.clone(), rate: *rate, first: frame });
                }
                // Noise, or words to a device that is gone.
                _ => {}
            }
        }
    }
}
