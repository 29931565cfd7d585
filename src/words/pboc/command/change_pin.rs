//! CHANGE PIN of a purse card: PBOC part 1. The old PIN vouches for the new one.

use crate::base::bytes::Secret;
use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Stands between the PINs.
const BETWEEN: u8 = 0xFF;

/// Changes the PIN. A wrong old one costs a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePin {
    /// BCD digits, 2 to 6 bytes.
    pub old: Secret<Vec<u8>>,
    /// BCD digits, 2 to 6 bytes.
    pub new: Secret<Vec<u8>>,
}

impl ApduCommand for ChangePin {
    const NAME: &'static str = "CHANGE PIN";
    const CLAUSE: &'static str = "PBOC part 1 CHANGE PIN";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("old", ParameterKind::Digits(4, 12)),
        Parameter::required("new", ParameterKind::Digits(4, 12)),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.header() == [0x80, 0x5E, 0x01, 0x00]
    }

    fn effect(&self) -> Effect {
        Effect::Destroys
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let pin = |name| {
            let digits = arguments.text(name).ok_or(arguments.missing(name))?;
            Ok::<_, ArgumentError>(Secret::new(super::pin_bytes(digits)))
        };
        Ok(Self { old: pin("old")?, new: pin("new")? })
    }

    fn to_apdu(&self) -> CommandApdu {
        let data = [self.old.expose(), &[BETWEEN][..], self.new.expose()].concat();
        CommandApdu::new(0x80, 0x5E, 0x01, 0x00).data(data)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let at = apdu.data.iter().position(|byte| *byte == BETWEEN);
        let parts = at.map(|at| (&apdu.data[..at], &apdu.data[at + 1..]));
        match parts {
            Some((old, new)) if (2..=6).contains(&old.len()) && (2..=6).contains(&new.len()) => {
                Ok(Self { old: Secret::new(old.to_vec()), new: Secret::new(new.to_vec()) })
            }
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "old PIN, FF and new PIN",
                expected: "5 to 13",
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
        [&self.old, &self.new].map(|pin| Element::named("purse PIN", pin.expose().as_slice())).into()
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
