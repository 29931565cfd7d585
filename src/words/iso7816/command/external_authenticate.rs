//! EXTERNAL AUTHENTICATE: EMV Book 3 6.5.4. Carries the issuer's answer to the
//! cryptogram (tag 91) to the card.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Gives issuer authentication data to the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalAuthenticate {
    /// Tag 91: 8 to 16 bytes; ARPC and authorisation response code with method 1.
    pub issuer_authentication_data: Vec<u8>,
}

impl ApduCommand for ExternalAuthenticate {
    const NAME: &'static str = "EXTERNAL AUTHENTICATE";
    const CLAUSE: &'static str = "EMV Book 3 6.5.4";
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("data", ParameterKind::Bytes(8, 16))];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        // P2 is a key of a purse card where it is not 00.
        apdu.cla == 0x00 && apdu.ins == 0x82 && (apdu.p1 != 0 || apdu.p2 == 0)
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { issuer_authentication_data: arguments.needed_bytes("data")?.to_vec() })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x00, 0x82, 0x00, 0x00).data(self.issuer_authentication_data.as_slice())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if !(8..=16).contains(&apdu.data.len()) {
            return Err(CommandError::Length {
                command: Self::NAME,
                what: "issuer authentication data",
                expected: "8 to 16",
                found: apdu.data.len(),
            });
        }
        Ok(Self { issuer_authentication_data: apdu.data.clone() })
    }

    fn encode_response(_response: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(&self, _data: &[u8]) -> Result<(), CommandError> {
        Ok(())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::tag(0x91, self.issuer_authentication_data.as_slice())]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
