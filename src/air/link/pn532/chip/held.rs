//! A card that the chip holds as a reader: how each kind is found, and spoken to (PN532 user
//! manual, 7.3.5 and 7.3.8).

use crate::air::link::iso_dep::{CardA, Pcd, poll_a, poll_b, poll_f, select_b, send_rats};
use crate::air::link::pn532::command::{InListPassiveTarget, Status, TargetA, TargetB, Wire};
use crate::air::link::{Air, Heard, InitiatorTalk, LinkError, Modulation, RfFrame, Technology};
use crate::base::context::Context;
use crate::words::iso14443::{ALL_REQ, Ats, Attrib, Rats, SENS_REQ, SelRes, SensbReq};
use crate::words::iso18092::BitRate;
use std::time::Duration;

/// How long a card is waited for in one search; hosts give three of them 300 ms.
pub(super) const SEARCH: Duration = Duration::from_millis(80);
/// AFI of any card, and the bit that wakes.
const WAKES_B: [u8; 2] = [0x00, 0x08];
/// What no timeout is taken for.
const LONGEST: Duration = Duration::from_millis(1500);

/// What is told of a card, the card, and how it is spoken to.
pub(super) type FoundCard = Option<(Vec<u8>, Held, Modulation)>;

/// A card, by its kind.
#[derive(Debug)]
pub(super) enum Held {
    /// Type A; with ISO-DEP where the chip has sent RATS.
    A(Option<Pcd>),
    /// Type B with ISO-DEP.
    B(Pcd),
    /// FeliCa.
    F(Modulation),
    /// A target of NFC-DEP.
    Dep(Box<InitiatorTalk>),
}

impl Held {
    /// One search for a card of a kind (BrTy); `number` is what it will be called by.
    pub(super) fn find(
        air: &mut dyn Air,
        (kind, data): (u8, &[u8]),
        number: u8,
        sends_rats: bool,
        context: &mut Context,
    ) -> Result<FoundCard, LinkError> {
        match kind {
            InListPassiveTarget::A => find_a(air, number, sends_rats, context),
            InListPassiveTarget::B => find_b(air, number, data, context),
            InListPassiveTarget::F212 => find_f(air, number, BitRate::Kbps212, data, context),
            InListPassiveTarget::F424 => find_f(air, number, BitRate::Kbps424, data, context),
            _ => Ok(None),
        }
    }

    /// Wakes the card again; `None` where it does not answer.
    pub(super) fn wake(
        &self,
        air: &mut dyn Air,
        sends_rats: bool,
        context: &mut Context,
    ) -> Result<Option<Self>, LinkError> {
        Ok(match self {
            Self::A(_) => match poll_a(air, ALL_REQ, SEARCH, context)? {
                Some(card) => activate_a(air, &card, sends_rats, context)?.map(|(card, _)| card),
                None => None,
            },
            Self::B(_) => find_b(air, 1, &WAKES_B, context)?.map(|(_, card, _)| card),
            Self::F(modulation) => Some(Self::F(*modulation)),
            // A target that was released begins anew, with a greeting.
            Self::Dep(_) => None,
        })
    }

    pub(super) fn sleep(&mut self, air: &mut dyn Air, context: &mut Context) -> Result<(), LinkError> {
        match self {
            Self::A(Some(pcd)) | Self::B(pcd) => pcd.deselect(air, context),
            Self::Dep(talk) => {
                talk.release(air, context);
                Ok(())
            }
            Self::A(None) | Self::F(_) => Ok(()),
        }
    }

    pub(super) fn exchange(
        &mut self,
        air: &mut dyn Air,
        command: &[u8],
        timeout: Option<Duration>,
        context: &mut Context,
    ) -> Result<Vec<u8>, Status> {
        let modulation = match self {
            Self::A(Some(pcd)) | Self::B(pcd) => {
                return pcd.exchange(air, command, context).map_err(|error| match error {
                    LinkError::Protocol { .. } => Status::PROTOCOL,
                    _ => Status::TIMEOUT,
                });
            }
            Self::Dep(talk) => {
                return talk.exchange(air, command, context).map_err(|error| match error {
                    LinkError::Parted { .. } => Status::RELEASED,
                    LinkError::Protocol { .. } => Status::PROTOCOL,
                    _ => Status::TIMEOUT,
                });
            }
            Self::A(..) => Modulation::A106,
            Self::F(modulation) => *modulation,
        };
        let frame = RfFrame { modulation, bytes: command.to_vec() };
        air.send(&frame, context).map_err(|_| Status::TIMEOUT)?;
        match air.receive(timeout.unwrap_or(LONGEST), context) {
            Ok(Some(Heard::Frame(frame))) => Ok(frame.bytes),
            _ => Err(Status::TIMEOUT),
        }
    }
}

fn find_a(
    air: &mut dyn Air,
    number: u8,
    sends_rats: bool,
    context: &mut Context,
) -> Result<FoundCard, LinkError> {
    let Some(card) = poll_a(air, SENS_REQ, SEARCH, context)? else { return Ok(None) };
    let Some((held, ats)) = activate_a(air, &card, sends_rats, context)? else { return Ok(None) };
    let [low, high] = card.sens_res;
    let (sel_res, uid) = (card.sel_res.0, card.uid);
    let told = TargetA { number, sens_res: [high, low], sel_res, uid, ats };
    Ok(Some((told.to_bytes(), held, Modulation::A106)))
}

/// Sends RATS where the card speaks ISO-DEP and the chip does so by itself; `None` where the
/// card does not answer it.
fn activate_a(
    air: &mut dyn Air,
    card: &CardA,
    sends_rats: bool,
    context: &mut Context,
) -> Result<Option<(Held, Vec<u8>)>, LinkError> {
    if !sends_rats || !card.sel_res.has(SelRes::ISO_DEP) {
        return Ok(Some((Held::A(None), Vec::new())));
    }
    let Some(bytes) = send_rats(air, Rats { fsdi: Pcd::FSDI, cid: 0 }, context)? else { return Ok(None) };
    let Ok(ats) = Ats::parse(&bytes) else { return Ok(None) };
    let pcd = Pcd::with_a(&ats);
    Ok(Some((Held::A(Some(pcd)), bytes)))
}

fn find_b(air: &mut dyn Air, number: u8, data: &[u8], context: &mut Context) -> Result<FoundCard, LinkError> {
    // The second byte says how to poll; bit 4 wakes sleeping cards.
    let family = data.first().copied().unwrap_or(0);
    let parameter = data.get(1).copied().unwrap_or(0) & 0x08;
    let Some(card) = poll_b(air, SensbReq { family, parameter }, SEARCH, context)? else { return Ok(None) };
    if !card.is_iso_dep() {
        return Ok(None);
    }
    let attrib = Attrib { id: card.id, fsdi: Pcd::FSDI, cid: 0 };
    let Some(answer) = select_b(air, &attrib, context)? else { return Ok(None) };
    let told = TargetB { number, response: card.to_bytes(), attrib: answer };
    Ok(Some((told.to_bytes(), Held::B(Pcd::with_b(card)), Modulation::B106)))
}

fn find_f(
    air: &mut dyn Air,
    number: u8,
    rate: BitRate,
    data: &[u8],
    context: &mut Context,
) -> Result<FoundCard, LinkError> {
    let request = if data.is_empty() { &[0x00, 0xFF, 0xFF, 0x01, 0x00] } else { data };
    let Some(response) = poll_f(air, rate, request, SEARCH, context)? else { return Ok(None) };
    let modulation = Modulation { rate, technology: Technology::F };
    Ok(Some(([&[number], response.as_slice()].concat(), Held::F(modulation), modulation)))
}
