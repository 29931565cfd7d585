//! The chip: it takes a command, acknowledges it, obeys, and answers, unless the host has said
//! something else meanwhile.

use super::antenna::Antenna;
use super::host::Host;
use super::initiator::Slot;
use super::radio::Radio;
use super::settings::Settings;
use super::target::Role;
use crate::air::link::pn532::command::{
    ChipCommand, Diagnose, FirmwareVersion, GetFirmwareVersion, GetGeneralStatus, InAtr, InAutoPoll,
    InCommunicateThru, InDataExchange, InDeselect, InJumpForDep, InJumpForPsl, InListPassiveTarget, InPsl,
    InRelease, InSelect, PowerDown, ReadRegister, RfConfiguration, SamConfiguration, SetParameters,
    SetSerialBaudRate, Status, TgGetData, TgGetInitiatorCommand, TgGetTargetStatus, TgInitAsTarget,
    TgResponseToInitiator, TgSetData, TgSetGeneralBytes, TgSetMetaData, Wire, WriteRegister,
};
use crate::air::link::pn532::{Frame, Line};
use crate::air::link::{Air, LinkError};
use crate::base::context::Context;
use std::time::Duration;

/// What the chip says that it is: firmware 1.6, types A and B, ISO/IEC 18092.
const VERSION: FirmwareVersion =
    FirmwareVersion { chip: FirmwareVersion::PN532, version: 1, revision: 6, support: 7 };
/// How long the host is waited for before the chip looks at its card, and whoever runs it at
/// whether to go on.
const IDLE: Duration = Duration::from_millis(200);

/// A simulated PN532.
pub struct Chip {
    pub(super) host: Host,
    pub(super) antenna: Box<dyn Antenna>,
    pub(super) settings: Settings,
    /// The cards that it holds as a reader.
    pub(super) slots: Vec<Slot>,
    /// What it is as a card.
    pub(super) role: Role,
    /// General bytes of its ATR_RES, where the host has set them.
    pub(super) general: Option<Vec<u8>>,
}

impl Chip {
    /// A chip between a line and an antenna.
    pub fn new(line: impl Line + 'static, antenna: impl Antenna + 'static) -> Self {
        Self {
            host: Host::new(Box::new(line)),
            antenna: Box::new(antenna),
            settings: Settings::default(),
            slots: Vec::new(),
            role: Role::Idle,
            general: None,
        }
    }

    /// Obeys its host until `keep_going` says no; it is asked after each thing the host says, and else five
    /// times a second. A command that runs is not ended by it.
    ///
    /// # Errors
    /// The line is gone.
    pub fn run(&mut self, context: &mut Context, keep_going: &dyn Fn() -> bool) -> Result<(), LinkError> {
        while keep_going() {
            match self.host.next(IDLE)? {
                Some(Frame::Command(command)) => {
                    self.host.acknowledge()?;
                    let answer = self.obey(&command, context);
                    if !self.host.is_impatient() {
                        self.host.answer(&answer)?;
                    }
                }
                Some(Frame::Nack) => self.host.answer_again()?,
                // An acknowledgement, or the end of a command that has ended by itself.
                Some(_) => {}
                None => self.look_at_card(context),
            }
        }
        Ok(())
    }

    /// Forgets cards and roles, as with a reset.
    fn forget(&mut self) {
        (self.settings, self.role, self.general) = (Settings::default(), Role::Idle, None);
        self.slots.clear();
    }

    fn obey(&mut self, command: &[u8], context: &mut Context) -> Frame {
        let Some((code, parameters)) = command.split_first() else { return Frame::Error };
        match self.dispatch(*code, parameters, context) {
            Some(answer) => Frame::Answer([&[code.wrapping_add(1)], answer.as_slice()].concat()),
            None => Frame::Error,
        }
    }

    /// `None` where the command is unknown, or its parameters are cut short.
    fn dispatch(&mut self, code: u8, given: &[u8], context: &mut Context) -> Option<Vec<u8>> {
        match code {
            Diagnose::CODE => self.with(given, |chip, command| chip.diagnose(command, context)),
            GetFirmwareVersion::CODE => self.with(given, |_, _: GetFirmwareVersion| VERSION),
            GetGeneralStatus::CODE => self.with(given, |chip, _: GetGeneralStatus| chip.general_status()),
            ReadRegister::CODE => self.with(given, |chip, ReadRegister { addresses }| {
                addresses.iter().map(|address| chip.settings.register(*address)).collect()
            }),
            WriteRegister::CODE => self.with(given, |chip, WriteRegister { values }| {
                values.iter().for_each(|(address, value)| chip.settings.set_register(*address, *value));
            }),
            // A pseudo-terminal has no speed.
            SetSerialBaudRate::CODE => self.with(given, |_, _: SetSerialBaudRate| ()),
            SetParameters::CODE => {
                self.with(given, |chip, SetParameters { flags }| chip.settings.set_parameters(flags))
            }
            SamConfiguration::CODE => self.with(given, |_, _: SamConfiguration| ()),
            PowerDown::CODE => self.with(given, |chip, _: PowerDown| {
                chip.rest(context);
                chip.forget();
                Status::OK
            }),
            RfConfiguration::CODE => self.with(given, |chip, command| chip.configure(&command, context)),
            InListPassiveTarget::CODE => self.with(given, |chip, command| chip.list(&command, context)),
            InAutoPoll::CODE => self.with(given, |chip, command| chip.auto_poll(&command, context)),
            InDataExchange::CODE => self.with(given, |chip, command| chip.exchange(command, context)),
            InCommunicateThru::CODE => self.with(given, |chip, command| chip.communicate(&command, context)),
            InDeselect::CODE => {
                self.with(given, |chip, InDeselect { target }| chip.deselect(target, false, context))
            }
            InRelease::CODE => {
                self.with(given, |chip, InRelease { target }| chip.deselect(target, true, context))
            }
            InSelect::CODE => self.with(given, |chip, InSelect { target }| chip.select(target, context)),
            InJumpForDep::CODE => self.with(given, |chip, command| chip.jump(&command, context)),
            InJumpForPsl::CODE => {
                self.with(given, |chip, InJumpForPsl(command)| chip.jump(&command, context))
            }
            InAtr::CODE => self.with(given, |chip, command| chip.attribute(&command, context)),
            InPsl::CODE => self.with(given, |chip, command: InPsl| chip.change_rate(command, context)),
            TgInitAsTarget::CODE => self.with(given, |chip, command| chip.be_target(&command, context)),
            TgSetGeneralBytes::CODE => self.with(given, |chip, TgSetGeneralBytes { general }| {
                chip.general = Some(general);
                Status::OK
            }),
            TgGetData::CODE => self.with(given, |chip, _: TgGetData| chip.target_data(context)),
            TgSetData::CODE => {
                self.with(given, |chip, TgSetData { data }| chip.set_target_data(&data, false, context))
            }
            TgSetMetaData::CODE => {
                self.with(given, |chip, TgSetMetaData { data }| chip.set_target_data(&data, true, context))
            }
            TgGetInitiatorCommand::CODE => {
                self.with(given, |chip, _: TgGetInitiatorCommand| chip.initiator_command(context))
            }
            TgResponseToInitiator::CODE => self.with(given, |chip, TgResponseToInitiator { data }| {
                chip.respond_to_initiator(&data, context)
            }),
            TgGetTargetStatus::CODE => self.with(given, |chip, _: TgGetTargetStatus| chip.target_status()),
            _ => None,
        }
    }

    fn with<C: ChipCommand>(
        &mut self,
        given: &[u8],
        act: impl FnOnce(&mut Self, C) -> C::Answer,
    ) -> Option<Vec<u8>> {
        let command = C::parse(given).ok()?;
        Some(act(self, command).to_bytes())
    }

    fn configure(&mut self, command: &RfConfiguration, context: &mut Context) {
        let was_on = self.settings.field;
        self.settings.configure(command.item, &command.data);
        if was_on && !self.settings.field {
            self.rest(context);
            self.slots.clear();
        }
    }

    /// The field goes off; where the air fails, nobody hears of it.
    fn rest(&mut self, context: &mut Context) {
        let _ = self.antenna.rest(context);
    }

    /// Does something as one who speaks first; `None` where the air fails, or the host wants
    /// something else.
    pub(super) fn speaking<T>(
        &mut self,
        act: impl FnOnce(&mut dyn Air, &mut Vec<Slot>) -> Result<T, LinkError>,
    ) -> Option<T> {
        self.settings.field = true;
        let air = self.antenna.speak().ok()?;
        act(&mut Radio { host: &mut self.host, air }, &mut self.slots).ok()
    }

    /// Does something as one who waits to be spoken to.
    pub(super) fn listening<T>(
        &mut self,
        act: impl FnOnce(&mut dyn Air, &mut Role) -> Result<T, LinkError>,
    ) -> Result<T, LinkError> {
        let air = self.antenna.listen()?;
        act(&mut Radio { host: &mut self.host, air }, &mut self.role)
    }
}
