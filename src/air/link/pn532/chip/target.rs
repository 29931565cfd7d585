//! The chip as a card or target: it lets itself be found, and carries what the reader and its
//! host say to one another (PN532 user manual, 7.3.14 to 7.3.21).

use super::parts::Parts;
use super::simulator::Chip;
use crate::air::link::iso_dep::{Picc, PiccStep, Selection, SelectionStep};
use crate::air::link::nfc_dep::START;
use crate::air::link::pn532::command::{Exchanged, Met, SetParameters, Status, TargetStatus, TgInitAsTarget};
use crate::air::link::{
    Air, Heard, LinkError, Modulation, Presence, PresenceStep, RfFrame, TargetTalk, Technology,
};
use crate::base::context::Context;
use crate::words::iso14443::{SelRes, Uid};
use crate::words::iso18092::{AttributeResponse, LengthReduction, NfcDepFrame};
use std::time::Duration;

/// What a card that is at work asks for each time: twice the waiting time.
const EXTENSION: u8 = 2;
/// How long one look at the air takes; the host can end it any time.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait before a port is tried again that another program has.
const PAUSE: Duration = Duration::from_millis(100);
/// TO of ATR_RES: 1.2 s for a host that is a program.
const TIMEOUT: u8 = 12;
/// How long an acknowledgement of a part may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// What no timeout is taken for: the host ends it before.
const ENDLESS: Duration = Duration::from_secs(3600);

/// What the chip is as a card.
#[derive(Debug)]
pub(super) enum Role {
    /// None.
    Idle,
    /// A card with ISO-DEP.
    Picc(Card),
    /// Whatever its host says, frame by frame.
    Raw(Listener),
    /// A target of NFC-DEP that nobody has met yet.
    Meeting(Box<Presence>),
    /// A target of NFC-DEP.
    Dep(Box<Peer>),
}

/// A target's conversation, and what of a payload is still to be fetched.
#[derive(Debug)]
pub(super) struct Peer {
    talk: TargetTalk,
    left: Parts,
    /// A payload's parts so far.
    parts: Vec<u8>,
}

/// A card, and what its host has not fetched or not said yet.
#[derive(Debug)]
pub(super) struct Card {
    picc: Picc,
    /// What of a command is still to be fetched.
    left: Parts,
    /// A response's parts so far.
    parts: Vec<u8>,
}

/// Who is found by anybody: in type A, and in type F where it has an identifier there.
#[derive(Debug)]
pub(super) struct Listener {
    selection: Selection,
    /// SENSF_RES behind its length byte.
    sensf_res: Option<Vec<u8>>,
    modulation: Modulation,
}

impl Chip {
    pub(super) fn be_target(&mut self, command: &TgInitAsTarget, context: &mut Context) -> Met {
        self.slots.clear();
        self.role = self.role_of(command);
        while !self.host.is_impatient() {
            let met = self.listening(|air, role| match air.receive(LOOK, context)? {
                Some(heard) => role.be_met(air, &heard, context),
                None => Ok(None),
            });
            match met {
                Ok(Some(met)) => {
                    self.settings.follow(met.modulation);
                    if let Some(role) = met.role {
                        self.role = role;
                    }
                    return met.told;
                }
                Ok(None) => {}
                // The port is another's, or the host wants something else: the loop sees it.
                Err(_) if self.host.listen(PAUSE).is_ok() => {}
                // The line is gone, which the next look at it says.
                Err(_) => break,
            }
        }
        self.role = Role::Idle;
        Met { mode: 0, command: Vec::new() }
    }

    pub(super) fn target_data(&mut self, context: &mut Context) -> Exchanged {
        loop {
            match &mut self.role {
                Role::Picc(Card { left, .. }) if !left.is_empty() => return left.next_part(),
                Role::Picc(_) => {}
                Role::Dep(peer) if !peer.left.is_empty() => return peer.left.next_part(),
                Role::Dep(_) => return self.peer_data(context),
                _ => return Status::INVALID_STATE.into(),
            }
            let step = self.listening(|air, role| {
                let (Some(heard), Role::Picc(card)) = (air.receive(LOOK, context)?, role) else {
                    return Ok(None);
                };
                card.hear(air, &heard, context)
            });
            match step {
                Ok(None) => {}
                Ok(Some(status)) if status.is_ok() => {}
                Ok(Some(status)) => {
                    self.role = Role::Idle;
                    return status.into();
                }
                Err(_) => return Status::TIMEOUT.into(),
            }
        }
    }

    /// What an initiator says next; the host may end the wait.
    fn peer_data(&mut self, context: &mut Context) -> Exchanged {
        let heard = self.listening(|air, role| match role {
            Role::Dep(peer) => peer.talk.receive(air, ENDLESS, context),
            _ => Ok(Vec::new()),
        });
        match (heard, &mut self.role) {
            (Ok(payload), Role::Dep(peer)) => {
                peer.left = Parts::of(payload);
                peer.left.next_part()
            }
            (Err(LinkError::Parted { .. }), _) if !self.host.is_impatient() => {
                self.role = Role::Idle;
                Status::RELEASED.into()
            }
            _ => Status::TIMEOUT.into(),
        }
    }

    pub(super) fn set_target_data(&mut self, data: &[u8], more: bool, context: &mut Context) -> Status {
        let parts = match &mut self.role {
            Role::Picc(card) => &mut card.parts,
            Role::Dep(peer) => &mut peer.parts,
            _ => return Status::INVALID_STATE,
        };
        parts.extend_from_slice(data);
        if more {
            return Status::OK;
        }
        let whole = std::mem::take(parts);
        let said = self.listening(|air, role| match role {
            Role::Picc(card) => match card.picc.answer(&whole) {
                Some(frame) => air.send(&frame, context).map(|()| Status::OK),
                None => Ok(Status::INVALID_STATE),
            },
            Role::Dep(peer) => peer.talk.answer(air, &whole, PATIENCE, context).map(|()| Status::OK),
            _ => Ok(Status::INVALID_STATE),
        });
        match said {
            Ok(status) => status,
            Err(LinkError::Parted { .. }) => Status::RELEASED,
            Err(_) => Status::TIMEOUT,
        }
    }

    pub(super) fn initiator_command(&mut self, context: &mut Context) -> Exchanged {
        if !matches!(self.role, Role::Raw(_)) {
            return Status::INVALID_STATE.into();
        }
        let strips = self.settings.detects_sync();
        loop {
            let heard = self.listening(|air, role| match (air.receive(LOOK, context)?, role) {
                (Some(Heard::FieldOff), _) => Ok(Some(None)),
                (Some(Heard::Frame(frame)), Role::Raw(listener)) => {
                    Ok(listener.hear(air, &frame, context)?.map(Some))
                }
                _ => Ok(None),
            });
            match heard {
                Ok(None) => {}
                Ok(Some(None)) => return Status::RELEASED.into(),
                Ok(Some(Some(frame))) => {
                    let data = strip_start(&frame, strips).to_vec();
                    return Exchanged { status: Status::OK, data };
                }
                Err(_) => return Status::TIMEOUT.into(),
            }
        }
    }

    pub(super) fn respond_to_initiator(&mut self, data: &[u8], context: &mut Context) -> Status {
        if !matches!(self.role, Role::Raw(_)) {
            return Status::INVALID_STATE;
        }
        let modulation = self.settings.modulation();
        let starts = self.settings.detects_sync() && modulation == Modulation::A106;
        let start: &[u8] = if starts { &[START] } else { &[] };
        let frame = RfFrame { modulation, bytes: [start, data].concat() };
        match self.listening(|air, _| air.send(&frame, context)) {
            Ok(()) => Status::OK,
            Err(_) => Status::TIMEOUT,
        }
    }

    pub(super) fn target_status(&self) -> TargetStatus {
        let is_active = match &self.role {
            Role::Picc(card) => card.picc.is_active(),
            Role::Raw(_) | Role::Dep(_) => true,
            Role::Idle | Role::Meeting(_) => false,
        };
        TargetStatus { state: u8::from(is_active), rates: 0 }
    }

    /// A card whose host is at work asks its reader for time.
    pub(super) fn look_at_card(&mut self, context: &mut Context) {
        if let Role::Picc(card) = &mut self.role
            && let Some(frame) = card.picc.ask_for_time(EXTENSION)
        {
            // A reader that is gone is noticed with the answer.
            let _ = self.listening(|air, _| air.send(&frame, context));
        }
    }
}

/// What a reader's first words come to.
struct FirstWords {
    told: Met,
    modulation: Modulation,
    /// What the chip is from now on, where that changes.
    role: Option<Role>,
}

impl Chip {
    fn role_of(&self, command: &TgInitAsTarget) -> Role {
        let does = |flag| self.settings.does(flag);
        let selection =
            Selection::new(command.sens_res, Uid::drawn(command.uid).levels(), SelRes(command.sel_res));
        if does(SetParameters::PICC) && command.mode & TgInitAsTarget::PICC != 0 {
            let picc = Picc::with_selection(selection, command.historical.clone());
            return Role::Picc(Card { picc, left: Parts::default(), parts: Vec::new() });
        }
        let [id @ .., _, _] = command.felica;
        let sensf_res = (id != [0; 16]).then(|| [&[0x01], id.as_slice()].concat());
        if does(SetParameters::AUTO_ATR_RES) && command.mode & TgInitAsTarget::DEP != 0 {
            let response = AttributeResponse {
                id: command.id,
                did: 0,
                rates: [0, 0],
                timeout: TIMEOUT,
                length: LengthReduction::LONGEST,
                general: self.general.clone().unwrap_or_else(|| command.general.clone()),
            };
            return Role::Meeting(Box::new(Presence::new(selection, sensf_res, response)));
        }
        Role::Raw(Listener { selection, sensf_res, modulation: Modulation::A106 })
    }
}

impl Role {
    fn be_met(
        &mut self,
        air: &mut dyn Air,
        heard: &Heard,
        context: &mut Context,
    ) -> Result<Option<FirstWords>, LinkError> {
        match (self, heard) {
            (Self::Meeting(presence), heard) => match presence.hear(heard) {
                PresenceStep::Silence => Ok(None),
                PresenceStep::Answer(frame) => air.send(&frame, context).map(|()| None),
                PresenceStep::Met(met) => Ok(Some(FirstWords::of_peer(met, air.place()))),
            },
            (Self::Raw(listener), Heard::FieldOff) => {
                listener.selection.reset();
                Ok(None)
            }
            (Self::Raw(listener), Heard::Frame(frame)) => {
                Ok(listener.hear(air, frame, context)?.map(|bytes| FirstWords::of_raw(&bytes, listener)))
            }
            (Self::Picc(card), heard) => {
                card.hear(air, heard, context)?;
                Ok(match heard {
                    Heard::Frame(frame) if card.picc.is_active() => {
                        let told = Met { mode: Met::PICC, command: frame.bytes.clone() };
                        Some(FirstWords { told, modulation: Modulation::A106, role: None })
                    }
                    _ => None,
                })
            }
            (Self::Idle | Self::Dep(_), _) => Ok(None),
        }
    }
}

impl FirstWords {
    /// The chip tells its host of ATR_REQ, length byte first, once the first block has come.
    fn of_peer(met: crate::air::link::Met, place: &str) -> Self {
        let modulation = Modulation::of_nfc_dep(met.rate);
        let request = NfcDepFrame::AttributeRequest(met.request.clone()).to_bytes();
        let command = [&[request.len() as u8 + 1], request.as_slice()].concat();
        let told = Met { mode: met.rate.divisor() << 4 | Met::DEP | framing(modulation), command };
        let talk = TargetTalk::with(met, place);
        let peer = Peer { talk, left: Parts::default(), parts: Vec::new() };
        Self { told, modulation, role: Some(Role::Dep(Box::new(peer))) }
    }

    fn of_raw(bytes: &[u8], listener: &Listener) -> Self {
        let modulation = listener.modulation;
        let is_dep = bytes.first() == Some(&START) || modulation.technology == Technology::F;
        let dep = if is_dep { Met::DEP } else { 0 };
        let mode = modulation.rate.divisor() << 4 | dep | framing(modulation);
        let told = Met { mode, command: strip_start(bytes, true).to_vec() };
        Self { told, modulation, role: None }
    }
}

fn framing(modulation: Modulation) -> u8 {
    if modulation.technology == Technology::F { Met::FELICA } else { 0 }
}

impl Card {
    /// What came: a command, to be fetched, or the end; `None` is nothing that the host hears of.
    fn hear(
        &mut self,
        air: &mut dyn Air,
        heard: &Heard,
        context: &mut Context,
    ) -> Result<Option<Status>, LinkError> {
        let (answer, status) = match self.picc.hear(heard) {
            PiccStep::Silence => (None, None),
            PiccStep::Answer(frame) | PiccStep::Active(frame) => (Some(frame), None),
            PiccStep::Command(command) => {
                self.left = Parts::of(command);
                (None, Some(Status::OK))
            }
            PiccStep::Deselected(frame) => (Some(frame), Some(Status::RELEASED)),
            PiccStep::Lost(frame) => (frame, Some(Status::RELEASED)),
        };
        if let Some(frame) = answer {
            air.send(&frame, context)?;
        }
        Ok(status)
    }
}

impl Listener {
    /// Answers what belongs to the selection; the rest is for the host.
    fn hear(
        &mut self,
        air: &mut dyn Air,
        frame: &RfFrame,
        context: &mut Context,
    ) -> Result<Option<Vec<u8>>, LinkError> {
        match self.selection.hear_in(frame, self.sensf_res.as_deref()) {
            SelectionStep::Silence => Ok(None),
            SelectionStep::Answer(bytes) => {
                air.send(&RfFrame { modulation: frame.modulation, bytes }, context)?;
                Ok(None)
            }
            SelectionStep::Beyond => {
                self.modulation = frame.modulation;
                Ok(Some(frame.bytes.clone()))
            }
        }
    }
}

/// NFC-DEP at 106 kbit/s begins with F0, which the chip takes away.
fn strip_start(frame: &[u8], strips: bool) -> &[u8] {
    match frame {
        [START, rest @ ..] if strips => rest,
        frame => frame,
    }
}
