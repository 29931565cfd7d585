//! STORE DATA: GlobalPlatform Card Specification 2.3.1 11.11; with data groupings, EMV
//! Card Personalisation Specification 2.0 clause 4.

use crate::base::bytes::Secret;
use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Stores one block of data groupings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreData {
    /// Whether it is the last block: the application is personalised with it.
    pub is_last: bool,
    /// Whether the data of its groupings are under the data encryption key.
    pub is_enciphered: bool,
    /// The block's number, from 0.
    pub block: u8,
    /// The groupings, up to 255 bytes.
    pub data: Secret<Vec<u8>>,
}

const LAST: u8 = 0x80;
const ENCIPHERED: u8 = 0x60;

impl ApduCommand for StoreData {
    const NAME: &'static str = "STORE DATA";
    const CLAUSE: &'static str = "GPC 2.3.1 11.11";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("data", ParameterKind::Bytes(1, 255)),
        Parameter::optional("block", ParameterKind::Number(0, 255)),
        Parameter::optional("last", ParameterKind::Flag),
        Parameter::optional("enciphered", ParameterKind::Flag),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        (apdu.cla == 0x80 || apdu.cla == 0x84) && apdu.ins == 0xE2
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            is_last: arguments.has("last"),
            is_enciphered: arguments.has("enciphered"),
            block: arguments.byte("block")?.unwrap_or(0),
            data: Secret::new(arguments.needed_bytes("data")?.to_vec()),
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        let p1 = if self.is_last { LAST } else { 0 } | if self.is_enciphered { ENCIPHERED } else { 0 };
        CommandApdu::new(0x80, 0xE2, p1, self.block).data(self.data.expose().as_slice())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if apdu.data.is_empty() || apdu.data.len() > 255 {
            return Err(CommandError::Length {
                command: Self::NAME,
                what: "data groupings",
                expected: "1 to 255",
                found: apdu.data.len(),
            });
        }
        Ok(Self {
            is_last: apdu.p1 & LAST != 0,
            is_enciphered: apdu.p1 & ENCIPHERED == ENCIPHERED,
            block: apdu.p2,
            data: Secret::new(apdu.data.clone()),
        })
    }

    fn encode_response(_response: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(&self, _data: &[u8]) -> Result<(), CommandError> {
        Ok(())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("data groupings", self.data.expose().as_slice())]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
