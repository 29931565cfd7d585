//! INITIALIZE UPDATE: GlobalPlatform Card Specification 2.3.1 E.5.1. Begins a secure
//! channel: each end challenges the other.

use crate::base::event::Element;
use crate::words::iso7816::{ApduCommand, CommandApdu, CommandError, Effect};

/// Begins a secure channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitializeUpdate {
    /// Which key set; 0 asks for the first there is.
    pub key_version: u8,
    /// Random bytes of the host.
    pub host_challenge: [u8; 8],
}

/// What the card answers, 28 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpdateAnswer {
    /// From what its keys were diversified.
    pub diversification: [u8; 10],
    /// The key set's version.
    pub key_version: u8,
    /// How many channels were opened under these keys.
    pub sequence: [u8; 2],
    /// Random bytes of the card.
    pub card_challenge: [u8; 6],
    /// The proof that the card knows the keys.
    pub cryptogram: [u8; 8],
}

/// Secure channel protocol 02, as the key information names it.
const SCP02: u8 = 0x02;

impl ApduCommand for InitializeUpdate {
    const NAME: &'static str = "INITIALIZE UPDATE";
    const CLAUSE: &'static str = "GPCS 2.3.1 E.5.1";
    type Response = UpdateAnswer;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x80 && apdu.ins == 0x50
    }

    fn effect(&self) -> Effect {
        // A card that is asked with wrong keys too often may lock its security domain.
        Effect::Destroys
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

    fn encode_response(answer: &UpdateAnswer) -> Vec<u8> {
        [
            answer.diversification.as_slice(),
            &[answer.key_version, SCP02],
            &answer.sequence,
            &answer.card_challenge,
            &answer.cryptogram,
        ]
        .concat()
    }

    fn decode_response(&self, data: &[u8]) -> Result<UpdateAnswer, CommandError> {
        let wrong = || CommandError::Length {
            command: Self::NAME,
            what: "key information of protocol 02, challenge and cryptogram",
            expected: "28",
            found: data.len(),
        };
        let (diversification, rest) = data.split_first_chunk::<10>().ok_or_else(wrong)?;
        let ([key_version, SCP02], rest) = rest.split_first_chunk::<2>().ok_or_else(wrong)? else {
            return Err(wrong());
        };
        let (sequence, rest) = rest.split_first_chunk::<2>().ok_or_else(wrong)?;
        let (card_challenge, rest) = rest.split_first_chunk::<6>().ok_or_else(wrong)?;
        Ok(UpdateAnswer {
            diversification: *diversification,
            key_version: *key_version,
            sequence: *sequence,
            card_challenge: *card_challenge,
            cryptogram: rest.try_into().map_err(|_| wrong())?,
        })
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("host challenge", self.host_challenge)]
    }

    fn response_elements(&self, answer: &UpdateAnswer) -> Vec<Element> {
        vec![
            Element::named("card challenge", answer.card_challenge),
            Element::named("channel cryptogram", answer.cryptogram),
        ]
    }
}
