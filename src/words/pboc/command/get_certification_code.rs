//! The certification code (认证码) of cards of the Ministry of Housing's cities (City Union): the card
//! tells it, and the terminal's security module is told it before MAC1, which covers it. The module's
//! command is known from public validators alone.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Asks a card for its certification code, or tells a security module that of the card which pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetCertificationCode {
    /// The code, to a module; none to a card.
    pub code: Option<[u8; 9]>,
}

impl ApduCommand for GetCertificationCode {
    const NAME: &'static str = "GET CERTIFICATION CODE";
    const CLAUSE: &'static str = "City Union GET CERTIFICATION CODE";
    const PARAMETERS: &'static [Parameter] = &[Parameter::optional("code", ParameterKind::Bytes(9, 9))];
    /// The code, of a card.
    type Response = Option<[u8; 9]>;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.header() == [0x80, 0xCA, 0x00, 0x00]
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let code = arguments.bytes("code").map(|_| arguments.array("code")).transpose()?;
        Ok(Self { code })
    }

    fn to_apdu(&self) -> CommandApdu {
        let apdu = CommandApdu::new(0x80, 0xCA, 0x00, 0x00);
        match self.code {
            Some(code) => apdu.data(code),
            None => apdu.le(9),
        }
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if !Self::matches(apdu) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "80 CA 00 00",
                found: apdu.clone(),
            });
        }
        Ok(Self { code: code_of(&apdu.data, "command data")? })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        response.map(Vec::from).unwrap_or_default()
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        code_of(data, "certification code")
    }

    fn elements(&self) -> Vec<Element> {
        self.code.iter().map(|code| Element::named("certification code", code.as_slice())).collect()
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        response.iter().map(|code| Element::named("certification code", code.as_slice())).collect()
    }
}

fn code_of(data: &[u8], what: &'static str) -> Result<Option<[u8; 9]>, CommandError> {
    match data {
        [] => Ok(None),
        data => data.try_into().map(Some).map_err(|_| CommandError::Length {
            command: GetCertificationCode::NAME,
            what,
            expected: "0 or 9",
            found: data.len(),
        }),
    }
}
