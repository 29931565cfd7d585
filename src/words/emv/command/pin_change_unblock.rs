//! PIN CHANGE/UNBLOCK: EMV Book 3 6.5.10, an issuer script command.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Gives the PIN tries back, with another PIN or with the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinChangeUnblock {
    /// What is done.
    pub operation: PinOperation,
    /// The script MAC.
    pub mac: [u8; 4],
}

/// What is done to the PIN. The blocks are enciphered (EMV Book 2 9.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinOperation {
    /// The PIN stays, its tries are given back (P2 00).
    Unblock,
    /// Another PIN, in a block with the current one (P2 01).
    ChangeWithCurrent(Vec<u8>),
    /// Another PIN (P2 02).
    Change(Vec<u8>),
}

impl ApduCommand for PinChangeUnblock {
    const NAME: &'static str = "PIN CHANGE/UNBLOCK";
    const CLAUSE: &'static str = "EMV Book 3 6.5.10";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("mac", ParameterKind::Bytes(4, 4)),
        Parameter::optional("block", ParameterKind::Bytes(8, 32)),
        Parameter::optional("with_current", ParameterKind::Flag),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x84 && apdu.ins == 0x24
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let operation = match arguments.bytes("block") {
            None => PinOperation::Unblock,
            Some(block) if arguments.has("with_current") => PinOperation::ChangeWithCurrent(block.to_vec()),
            Some(block) => PinOperation::Change(block.to_vec()),
        };
        Ok(Self { operation, mac: arguments.array("mac")? })
    }

    fn to_apdu(&self) -> CommandApdu {
        let (p2, block) = match &self.operation {
            PinOperation::Unblock => (0x00, [].as_slice()),
            PinOperation::ChangeWithCurrent(block) => (0x01, block.as_slice()),
            PinOperation::Change(block) => (0x02, block.as_slice()),
        };
        CommandApdu::new(0x84, 0x24, 0x00, p2).data([block, &self.mac].concat())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let length = |expected| CommandError::Length {
            command: Self::NAME,
            what: "enciphered PIN block and MAC",
            expected,
            found: apdu.data.len(),
        };
        let (block, mac) = apdu.data.split_last_chunk::<4>().ok_or_else(|| length("4 to 36"))?;
        let operation = match (apdu.p1, apdu.p2, block.len()) {
            (0x00, 0x00, 0) => PinOperation::Unblock,
            (0x00, 0x00, _) => return Err(length("4")),
            // One block of SM4 or two of DES, so that the length before the PIN block fits.
            (0x00, 0x01 | 0x02, 0..=7 | 33..) => return Err(length("12 to 36")),
            (0x00, 0x01, _) => PinOperation::ChangeWithCurrent(block.to_vec()),
            (0x00, 0x02, _) => PinOperation::Change(block.to_vec()),
            _ => {
                return Err(CommandError::Header {
                    command: Self::NAME,
                    expected: "84 24 00 00 (unblock), 01 or 02 (change)",
                    found: CommandApdu::new(apdu.cla, apdu.ins, apdu.p1, apdu.p2),
                });
            }
        };
        Ok(Self { operation, mac: *mac })
    }

    fn encode_response(_response: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(&self, _data: &[u8]) -> Result<(), CommandError> {
        Ok(())
    }

    fn elements(&self) -> Vec<Element> {
        let block = match &self.operation {
            PinOperation::Unblock => None,
            PinOperation::ChangeWithCurrent(block) | PinOperation::Change(block) => Some(block),
        };
        let block = block.map(|block| Element::named("enciphered PIN block", block.as_slice()));
        block.into_iter().chain([Element::named("script MAC", self.mac)]).collect()
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
