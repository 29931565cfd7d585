//! The reader's side of an activation (ISO/IEC 14443-3, 6.5 and 7.4; 14443-4, 5): it looks for
//! a card, learns its identifier, and selects it.

use crate::air::link::{Air, Heard, LinkError, Modulation, RfFrame, Technology};
use crate::base::context::Context;
use crate::words::iso14443::{
    Attrib, CASCADE_TAG, NVB_ALL, NVB_NONE, Rats, SEL, SelRes, SensbReq, SensbRes, check_byte,
};
use crate::words::iso18092::BitRate;
use std::time::Duration;

/// How long an answer may take after the first one; the standard's microseconds are too
/// few for a socket.
const ANSWER: Duration = Duration::from_millis(200);
/// How long an ATS may take: its activation frame waiting time is 4.8 ms.
const ACTIVATION: Duration = Duration::from_millis(400);

/// A card of type A that was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardA {
    /// SENS_RES, least significant byte first.
    pub sens_res: [u8; 2],
    /// SEL_RES.
    pub sel_res: SelRes,
    /// Its identifier, 4, 7 or 10 bytes.
    pub uid: Vec<u8>,
}

/// Looks for a card of type A with `wake` (SENS_REQ or ALL_REQ) and selects it; `None` where
/// none answers within `wait`, or it goes away.
pub fn poll_a(
    air: &mut dyn Air,
    wake: u8,
    wait: Duration,
    context: &mut Context,
) -> Result<Option<CardA>, LinkError> {
    let Some(sens) = ask(air, Modulation::A106, vec![wake], wait, context)? else { return Ok(None) };
    let [first, second] = sens[..] else { return Ok(None) };
    let mut uid = Vec::new();
    for command in SEL {
        let id = ask(air, Modulation::A106, vec![command, NVB_NONE], ANSWER, context)?;
        let Some([id @ .., check]) = id.as_deref() else { return Ok(None) };
        if id.len() != 4 || *check != check_byte(id) {
            return Ok(None);
        }
        let select = [&[command, NVB_ALL][..], id, &[*check]].concat();
        let Some(answer) = ask(air, Modulation::A106, select, ANSWER, context)? else { return Ok(None) };
        let Some(sel_res) = answer.first().copied().map(SelRes) else { return Ok(None) };
        if !sel_res.has(SelRes::CASCADE) {
            uid.extend_from_slice(id);
            return Ok(Some(CardA { sens_res: [first, second], sel_res, uid }));
        }
        // The cascade tag is no part of the identifier.
        uid.extend_from_slice(id.strip_prefix(&[CASCADE_TAG]).unwrap_or(id));
    }
    Ok(None)
}

/// Asks a selected card for its ATS, which comes with its length byte; `None` where none comes.
pub fn send_rats(air: &mut dyn Air, rats: Rats, context: &mut Context) -> Result<Option<Vec<u8>>, LinkError> {
    ask(air, Modulation::A106, rats.to_bytes(), ACTIVATION, context)
}

/// Looks for a card of type B.
pub fn poll_b(
    air: &mut dyn Air,
    request: SensbReq,
    wait: Duration,
    context: &mut Context,
) -> Result<Option<SensbRes>, LinkError> {
    let found = ask(air, Modulation::B106, request.to_bytes(), wait, context)?;
    Ok(found.and_then(|bytes| SensbRes::parse(&bytes).ok()))
}

/// Selects a card of type B; `None` where it does not answer.
pub fn select_b(
    air: &mut dyn Air,
    attrib: &Attrib,
    context: &mut Context,
) -> Result<Option<Vec<u8>>, LinkError> {
    ask(air, Modulation::B106, attrib.to_bytes(), ACTIVATION, context)
}

/// Asks whoever has an identifier in type F with this SENSF_REQ (behind its length byte), at a rate;
/// gives its SENSF_RES, length byte first.
pub fn poll_f(
    air: &mut dyn Air,
    rate: BitRate,
    request: &[u8],
    wait: Duration,
    context: &mut Context,
) -> Result<Option<Vec<u8>>, LinkError> {
    let modulation = Modulation { rate, technology: Technology::F };
    // SENSF_REQ has five bytes; what a host of the chip gives may be longer, and finds nobody.
    let length = u8::try_from(request.len() + 1).unwrap_or(u8::MAX);
    ask(air, modulation, [&[length], request].concat(), wait, context)
}

/// Says something and gives the answer in the same modulation; `None` where none comes.
fn ask(
    air: &mut dyn Air,
    modulation: Modulation,
    bytes: Vec<u8>,
    wait: Duration,
    context: &mut Context,
) -> Result<Option<Vec<u8>>, LinkError> {
    air.send(&RfFrame { modulation, bytes }, context)?;
    Ok(match air.receive(wait, context)? {
        Some(Heard::Frame(frame)) if frame.modulation == modulation => Some(frame.bytes),
        _ => None,
    })
}
