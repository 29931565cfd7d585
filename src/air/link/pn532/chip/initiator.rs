//! The chip as a reader: it finds cards, holds up to two, and speaks their protocol for its
//! host (PN532 user manual, 7.3.5 to 7.3.13).

use super::held::{Held, SEARCH};
use super::parts::Parts;
use super::simulator::Chip;
use super::target::Role;
use crate::air::link::pn532::command::{
    Diagnose, Exchanged, GeneralStatus, InAtr, InAutoPoll, InDataExchange, InJumpForDep, InListPassiveTarget,
    InPsl, Listed, Polled, SetParameters, Status, Wire,
};
use crate::air::link::{Air, Greeting, InitiatorTalk, LinkError, Modulation};
use crate::base::context::Context;
use crate::words::iso18092::{AttributeResponse, BitRate, NfcDepFrame};
use std::time::Duration;

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
        let rate = BitRate::of_divisor(command.rate);
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
        let rate = BitRate::of_divisor(command.to_target);
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
        let (told, card, modulation) =
            self.speaking(|air, _| Held::find(air, (kind, data), number, sends_rats, context))??;
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
        if std::mem::replace(&mut self.is_asleep, true) {
            return Ok(());
        }
        self.card.sleep(air, context)
    }

    /// Whether the card is awake again.
    fn wake(
        &mut self,
        air: &mut dyn Air,
        sends_rats: bool,
        context: &mut Context,
    ) -> Result<bool, LinkError> {
        let Some(card) = self.card.wake(air, sends_rats, context)? else { return Ok(false) };
        (self.card, self.is_asleep) = (card, false);
        Ok(true)
    }
}
