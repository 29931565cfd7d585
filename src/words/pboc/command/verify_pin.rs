//! VERIFY of a purse card: PBOC part 1. The PIN stands in digits, two a byte, not in a block.

use crate::base::bytes::Secret;
use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Presents a PIN to a purse card. Each wrong one costs a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyPin {
    /// BCD digits, filled with F where their number is odd: 2 to 6 bytes.
    pub pin: Secret<Vec<u8>>,
}

impl VerifyPin {
    /// Of a PIN's digits.
    pub fn of_digits(digits: &str) -> Self {
        Self { pin: Secret::new(pin_bytes(digits)) }
    }
}

/// The digits of a PIN as purse cards have them, two a byte, an odd one filled with F.
pub fn pin_bytes(digits: &str) -> Vec<u8> {
    let nibbles: Vec<u8> = digits.bytes().map(|digit| digit & 0x0F).collect();
    nibbles.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0x0F)).collect()
}

impl ApduCommand for VerifyPin {
    const NAME: &'static str = "VERIFY PIN";
    const CLAUSE: &'static str = "PBOC part 1 VERIFY";
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("pin", ParameterKind::Digits(4, 12))];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.header() == [0x00, 0x20, 0x00, 0x00]
    }

    fn effect(&self) -> Effect {
        Effect::Destroys
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self::of_digits(arguments.text("pin").ok_or(arguments.missing("pin"))?))
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x00, 0x20, 0x00, 0x00).data(self.pin.expose().as_slice())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        match apdu.data.len() {
            2..=6 => Ok(Self { pin: Secret::new(apdu.data.clone()) }),
            found => {
                Err(CommandError::Length { command: Self::NAME, what: "PIN", expected: "2 to 6", found })
            }
        }
    }

    fn encode_response(_response: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(&self, _data: &[u8]) -> Result<(), CommandError> {
        Ok(())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("purse PIN", self.pin.expose().as_slice())]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
