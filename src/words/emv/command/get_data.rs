//! GET DATA: EMV Book 3 6.5.7.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};
use crate::words::tlv::{self, Tag};

/// Asks for one primitive data object that is in no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GetData {
    /// The tag, two bytes (a one-byte tag has P1 00).
    pub tag: Tag,
}

impl ApduCommand for GetData {
    const NAME: &'static str = "GET DATA";
    const CLAUSE: &'static str = "EMV Book 3 6.5.7";
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("tag", ParameterKind::Tag)];
    /// The value of the data object.
    type Response = (Tag, Vec<u8>);

    fn matches(apdu: &CommandApdu) -> bool {
        // City Union asks for its certification code without a tag.
        apdu.cla == 0x80 && apdu.ins == 0xCA && (apdu.p1, apdu.p2) != (0, 0)
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { tag: arguments.tag("tag")? })
    }

    fn to_apdu(&self) -> CommandApdu {
        let [.., p1, p2] = self.tag.0.to_be_bytes();
        CommandApdu::new(0x80, 0xCA, p1, p2).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if !apdu.data.is_empty() {
            return Err(CommandError::Length {
                command: Self::NAME,
                what: "command data",
                expected: "0",
                found: apdu.data.len(),
            });
        }
        Ok(Self { tag: Tag(u32::from(u16::from_be_bytes([apdu.p1, apdu.p2]))) })
    }

    fn encode_response((tag, value): &Self::Response) -> Vec<u8> {
        tlv::encode(*tag, value)
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        let all = tlv::parse(data).map_err(|source| CommandError::Tlv { command: Self::NAME, source })?;
        match all.first() {
            Some(element) if element.tag == self.tag => Ok((self.tag, element.value.to_vec())),
            _ => Err(CommandError::Missing { command: Self::NAME, tag: self.tag, found: data.to_vec() }),
        }
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new()
    }

    fn response_elements(&self, (tag, value): &Self::Response) -> Vec<Element> {
        vec![Element::tag(tag.0, value.as_slice())]
    }
}
