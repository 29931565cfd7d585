//! READ BINARY by short file identifier: ISO/IEC 7816-4 11.3.3.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Reads a part of a binary file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReadBinary {
    /// Short file identifier, 1 to 30.
    pub sfi: u8,
    /// Where in the file.
    pub offset: u8,
    /// How many bytes, 1 to 256; 256 asks for all that there are.
    pub length: u16,
}

impl ApduCommand for ReadBinary {
    const NAME: &'static str = "READ BINARY";
    const CLAUSE: &'static str = "ISO/IEC 7816-4 11.3.3";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("sfi", ParameterKind::Number(1, 30)),
        Parameter::optional("offset", ParameterKind::Number(0, 255)),
        Parameter::optional("length", ParameterKind::Number(1, 256)),
    ];
    type Response = Vec<u8>;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x00 && apdu.ins == 0xB0 && apdu.p1 & 0xE0 == 0x80
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sfi: arguments.needed_byte("sfi")?,
            offset: arguments.byte("offset")?.unwrap_or(0),
            length: arguments.number("length").unwrap_or(256) as u16,
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x00, 0xB0, 0x80 | self.sfi, self.offset).le(self.length.into())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let sfi = apdu.p1 & 0x1F;
        if apdu.p1 & 0xE0 != 0x80 || !(1..=30).contains(&sfi) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "00 B0 80+SFI offset",
                found: apdu.clone(),
            });
        }
        if !apdu.data.is_empty() {
            return Err(CommandError::Length {
                command: Self::NAME,
                what: "command data",
                expected: "0",
                found: apdu.data.len(),
            });
        }
        let length = apdu.le.map_or(256, |le| le.min(256) as u16);
        Ok(Self { sfi, offset: apdu.p2, length })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        response.clone()
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        Ok(data.to_vec())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("SFI", [self.sfi])]
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        vec![Element::named("file bytes", response.as_slice())]
    }
}
