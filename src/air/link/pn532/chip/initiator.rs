//! The chip as a reader: it finds cards, holds up to two, and speaks their protocol for its
//! host (PN532 user manual, 7.3.5 to 7.3.13).

use super::parts::Parts;
use super::simulator::Chip;
use super::target::Role;
use crate::air::link::iso_dep::{CardA, Pcd, poll_a, poll_b, select_b, send_rats};
use crate::air::link::pn532::command::{
    Diagnose, Exchanged, GeneralStatus, InAtr, InAutoPoll, InDataExchange, InJumpForDep, InListPassiveTarget,
    InPsl, Listed, Polled, SetParameters, Status, TargetA, TargetB, Wire,
};
use crate::air::link::{Air, Greeting, Heard, InitiatorTalk, LinkError, Modulation, RfFrame, Technology};
use crate::base::context::Context;
use crate::words::iso14443::{ALL_REQ, Ats, Attrib, Rats, SENS_REQ, SelRes, SensbReq};
use crate::words::iso18092::{AttributeResponse, BitRate, NfcDepFrame};
use std::time::Duration;

/// How long a card is waited for in one search; hosts give three of them 300 ms.
const SEARCH: Duration = Duration::from_millis(80);
/// How often a target of NFC-DEP is searched for at most.
const JUMPS: u32 = 3;
/// The unit of InAutoPoll's period.
const PERIOD: Duration = Duration::from_millis(150);
/// MaxTg: a chip holds two cards.
const MOST_CARDS: usize = 2;

/// A card that the chip holds.
#[derive(Debug)]
pub(super) struct Slot {
    card: Held,
    is_asleep: bool,
    /// A command's parts so far (MI).
    command: Vec<u8>,
    /// What of a response is still to be fetched.
    left: Parts,
}

#[derive(Debug)]
enum Held {
    /// Type A; with ISO-DEP where the chip has sent RATS.
    A(Option<Pcd>),
    /// Type B with ISO-DEP.
    B(Pcd),
    /// FeliCa.
    F(Modulation),
    /// A target of NFC-DEP.
    Dep(Box<InitiatorTalk>),
}

impl Chip {
    pub(super) fn diagnose(&mut self, command: Diagnose, context: &mut Context) -> Vec<u8> {
        match command.test {
            Diagnose::LINE => command.to_bytes(),
            Diagnose::ATTENTION => {
                let is_there =
                    self.speaking(|air, slots| match slots.first_mut().map(|slot| &mut slot.card) {
                        Some(Held::A(Some(pcd)) | Held::B(pcd)) => pcd.is_there(air, context),
                        _ => Ok(false),
                    });
                vec![if is_there == Some(true) { Status::OK } else { Status::TIMEOUT }.0]
            }
            // Memories and antenna are as they should be.
            _ => vec![Status::OK.0],
        }
    }

    pub(super) fn general_status(&self) -> GeneralStatus {
        let targets = (1..).zip(&self.slots).map(|(number, slot)| match &slot.card {
            Held::A(..) => [number, 0, 0, 0x00],
            Held::B(..) => [number, 0, 0, 0x02],
            Held::Dep(_) => [number, 0, 0, 0x01],
            Held::F(modulation) => [number, modulation.rate.divisor(), modulation.rate.divisor(), 0x10],
        });
        GeneralStatus { error: 0, field: 0, targets: targets.collect(), sam: 0 }
    }

    pub(super) fn list(&mut self, command: &InListPassiveTarget, context: &mut Context) -> Listed {
        self.begin_anew();
        let mut tries = 0;
        while !self.host.is_impatient() && self.settings.searches().is_none_or(|most| tries < most) {
            tries += 1;
            if let Some(data) = self.find(command.kind, &command.data, context) {
                return Listed { count: 1, data };
            }
        }
        Listed { count: 0, data: Vec::new() }
    }

    pub(super) fn auto_poll(&mut self, command: &InAutoPoll, context: &mut Context) -> Polled {
        self.begin_anew();
        let mut round = 0;
        while !self.host.is_impatient() && (command.rounds == InAutoPoll::ENDLESS || round < command.rounds) {
            for kind in &command.kinds {
                let (by, iso_dep) = match *kind {
                    InAutoPoll::ANY_A => (InListPassiveTarget::A, None),
                    InAutoPoll::MIFARE => (InListPassiveTarget::A, Some(false)),
                    InAutoPoll::ISO_DEP_A => (InListPassiveTarget::A, Some(true)),
                    InAutoPoll::ANY_B | InAutoPoll::ISO_DEP_B => (InListPassiveTarget::B, None),
                    0x11 => (InListPassiveTarget::F212, None),
                    0x12 => (InListPassiveTarget::F424, None),
                    _ => continue,
                };
                let Some(data) = self.find(by, &[], context) else { continue };
                let found = self.slots.last().map(|slot| matches!(slot.card, Held::A(Some(_))));
                if iso_dep.is_none() || iso_dep == found {
                    return Polled { found: vec![(*kind, data)] };
                }
                self.slots.clear();
            }
            round = round.saturating_add(1);
            // Where the host wants something else, the loop sees it.
            let _ = self.host.listen(PERIOD * u32::from(command.period.min(15)));
        }
        Polled { found: Vec::new() }
    }

    pub(super) fn exchange(&mut self, command: InDataExchange, context: &mut Context) -> Exchanged {
        let InDataExchange { target, data } = command;
        let wake = self.settings.does(SetParameters::AUTO_RATS);
        let (index, more) = (usize::from(target & 0x0F).wrapping_sub(1), target & InDataExchange::MORE != 0);
        let timeout = self.settings.timeout();
        let Some(slot) = self.slots.get_mut(index) else { return Status::NOT_NOW.into() };
        if data.is_empty() && !slot.left.is_empty() {
            return slot.left.next_part();
        }
        slot.command.extend(data);
        if more {
            return Status::OK.into();
        }
        let command = std::mem::take(&mut slot.command);
        let answered = self.speaking(|air, slots| {
            let Some(slot) = slots.get_mut(index) else { return Ok(Err(Status::NOT_NOW)) };
            if slot.is_asleep && !slot.wake(air, wake, context)? {
                return Ok(Err(Status::TIMEOUT));
            }
            Ok(slot.card.exchange(air, &command, timeout, context))
        });
        match (answered, self.slots.get_mut(index)) {
            (Some(Ok(answer)), Some(slot)) => {
                slot.left = Parts::of(answer);
                slot.left.next_part()
            }
            (Some(Err(status)), _) => status.into(),
            _ => Status::TIMEOUT.into(),
        }
    }

    /// 00 means all cards.
    pub(super) fn deselect(&mut self, target: u8, lets_go: bool, context: &mut Context) -> Status {
        let meant = |index: usize| target == 0 || usize::from(target) == index + 1;
        if target != 0 && usize::from(target) > self.slots.len() {
            return Status::NOT_NOW;
        }
        if !self.slots.is_empty() {
            self.speaking(|air, slots| {
                for (_, slot) in slots.iter_mut().enumerate().filter(|(index, _)| meant(*index)) {
                    slot.sleep(air, context)?;
                }
                Ok(())
            });
        }
        if lets_go {
            let mut index = 0;
            self.slots.retain(|_| {
                index += 1;
                !meant(index - 1)
            });
        }
        Status::OK
    }

    pub(super) fn select(&mut self, target: u8, context: &mut Context) -> Status {
        let sends_rats = self.settings.does(SetParameters::AUTO_RATS);
        let index = usize::from(target).wrapping_sub(1);
        if index >= self.slots.len() {
            return Status::NOT_NOW;
        }
        let woken = self.speaking(|air, slots| match slots.get_mut(index) {
            Some(slot) if slot.is_asleep => slot.wake(air, sends_rats, context),
            _ => Ok(true),
        });
        if woken == Some(true) { Status::OK } else { Status::TIMEOUT }
    }

    pub(super) fn jump(&mut self, command: &InJumpForDep, context: &mut Context) -> Exchanged {
        self.begin_anew();
        let rate = BitRate::ALL.into_iter().find(|rate| rate.divisor() == command.rate);
        // Active communication wants two fields, and there is one air.
        let (Some(rate), false) = (rate, command.mode & InJumpForDep::ACTIVE != 0) else {
            return Exchanged::from(Status::NO_FIELD);
        };
        let greeting = Greeting {
            rate,
            sensf_req: command.passive[..].try_into().unwrap_or(Greeting::ANYBODY),
            id: command.id.unwrap_or_else(|| context.random()),
            general: command.general.clone(),
            wait: SEARCH,
        };
        for _ in 0..self.settings.searches().map_or(JUMPS, |most| most.min(JUMPS)) {
            if let Some(Some(response)) = self.speaking(|air, _| greeting.meet(air, context)) {
                return self.hold_peer(&response, rate);
            }
            if self.host.is_impatient() {
                break;
            }
        }
        Status::TIMEOUT.into()
    }

    /// Greets a target that InListPassiveTarget has found.
    pub(super) fn attribute(&mut self, command: &InAtr, context: &mut Context) -> Exchanged {
        let is_held = matches!(self.slots.first().map(|slot| &slot.card), Some(Held::A(None)));
        if command.target != 1 || !is_held {
            return Status::NOT_NOW.into();
        }
        let rate = BitRate::Kbps106;
        let id = command.id.unwrap_or_else(|| context.random());
        let (sensf_req, general) = (Greeting::ANYBODY, command.general.clone());
        let greeting = Greeting { rate, sensf_req, id, general, wait: SEARCH };
        match self.speaking(|air, _| greeting.greet_selected(air, id, context)) {
            Some(Some(response)) => {
                self.slots.clear();
                let mut answer = self.hold_peer(&response, rate);
                // The host knows the target's number.
                answer.data.remove(0);
                answer
            }
            _ => Status::TIMEOUT.into(),
        }
    }

    pub(super) fn change_rate(&mut self, command: InPsl, context: &mut Context) -> Status {
        let rate = BitRate::ALL.into_iter().find(|rate| rate.divisor() == command.to_target);
        let (Some(rate), true) = (rate, command.to_target == command.to_initiator) else {
            return Status::NOT_NOW;
        };
        let agrees = self.speaking(|air, slots| match slots.first_mut().map(|slot| &mut slot.card) {
            Some(Held::Dep(talk)) => talk.change_rate(air, rate, context),
            _ => Ok(false),
        });
        if agrees == Some(true) { Status::OK } else { Status::NOT_NOW }
    }

    /// Holds a target of NFC-DEP; tells its number and ATR_RES behind its command bytes.
    fn hold_peer(&mut self, response: &AttributeResponse, rate: BitRate) -> Exchanged {
        let talk = InitiatorTalk::with(response, rate, self.antenna.place());
        self.settings.follow(Modulation::of_nfc_dep(rate));
        self.slots.push(Slot::new(Held::Dep(Box::new(talk))));
        let told = NfcDepFrame::AttributeResponse(response.clone()).to_bytes();
        Exchanged { status: Status::OK, data: [&[1], &told[2..]].concat() }
    }

    fn begin_anew(&mut self) {
        self.role = Role::Idle;
        self.slots.clear();
    }

    /// One search; what is found is held, and told as InListPassiveTarget does.
    fn find(&mut self, kind: u8, data: &[u8], context: &mut Context) -> Option<Vec<u8>> {
        let sends_rats = self.settings.does(SetParameters::AUTO_RATS);
        let number = self.slots.len() as u8 + 1;
        if self.slots.len() >= MOST_CARDS {
            return None;
        }
        let (told, card, modulation) = self.speaking(|air, _| match kind {
            InListPassiveTarget::A => find_a(air, number, sends_rats, context),
            InListPassiveTarget::B => find_b(air, number, data, context),
            InListPassiveTarget::F212 => find_f(air, number, BitRate::Kbps212, data, context),
            InListPassiveTarget::F424 => find_f(air, number, BitRate::Kbps424, data, context),
            _ => Ok(None),
        })??;
        self.settings.follow(modulation);
        self.slots.push(Slot::new(card));
        Some(told)
    }
}

impl Slot {
    fn new(card: Held) -> Self {
        Self { card, is_asleep: false, command: Vec::new(), left: Parts::default() }
    }

    fn sleep(&mut self, air: &mut dyn Air, context: &mut Context) -> Result<(), LinkError> {
        if !self.is_asleep {
            self.is_asleep = true;
            match &mut self.card {
                Held::A(Some(pcd)) | Held::B(pcd) => pcd.deselect(air, context)?,
                Held::Dep(talk) => talk.release(air, context),
                Held::A(None) | Held::F(_) => {}
            }
        }
        Ok(())
    }

    /// Whether the card is awake again.
    fn wake(
        &mut self,
        air: &mut dyn Air,
        sends_rats: bool,
        context: &mut Context,
    ) -> Result<bool, LinkError> {
        let found = match &self.card {
            Held::A(..) => {
                let Some(card) = poll_a(air, ALL_REQ, SEARCH, context)? else { return Ok(false) };
                activate_a(air, &card, sends_rats, context)?.map(|(card, _)| card)
            }
            Held::B(..) => find_b(air, 1, &[0x00, 0x08], context)?.map(|(_, card, _)| card),
            Held::F(_) => return Ok(true),
            // A target that was released begins anew, with a greeting.
            Held::Dep(_) => return Ok(false),
        };
        let Some(card) = found else { return Ok(false) };
        (self.card, self.is_asleep) = (card, false);
        Ok(true)
    }
}

impl Held {
    fn exchange(
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
        match air.receive(timeout.unwrap_or(PERIOD * 10), context) {
            Ok(Some(Heard::Frame(frame))) => Ok(frame.bytes),
            _ => Err(Status::TIMEOUT),
        }
    }
}

/// What is told of a card, the card, and how it is spoken to.
type FoundCard = Option<(Vec<u8>, Held, Modulation)>;

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
    if !card.response.is_iso_dep() {
        return Ok(None);
    }
    let attrib = Attrib { id: card.response.id, fsdi: Pcd::FSDI, cid: 0 };
    let Some(answer) = select_b(air, &attrib, context)? else { return Ok(None) };
    let told = TargetB { number, response: fixed(&card.bytes), attrib: answer };
    let pcd = Pcd::with_b(&card);
    let modulation = Modulation { rate: BitRate::Kbps106, technology: Technology::B };
    Ok(Some((told.to_bytes(), Held::B(pcd), modulation)))
}

fn find_f(
    air: &mut dyn Air,
    number: u8,
    rate: BitRate,
    data: &[u8],
    context: &mut Context,
) -> Result<FoundCard, LinkError> {
    let modulation = Modulation { rate, technology: Technology::F };
    let request = if data.is_empty() { &[0x00, 0xFF, 0xFF, 0x01, 0x00] } else { data };
    let bytes = [&[request.len() as u8 + 1], request].concat();
    air.send(&RfFrame { modulation, bytes }, context)?;
    match air.receive(SEARCH, context)? {
        Some(Heard::Frame(frame)) if frame.modulation == modulation => {
            let told = [&[number], frame.bytes.as_slice()].concat();
            Ok(Some((told, Held::F(modulation), modulation)))
        }
        _ => Ok(None),
    }
}

/// SENSB_RES has twelve bytes; a thirteenth is passed over.
fn fixed(bytes: &[u8]) -> [u8; 12] {
    let mut out = [0; 12];
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    out
}
