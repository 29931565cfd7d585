//! The simulated card: bytes in, bytes out. A command works on a copy of the
//! memory; what it writes lands with the end of the command, all or nothing.

use super::application_profile::ApplicationProfile;
use super::behaviour::{Application, CommandSet};
use super::memory::ApplicationMemory;
use super::purse::{PurseMemory, PurseProfile, SamProfile};
use super::session::{Phase, Selected, Session, Transaction};
use super::{
    APPLICATIONS, CardError, CardMemory, CardStorage, DeviceLine, InMemory, authentication, capp, data,
    domain, dynamic_signature, generate_ac, pin, processing_options, purse, record, recovery, relay, script,
    selection,
};
use crate::air::link::{Endpoint, Interface, LinkError};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::iso7816::{ApduCommand, Atr, CommandApdu, CommandError, ResponseApdu, StatusWord};
use std::borrow::Cow;

/// A card that is played, and may therefore be served on a reader. The trait is
/// sealed: a real card cannot be made to pass for one.
pub trait Simulated: Endpoint + sealed::Sealed {
    /// Whether it says what some other card has said; such a one is not served on radio.
    fn is_recording(&self) -> bool {
        false
    }
}

pub(super) mod sealed {
    /// Only this room implements it.
    pub trait Sealed {}
    impl Sealed for super::Simulator {}
}

/// The simulated card.
pub struct Simulator {
    memory: Nonvolatile,
    session: Option<Session>,
    device: Option<Box<dyn DeviceLine>>,
}

/// Memory as it was last kept, and as this command has changed it.
pub(super) struct Nonvolatile {
    kept: CardMemory,
    working: CardMemory,
    changed: bool,
    storage: Box<dyn CardStorage>,
}

/// A command at work: memory, session, and where in them.
pub(super) struct Work<'a> {
    pub memory: &'a mut Nonvolatile,
    pub session: &'a mut Session,
}

/// Why a command is refused.
pub(super) enum Refusal {
    /// With a status word and a reason.
    Status(StatusWord, Cow<'static, str>),
    /// The memory could not be written.
    Storage(CardError),
}

/// What a command comes to; `Err` is a refusal.
pub(super) type Answer = Result<ResponseApdu, Refusal>;

impl Simulator {
    /// A card with this memory, kept in this storage. It has no power yet.
    pub fn new(memory: CardMemory, storage: impl CardStorage + 'static) -> Self {
        let storage = Box::new(storage);
        let memory = Nonvolatile { kept: memory.clone(), working: memory, changed: false, storage };
        Self { memory, session: None, device: None }
    }

    /// A card that ends with the process.
    pub fn in_memory(memory: CardMemory) -> Self {
        Self::new(memory, InMemory)
    }

    /// The same card in a consumer device.
    #[must_use]
    pub fn in_device(self, device: impl DeviceLine + 'static) -> Self {
        Self { device: Some(Box::new(device)), ..self }
    }

    /// What the card remembers now.
    pub fn memory(&self) -> &CardMemory {
        &self.memory.kept
    }

    fn execute(&mut self, bytes: &[u8], context: &mut Context) -> Answer {
        let apdu = CommandApdu::parse(bytes)
            .map_err(|error| Refusal::because(StatusWord::WRONG_LENGTH, error.to_string()))?;
        let session = self.session.get_or_insert_with(|| {
            Session::new(Interface::Contact, self.device.as_mut().map(|device| device.now()))
        });
        let mut work = Work { memory: &mut self.memory, session };
        if work.memory.read().image.blocked {
            return Err(Refusal::because(StatusWord::NOT_SUPPORTED, "the card is blocked for good"));
        }
        work.dispatch(&apdu, context)
    }
}

impl Endpoint for Simulator {
    fn place(&self) -> String {
        let name = &self.memory.kept.profile().name;
        match self.memory.storage.place().as_str() {
            "memory" => format!("simulated card {name}"),
            file => format!("simulated card {name} in {file}"),
        }
    }

    fn power_on(&mut self, interface: Interface, _context: &mut Context) -> Vec<u8> {
        self.session = Some(Session::new(interface, self.device.as_mut().map(|device| device.now())));
        let historical = &self.memory.kept.profile().historical_bytes.0;
        match interface {
            Interface::Contactless => Atr::contactless(historical),
            Interface::Contact => contact_atr(historical),
        }
    }

    fn power_off(&mut self) {
        self.session = None;
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        let answer = self.execute(command, context);
        let answer = match self.memory.commit(context) {
            Ok(()) => answer,
            Err(error) => Err(Refusal::Storage(error)),
        };
        match answer {
            Ok(response) => Ok(response.to_bytes()),
            Err(Refusal::Status(status, reason)) => {
                let event = Event::new("card", "refused").because(format!("{status}: {reason}"));
                context.emit(event);
                Ok(ResponseApdu::status(status).to_bytes())
            }
            Err(Refusal::Storage(error)) => {
                // A card whose memory fails falls silent; what it did in this session is void.
                self.memory.revert();
                self.session = None;
                let doing = format!("keeping the memory of {}", self.place());
                Err(LinkError::Io { doing, cause: error.to_string() })
            }
        }
    }
}

impl Simulated for Simulator {}

impl Nonvolatile {
    /// The memory, with what this command has changed.
    pub(super) fn read(&self) -> &CardMemory {
        &self.working
    }

    /// The memory, to be changed.
    pub(super) fn write(&mut self) -> &mut CardMemory {
        self.changed = true;
        &mut self.working
    }

    /// Keeps what has changed.
    pub(super) fn commit(&mut self, context: &mut Context) -> Result<(), CardError> {
        if std::mem::take(&mut self.changed) {
            self.storage.commit(&self.working, context)?;
            self.kept = self.working.clone();
        }
        Ok(())
    }

    fn revert(&mut self) {
        self.changed = false;
        self.working = self.kept.clone();
    }
}

impl Work<'_> {
    fn dispatch(&mut self, apdu: &CommandApdu, context: &mut Context) -> Answer {
        let challenge = self.session.challenge.take();
        if let Some(commands) = self.own_commands().filter(|_| (apdu.cla, apdu.ins) != (0x00, 0xA4)) {
            return commands(self, apdu, context);
        }
        match (apdu.cla, apdu.ins) {
            (0x00, 0xA4) if apdu.p1 == 0x00 => selection::select_file(self, read(apdu)?, context),
            (0x00, 0xA4) => selection::select(self, &read(apdu)?, context),
            (0x00, 0xB0) if self.is_at_master_file() => purse::read_binary(self, &read(apdu)?),
            (0x00, 0xB2) if self.is_at_master_file() => purse::read_file_record(self, &read(apdu)?),
            (0x00, 0xB2) => record::read_record(self, read(apdu)?, context),
            (0x80, 0xCA) => data::get_data(self, read(apdu)?),
            (0x00, 0x20) => pin::verify(self, &read(apdu)?, challenge, context),
            (0x00, 0x84) => pin::get_challenge(self, read(apdu)?, context),
            (0x00, 0x88) => dynamic_signature::internal(self, &read(apdu)?, context),
            (0x80, 0xA8) => processing_options::start(self, &read(apdu)?, context),
            (0x80, 0xAE) => generate_ac::generate(self, &read(apdu)?, context),
            (0x80, 0xD0) => recovery::recover(self, &read(apdu)?, context),
            (0x80, 0xEA) => relay::exchange(self, read(apdu)?, context),
            (0x00, 0x82) => authentication::external(self, &read(apdu)?, context),
            (0x80, 0xB4) => capp::read(self, &read(apdu)?),
            (0x84, 0xDE) => capp::update(self, &read(apdu)?, context),
            (0x04, 0xE2) => capp::append(self, &read(apdu)?, context),
            (0x80, 0x5A) => capp::prove(self, &read(apdu)?),
            (0x80, 0x50) => domain::initialize(self, &read(apdu)?, context),
            (0x84, 0x82) => domain::authenticate(self, &read(apdu)?, context),
            (0x80 | 0x84, 0xE2) => domain::store(self, apdu, context),
            (0x04 | 0x84, 0xDA | 0xDC | 0x16 | 0x18 | 0x1E | 0x24) => script::run(self, apdu, context),
            (0x00 | 0x04 | 0x80 | 0x84, ins) => Err(Refusal::because(
                StatusWord::INS_NOT_SUPPORTED,
                format!("the card has no instruction {ins:02X} in class {:02X}", apdu.cla),
            )),
            (cla, _) => Err(Refusal::because(
                StatusWord::CLA_NOT_SUPPORTED,
                format!("the card has no class {cla:02X}"),
            )),
        }
    }

    /// The command set of the selected application, where it has its own.
    fn own_commands(&self) -> Option<CommandSet> {
        self.behaviour().ok()?.own_commands()
    }

    fn is_at_master_file(&self) -> bool {
        matches!(self.session.selected, Selected::MasterFile)
    }

    /// The purse of the selected application.
    pub(super) fn purse(&self) -> Result<&PurseMemory, Refusal> {
        self.application()?.purse.as_deref().ok_or_else(Refusal::lost)
    }

    /// The same, to be changed.
    pub(super) fn purse_mut(&mut self) -> Result<&mut PurseMemory, Refusal> {
        self.application_mut()?.purse.as_deref_mut().ok_or_else(Refusal::lost)
    }

    /// What the profile says of the selected purse.
    pub(super) fn purse_profile(&self) -> Result<&PurseProfile, Refusal> {
        self.profile()?.purse.as_ref().ok_or_else(Refusal::lost)
    }

    /// What the profile says of the selected security module.
    pub(super) fn sam_profile(&self) -> Result<&SamProfile, Refusal> {
        self.profile()?.sam.as_ref().ok_or_else(Refusal::lost)
    }

    /// The index of the selected application.
    pub(super) fn index(&self) -> Result<usize, Refusal> {
        match self.session.selected {
            Selected::Application { index, .. } => Ok(index),
            _ => Err(Refusal::state("no application is selected")),
        }
    }

    /// The profile of the selected application.
    pub(super) fn profile(&self) -> Result<&ApplicationProfile, Refusal> {
        let index = self.index()?;
        self.memory.read().profile().applications.get(index).ok_or_else(Refusal::lost)
    }

    /// The memory of the selected application.
    pub(super) fn application(&self) -> Result<&ApplicationMemory, Refusal> {
        let index = self.index()?;
        self.memory.read().image.applications.get(index).ok_or_else(Refusal::lost)
    }

    /// The memory of the selected application, to be changed.
    pub(super) fn application_mut(&mut self) -> Result<&mut ApplicationMemory, Refusal> {
        let index = self.index()?;
        self.memory.write().image.applications.get_mut(index).ok_or_else(Refusal::lost)
    }

    /// How the selected application behaves.
    pub(super) fn behaviour(&self) -> Result<&'static dyn Application, Refusal> {
        let kind = &self.profile()?.kind;
        APPLICATIONS.iter().copied().find(|row| row.kind() == kind).ok_or_else(Refusal::lost)
    }

    /// What the selected application waits for; it waits for the beginning until told otherwise.
    pub(super) fn take_phase(&mut self) -> Phase {
        match &mut self.session.selected {
            Selected::Application { phase, .. } => std::mem::replace(phase, Phase::Selected),
            _ => Phase::Selected,
        }
    }

    /// Says what the selected application waits for.
    pub(super) fn set_phase(&mut self, next: Phase) {
        if let Selected::Application { phase, .. } = &mut self.session.selected {
            *phase = next;
        }
    }

    /// The transaction under way.
    pub(super) fn transaction_mut(&mut self) -> Option<&mut Transaction> {
        match &mut self.session.selected {
            Selected::Application { phase, .. } => phase.transaction_mut(),
            _ => None,
        }
    }
}

impl Refusal {
    /// A status word and why.
    pub(super) fn because(status: StatusWord, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Status(status, reason.into())
    }

    /// 6985 and why.
    pub(super) fn state(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::because(StatusWord::CONDITIONS_NOT_SATISFIED, reason)
    }

    /// Memory and profile disagree; reading a card file rules it out.
    pub(super) fn lost() -> Self {
        Self::because(StatusWord::MEMORY_FAILURE, "the card's memory does not fit its profile")
    }
}

impl From<CommandError> for Refusal {
    fn from(error: CommandError) -> Self {
        let status = match &error {
            CommandError::Header { .. } => StatusWord::WRONG_P1P2,
            CommandError::Length { .. } => StatusWord::WRONG_LENGTH,
            _ => StatusWord::WRONG_DATA,
        };
        Self::because(status, error.to_string())
    }
}

impl From<CardError> for Refusal {
    fn from(error: CardError) -> Self {
        Self::Storage(error)
    }
}

/// Reads a command whose class and instruction are known.
pub(super) fn read<C: ApduCommand>(apdu: &CommandApdu) -> Result<C, Refusal> {
    if !C::matches(apdu) {
        let reason = format!("{} has other parameters than {:02X}{:02X}", C::NAME, apdu.p1, apdu.p2);
        return Err(Refusal::because(StatusWord::WRONG_P1P2, reason));
    }
    Ok(C::from_apdu(apdu)?)
}

/// `3B 8n 01`, historical bytes, TCK: protocol T=1 alone, so that whole answers
/// come back in one piece.
fn contact_atr(historical: &[u8]) -> Vec<u8> {
    let historical = &historical[..historical.len().min(15)];
    let mut bytes = vec![0x3B, 0x80 | historical.len() as u8, 0x01];
    bytes.extend_from_slice(historical);
    bytes.push(bytes[1..].iter().fold(0, |sum, byte| sum ^ byte));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_to_reset_are_well_formed_and_differ() {
        let contact = Atr::parse(&contact_atr(b"CWECASH")).unwrap();
        assert!(!contact.is_contactless());
        assert_eq!((contact.historical(), contact.protocols()), (b"CWECASH".as_slice(), [1].as_slice()));
        assert!(Atr::parse(&Atr::contactless(b"CWECASH")).unwrap().is_contactless());
    }
}
