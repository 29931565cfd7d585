//! PUT DATA: JR/T 0025.5, an issuer script command. Writes one data object, such
//! as the electronic cash balance in a load: the value is the new total.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};
use crate::words::tlv::Tag;

/// Writes one data object under a script MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutData {
    /// Which, two bytes.
    pub tag: Tag,
    /// The new value, 1 to 251 bytes.
    pub value: Vec<u8>,
    /// The script MAC.
    pub mac: [u8; 4],
}

impl PutData {
    /// CLA INS P1 P2 Lc, the part of the MAC's input that precedes the data.
    pub fn header(&self) -> [u8; 5] {
        let [.., p1, p2] = self.tag.0.to_be_bytes();
        [0x04, 0xDA, p1, p2, (self.value.len() + self.mac.len()) as u8]
    }
}

impl ApduCommand for PutData {
    const NAME: &'static str = "PUT DATA";
    const CLAUSE: &'static str = "JR/T 0025.5";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("tag", ParameterKind::Tag),
        Parameter::required("value", ParameterKind::Bytes(1, 251)),
        Parameter::required("mac", ParameterKind::Bytes(4, 4)),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x04 && apdu.ins == 0xDA
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            tag: arguments.tag("tag")?,
            value: arguments.needed_bytes("value")?.to_vec(),
            mac: arguments.array("mac")?,
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        let [cla, ins, p1, p2, _] = self.header();
        CommandApdu::new(cla, ins, p1, p2).data([self.value.as_slice(), &self.mac].concat())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        match apdu.data.split_last_chunk::<4>() {
            Some((value, mac)) if (1..=251).contains(&value.len()) => Ok(Self {
                tag: Tag(u32::from(u16::from_be_bytes([apdu.p1, apdu.p2]))),
                value: value.to_vec(),
                mac: *mac,
            }),
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "value and MAC",
                expected: "5 to 255",
                found: apdu.data.len(),
            }),
        }
    }

    fn encode_response(_response: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(&self, _data: &[u8]) -> Result<(), CommandError> {
        Ok(())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::tag(self.tag.0, self.value.as_slice()), Element::named("script MAC", self.mac)]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
