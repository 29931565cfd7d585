//! SELECT by file identifier: ISO/IEC 7816-4 11.2.2. Purse cards and security modules name
//! their master file and their applications so, too.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Selects a file by its identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SelectFile {
    /// The identifier.
    pub identifier: u16,
}

impl SelectFile {
    /// The master file.
    pub const MASTER_FILE: Self = Self { identifier: 0x3F00 };
}

impl ApduCommand for SelectFile {
    const NAME: &'static str = "SELECT FILE";
    const CLAUSE: &'static str = "ISO/IEC 7816-4 11.2.2";
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("file", ParameterKind::Bytes(2, 2))];
    /// The file control information, where the file has any.
    type Response = Vec<u8>;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.header() == [0x00, 0xA4, 0x00, 0x00]
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { identifier: u16::from_be_bytes(arguments.array("file")?) })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x00, 0xA4, 0x00, 0x00).data(self.identifier.to_be_bytes()).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        match <[u8; 2]>::try_from(apdu.data.as_slice()) {
            Ok(identifier) => Ok(Self { identifier: u16::from_be_bytes(identifier) }),
            Err(_) => Err(CommandError::Length {
                command: Self::NAME,
                what: "file identifier",
                expected: "2",
                found: apdu.data.len(),
            }),
        }
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        response.clone()
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        Ok(data.to_vec())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("file identifier", self.identifier.to_be_bytes())]
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        vec![Element::named("FCI", response.as_slice())]
    }
}
