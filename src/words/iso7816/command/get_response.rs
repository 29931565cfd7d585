//! GET RESPONSE: ISO/IEC 7816-4 11.7.1. Fetches what 61xx announced.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Fetches waiting response bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GetResponse {
    /// How many, 1 to 256.
    pub length: u16,
}

impl ApduCommand for GetResponse {
    const NAME: &'static str = "GET RESPONSE";
    const CLAUSE: &'static str = "ISO/IEC 7816-4 11.7.1";
    const PARAMETERS: &'static [Parameter] = &[Parameter::optional("length", ParameterKind::Number(1, 256))];
    /// The bytes.
    type Response = Vec<u8>;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.header() == [0x00, 0xC0, 0x00, 0x00]
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let length = arguments.number("length").and_then(|length| u16::try_from(length).ok());
        Ok(Self { length: length.unwrap_or(256) })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x00, 0xC0, 0x00, 0x00).le(u32::from(self.length.clamp(1, 256)))
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let length = apdu.le.and_then(|le| u16::try_from(le).ok()).filter(|le| *le <= 256);
        length.map(|length| Self { length }).ok_or(CommandError::Length {
            command: Self::NAME,
            what: "Le",
            expected: "1 to 256",
            found: apdu.le.unwrap_or(0) as usize,
        })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        response.clone()
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        Ok(data.to_vec())
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new()
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        vec![Element::named("response bytes", response.as_slice())]
    }
}
