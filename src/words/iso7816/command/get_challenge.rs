//! GET CHALLENGE: EMV Book 3 6.5.6. A number of the card's that the next command is
//! bound to.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter,
};

/// Asks for an unpredictable number of eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChallenge;

impl ApduCommand for GetChallenge {
    const NAME: &'static str = "GET CHALLENGE";
    const CLAUSE: &'static str = "EMV Book 3 6.5.6";
    const PARAMETERS: &'static [Parameter] = &[];
    type Response = [u8; 8];

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x00 && apdu.ins == 0x84
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(_arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self)
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x00, 0x84, 0x00, 0x00).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        match (apdu.p1, apdu.p2) {
            (0, 0) => Ok(Self),
            _ => Err(CommandError::Header {
                command: Self::NAME,
                expected: "00 84 00 00",
                found: apdu.clone(),
            }),
        }
    }

    fn encode_response(response: &[u8; 8]) -> Vec<u8> {
        response.to_vec()
    }

    fn decode_response(&self, data: &[u8]) -> Result<[u8; 8], CommandError> {
        data.try_into().map_err(|_| CommandError::Length {
            command: Self::NAME,
            what: "challenge",
            expected: "8",
            found: data.len(),
        })
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new()
    }

    fn response_elements(&self, response: &[u8; 8]) -> Vec<Element> {
        vec![Element::named("challenge", response.as_slice())]
    }
}
