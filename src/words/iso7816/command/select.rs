//! SELECT by DF name: ISO/IEC 7816-4 11.2.2, EMV Book 1 11.3.

use crate::base::event::Element;
use crate::words::iso7816::{
    Aid, ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Which of several applications that begin with the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occurrence {
    /// First or only (P2 00).
    First,
    /// Next (P2 02).
    Next,
}

/// Selects an application by its name or the beginning of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// The name, 1 to 16 bytes.
    pub name: Aid,
    /// Which one.
    pub occurrence: Occurrence,
}

impl Select {
    /// The first or only application of this name.
    pub fn first(name: Aid) -> Self {
        Self { name, occurrence: Occurrence::First }
    }

    /// The next application of this name.
    pub fn next(name: Aid) -> Self {
        Self { name, occurrence: Occurrence::Next }
    }
}

impl ApduCommand for Select {
    const NAME: &'static str = "SELECT";
    const CLAUSE: &'static str = "ISO/IEC 7816-4 11.2.2";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("name", ParameterKind::Bytes(1, 16)),
        Parameter::optional("next", ParameterKind::Flag),
    ];
    /// The file control information, template 6F and its contents.
    type Response = Vec<u8>;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x00 && apdu.ins == 0xA4 && apdu.p1 == 0x04
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let name = Aid::new(arguments.needed_bytes("name")?).ok_or(arguments.missing("name"))?;
        Ok(if arguments.has("next") { Self::next(name) } else { Self::first(name) })
    }

    fn to_apdu(&self) -> CommandApdu {
        let p2 = match self.occurrence {
            Occurrence::First => 0x00,
            Occurrence::Next => 0x02,
        };
        CommandApdu::new(0x00, 0xA4, 0x04, p2).data(self.name.as_bytes()).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let occurrence = match apdu.p2 {
            0x00 => Occurrence::First,
            0x02 => Occurrence::Next,
            _ => {
                return Err(CommandError::Header {
                    command: Self::NAME,
                    expected: "00 A4 04 00 or 00 A4 04 02",
                    found: apdu.clone(),
                });
            }
        };
        let name = Aid::new(apdu.data.as_slice()).ok_or(CommandError::Length {
            command: Self::NAME,
            what: "DF name",
            expected: "1 to 16",
            found: apdu.data.len(),
        })?;
        Ok(Self { name, occurrence })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        response.clone()
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        Ok(data.to_vec())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::tag(0x84, self.name.as_bytes())]
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        vec![Element::named("FCI", response.as_slice())]
    }
}
