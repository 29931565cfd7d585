//! The chip as a card or target: it lets itself be found, and carries what the reader and its
//! host say to one another (PN532 user manual, 7.3.14 to 7.3.21).

use super::simulator::Chip;
use crate::air::link::iso_dep::{Picc, PiccStep, Selection, SelectionStep};
use crate::air::link::pn532::command::{Exchanged, Met, SetParameters, Status, TargetStatus, TgInitAsTarget};
use crate::air::link::{Air, Heard, LinkError, Modulation, RfFrame, Technology};
use crate::base::context::Context;
use crate::words::iso14443::{Ats, SelRes, check_byte};
use crate::words::iso18092::BitRate;
use std::time::Duration;

/// The first byte of NFCID1, which a host does not choose.
const FIRST_OF_UID: u8 = 0x08;
/// FSCI of the chip's ATS: frames of 256 bytes.
const FSCI: u8 = 8;
/// TB of the chip's ATS: FWI 11, 0.6 s for a host that is a program, and SFGI 0.
const TIMES: u8 = 0xB0;
/// TA: 106 kbit/s only.
const RATES: u8 = 0x80;
/// TC: CID is understood.
const OPTIONS: u8 = 0x02;
/// What a card that is at work asks for each time: twice the waiting time.
const EXTENSION: u8 = 2;
/// How long one look at the air takes; the host can end it any time.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait before a port is tried again that another program has.
const PAUSE: Duration = Duration::from_millis(100);
/// F0, with which NFC-DEP begins at 106 kbit/s.
const START: u8 = 0xF0;
/// The most data in one answer.
const MOST: usize = 262;

/// What the chip is as a card.
#[derive(Debug)]
pub(super) enum Role {
    /// None.
    Idle,
    /// A card with ISO-DEP.
    Picc(Card),
    /// Whatever its host says, frame by frame.
    Raw(Listener),
}

/// A card, and what its host has not fetched or not said yet.
#[derive(Debug)]
pub(super) struct Card {
    picc: Picc,
    /// What of a command is still to be fetched.
    left: Vec<u8>,
    /// A response's parts so far.
    parts: Vec<u8>,
}

/// Who is found by anybody: in type A, and in type F where it has an identifier there.
#[derive(Debug)]
pub(super) struct Listener {
    selection: Selection,
    /// SENSF_RES behind its length byte.
    felica: Option<Vec<u8>>,
    modulation: Modulation,
}

impl Chip {
    pub(super) fn be_target(&mut self, command: &TgInitAsTarget, context: &mut Context) -> Met {
        self.slots.clear();
        self.role = Role::of(command, self.settings.does(SetParameters::PICC));
        while !self.host.is_impatient() {
            let met = self.listening(|air, role| match air.receive(LOOK, context)? {
                Some(heard) => role.be_met(air, &heard, context),
                None => Ok(None),
            });
            match met {
                Ok(Some((met, modulation))) => {
                    self.settings.follow(modulation);
                    return met;
                }
                Ok(None) => {}
                // The port is another's, or the host wants something else: the loop sees it.
                Err(_) => {
                    let _ = self.host.listen(PAUSE);
                }
            }
        }
        self.role = Role::Idle;
        Met { mode: 0, command: Vec::new() }
    }

    pub(super) fn target_data(&mut self, context: &mut Context) -> Exchanged {
        loop {
            match &mut self.role {
                Role::Picc(card) if !card.left.is_empty() => return card.next_part(),
                Role::Picc(_) => {}
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

    pub(super) fn set_target_data(&mut self, data: &[u8], more: bool, context: &mut Context) -> Status {
        let Role::Picc(card) = &mut self.role else { return Status::INVALID_STATE };
        card.parts.extend_from_slice(data);
        if more {
            return Status::OK;
        }
        let response = std::mem::take(&mut card.parts);
        let Some(frame) = card.picc.answer(&response) else { return Status::INVALID_STATE };
        match self.listening(|air, _| air.send(&frame, context)) {
            Ok(()) => Status::OK,
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
            Role::Raw(_) => true,
            Role::Idle => false,
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

impl Role {
    fn of(command: &TgInitAsTarget, speaks_iso_dep: bool) -> Self {
        let [a, b, c] = command.uid;
        let id = [FIRST_OF_UID, a, b, c];
        let level = [FIRST_OF_UID, a, b, c, check_byte(&id)];
        let selection = Selection::new(command.sens_res, vec![level], SelRes(command.sel_res));
        if speaks_iso_dep && command.mode & TgInitAsTarget::PICC != 0 {
            let ats = Ats {
                fsci: Some(FSCI),
                rates: Some(RATES),
                times: Some(TIMES),
                options: Some(OPTIONS),
                historical: command.historical.clone(),
            };
            let picc = Picc::with_selection(selection, ats.to_bytes());
            return Self::Picc(Card { picc, left: Vec::new(), parts: Vec::new() });
        }
        let [id @ .., _, _] = command.felica;
        let felica = (id != [0; 16]).then(|| [&[0x01], id.as_slice()].concat());
        Self::Raw(Listener { selection, felica, modulation: Modulation::A106 })
    }

    /// What a reader's first words come to, and how it says them.
    fn be_met(
        &mut self,
        air: &mut dyn Air,
        heard: &Heard,
        context: &mut Context,
    ) -> Result<Option<(Met, Modulation)>, LinkError> {
        let Heard::Frame(frame) = heard else {
            if let Self::Raw(listener) = self {
                listener.selection.reset();
            }
            return Ok(None);
        };
        match self {
            Self::Picc(card) => {
                card.hear(air, heard, context)?;
                let is_met = card.picc.is_active();
                let met = Met { mode: Met::PICC, command: frame.bytes.clone() };
                Ok(is_met.then_some((met, Modulation::A106)))
            }
            Self::Raw(listener) => Ok(listener.hear(air, frame, context)?.map(|bytes| {
                let modulation = listener.modulation;
                let is_dep = bytes.first() == Some(&START) || modulation.technology == Technology::F;
                let framing = if modulation.technology == Technology::F { Met::FELICA } else { 0 };
                let dep = if is_dep { Met::DEP } else { 0 };
                let mode = modulation.rate.divisor() << 4 | dep | framing;
                (Met { mode, command: strip_start(&bytes, true).to_vec() }, modulation)
            })),
            Self::Idle => Ok(None),
        }
    }
}

impl Card {
    fn next_part(&mut self) -> Exchanged {
        let rest = self.left.split_off(self.left.len().min(MOST));
        let data = std::mem::replace(&mut self.left, rest);
        Exchanged { status: Status(if self.left.is_empty() { 0 } else { Status::MORE }), data }
    }

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
                self.left = command;
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
        let answer = match (frame.modulation.technology, &self.felica) {
            (Technology::A, _) if frame.modulation.rate == BitRate::Kbps106 => {
                match self.selection.hear(&frame.bytes) {
                    SelectionStep::Silence => None,
                    SelectionStep::Answer(bytes) => Some(bytes),
                    SelectionStep::Beyond => {
                        self.modulation = frame.modulation;
                        return Ok(Some(frame.bytes.clone()));
                    }
                }
            }
            // SENSF_REQ.
            (Technology::F, Some(felica)) if matches!(frame.bytes[..], [6, 0, ..]) => {
                Some([&[felica.len() as u8 + 1], felica.as_slice()].concat())
            }
            (Technology::F, Some(_)) => {
                self.modulation = frame.modulation;
                return Ok(Some(frame.bytes.clone()));
            }
            _ => None,
        };
        if let Some(bytes) = answer {
            air.send(&RfFrame { modulation: frame.modulation, bytes }, context)?;
        }
        Ok(None)
    }
}

/// NFC-DEP at 106 kbit/s begins with F0, which the chip takes away.
fn strip_start(frame: &[u8], strips: bool) -> &[u8] {
    match frame {
        [START, rest @ ..] if strips => rest,
        frame => frame,
    }
}
