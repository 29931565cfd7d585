//! RELOAD PIN of a purse card: PBOC part 1. The issuer sets a PIN, whatever the old one was.

use crate::base::bytes::Secret;
use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Sets the PIN and gives all of its tries back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadPin {
    /// BCD digits, 2 to 6 bytes.
    pub pin: Secret<Vec<u8>>,
    /// MAC over the PIN under the reload key, left half XOR right half.
    pub mac: [u8; 4],
}

impl ApduCommand for ReloadPin {
    const NAME: &'static str = "RELOAD PIN";
    const CLAUSE: &'static str = "PBOC part 1 RELOAD PIN";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("pin", ParameterKind::Digits(4, 12)),
        Parameter::required("mac", ParameterKind::Bytes(4, 4)),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.header() == [0x80, 0x5E, 0x00, 0x00]
    }

    fn effect(&self) -> Effect {
        Effect::Destroys
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let digits = arguments.text("pin").ok_or(arguments.missing("pin"))?;
        Ok(Self { pin: Secret::new(super::pin_bytes(digits)), mac: arguments.array("mac")? })
    }

    fn to_apdu(&self) -> CommandApdu {
        let data = [self.pin.expose().as_slice(), &self.mac].concat();
        CommandApdu::new(0x80, 0x5E, 0x00, 0x00).data(data)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        match apdu.data.split_last_chunk::<4>() {
            Some((pin, mac)) if (2..=6).contains(&pin.len()) => {
                Ok(Self { pin: Secret::new(pin.to_vec()), mac: *mac })
            }
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "PIN and MAC",
                expected: "6 to 10",
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
        vec![
            Element::named("purse PIN", self.pin.expose().as_slice()),
            Element::named("script MAC", self.mac),
        ]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
