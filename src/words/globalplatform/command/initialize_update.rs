//! INITIALIZE UPDATE: GlobalPlatform Card Specification 2.3.1 E.5.1 (SCP02).

use crate::base::bytes::{Cursor, Truncated};
use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Opens a secure channel: challenges go both ways, and the card proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InitializeUpdate {
    /// Which key set; 00 takes the card's first.
    pub key_version: u8,
    /// Eight random bytes.
    pub host_challenge: [u8; 8],
}

/// What the card answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Initialized {
    /// Key diversification data.
    pub diversification: [u8; 10],
    /// The version of the key set that is used.
    pub key_version: u8,
    /// The sequence counter of that key set.
    pub sequence: [u8; 2],
    /// Six bytes of the card's.
    pub card_challenge: [u8; 6],
    /// The card's proof.
    pub card_cryptogram: [u8; 8],
}

/// Secure channel protocol 02.
const PROTOCOL: u8 = 0x02;

impl ApduCommand for InitializeUpdate {
    const NAME: &'static str = "INITIALIZE UPDATE";
    const CLAUSE: &'static str = "GPC 2.3.1 E.5.1";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("challenge", ParameterKind::Bytes(8, 8)),
        Parameter::optional("key", ParameterKind::Number(0, 255)),
    ];
    type Response = Initialized;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x80 && apdu.ins == 0x50 && apdu.p2 == 0x00 && apdu.data.len() == 8
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let key_version = arguments.byte("key")?.unwrap_or(0);
        Ok(Self { key_version, host_challenge: arguments.array("challenge")? })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x80, 0x50, self.key_version, 0x00).data(self.host_challenge).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let host_challenge = apdu.data.as_slice().try_into().map_err(|_| CommandError::Length {
            command: Self::NAME,
            what: "host challenge",
            expected: "8",
            found: apdu.data.len(),
        })?;
        Ok(Self { key_version: apdu.p1, host_challenge })
    }

    fn encode_response(response: &Initialized) -> Vec<u8> {
        [
            &response.diversification[..],
            &[response.key_version, PROTOCOL],
            &response.sequence,
            &response.card_challenge,
            &response.card_cryptogram,
        ]
        .concat()
    }

    fn decode_response(&self, data: &[u8]) -> Result<Initialized, CommandError> {
        let cut = |source: Truncated| CommandError::Truncated { command: Self::NAME, source };
        let mut cursor = Cursor::new(data);
        let response = Initialized {
            diversification: cursor.array("key diversification data").map_err(cut)?,
            key_version: cursor.byte("key version").map_err(cut)?,
            sequence: {
                cursor.byte("protocol identifier").map_err(cut)?;
                cursor.array("sequence counter").map_err(cut)?
            },
            card_challenge: cursor.array("card challenge").map_err(cut)?,
            card_cryptogram: cursor.array("card cryptogram").map_err(cut)?,
        };
        match (data.get(11), cursor.is_empty()) {
            (Some(&PROTOCOL), true) => Ok(response),
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "an SCP02 answer",
                expected: "28",
                found: data.len(),
            }),
        }
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("challenge", self.host_challenge)]
    }

    fn response_elements(&self, response: &Initialized) -> Vec<Element> {
        vec![
            Element::named("sequence counter", response.sequence),
            Element::named("challenge", response.card_challenge),
        ]
    }
}
