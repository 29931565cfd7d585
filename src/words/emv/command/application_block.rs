//! APPLICATION BLOCK: EMV Book 3 6.5.1.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Blocks the selected application; the card answers every cryptogram with AAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApplicationBlock {
    /// The script MAC.
    pub mac: [u8; 4],
}

impl ApduCommand for ApplicationBlock {
    const NAME: &'static str = "APPLICATION BLOCK";
    const CLAUSE: &'static str = "EMV Book 3 6.5.1";
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("mac", ParameterKind::Bytes(4, 4))];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x84 && apdu.ins == 0x1E
    }

    fn effect(&self) -> Effect {
        Effect::Destroys
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { mac: arguments.array("mac")? })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x84, 0x1E, 0x00, 0x00).data(self.mac)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let mac = apdu.data.as_slice().try_into().map_err(|_| CommandError::Length {
            command: Self::NAME,
            what: "script MAC",
            expected: "4",
            found: apdu.data.len(),
        })?;
        Ok(Self { mac })
    }

    fn encode_response(_response: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(&self, _data: &[u8]) -> Result<(), CommandError> {
        Ok(())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("script MAC", self.mac)]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
