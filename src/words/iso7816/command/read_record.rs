//! READ RECORD by number: ISO/IEC 7816-4 11.4.3, EMV Book 3 6.5.11.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Reads one record of a short file identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReadRecord {
    /// Short file identifier, 1 to 30.
    pub sfi: u8,
    /// Record number, from 1; the load log knows 0 as "all, with MAC".
    pub record: u8,
}

impl ApduCommand for ReadRecord {
    const NAME: &'static str = "READ RECORD";
    const CLAUSE: &'static str = "EMV Book 3 6.5.11";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("sfi", ParameterKind::Number(0, 31)),
        Parameter::required("record", ParameterKind::Number(0, 255)),
    ];
    /// The record as it stands in the file.
    type Response = Vec<u8>;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x00 && apdu.ins == 0xB2 && apdu.p2 & 0x07 == 0x04
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { sfi: arguments.needed_byte("sfi")?, record: arguments.needed_byte("record")? })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x00, 0xB2, self.record, self.sfi << 3 | 0x04).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let sfi = apdu.p2 >> 3;
        if apdu.p2 & 0x07 != 0x04 || !(1..=30).contains(&sfi) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "00 B2 record SFI*8+4",
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
        Ok(Self { sfi, record: apdu.p1 })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        response.clone()
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        Ok(data.to_vec())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("SFI", [self.sfi]), Element::named("record number", [self.record])]
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        vec![Element::named("record", response.as_slice())]
    }
}
