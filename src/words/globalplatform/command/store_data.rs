//! STORE DATA: GlobalPlatform Card Specification 2.3.1 11.11; EMV Card Personalisation
//! Specification 2.0, 2.3. Carries data groupings to an application, block by block.

use crate::base::bytes::Secret;
use crate::base::event::Element;
use crate::words::iso7816::{ApduCommand, CommandApdu, CommandError, Effect};

/// One block of data groupings. The class says whether it is wrapped by a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreData {
    /// Whether it is the last one (P1 bit 8).
    pub last: bool,
    /// Whether keys in it are enciphered (P1 bits 7 and 6: 11).
    pub enciphered: bool,
    /// Its number, from 0 (P2).
    pub block: u8,
    /// Its part of the groupings, or that under the channel's cipher.
    pub data: Secret<Vec<u8>>,
    /// Whether a channel has wrapped it: class 84 instead of 80.
    pub wrapped: bool,
}

impl ApduCommand for StoreData {
    const NAME: &'static str = "STORE DATA";
    const CLAUSE: &'static str = "GPCS 2.3.1 11.11";
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        matches!(apdu.cla, 0x80 | 0x84) && apdu.ins == 0xE2
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn to_apdu(&self) -> CommandApdu {
        let p1 = if self.last { 0x80 } else { 0 } | if self.enciphered { 0x60 } else { 0 };
        let cla = if self.wrapped { 0x84 } else { 0x80 };
        CommandApdu::new(cla, 0xE2, p1, self.block).data(self.data.expose().as_slice())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if apdu.data.is_empty() {
            return Err(CommandError::Length {
                command: Self::NAME,
                what: "data groupings",
                expected: "1 to 255",
                found: 0,
            });
        }
        if apdu.p1 & 0x1F != 0 || !matches!(apdu.p1 & 0x60, 0 | 0x60) {
            let (command, expected) = (Self::NAME, "P1 00, 60, 80 or E0");
            return Err(CommandError::Header { command, expected, found: apdu.clone() });
        }
        Ok(Self {
            last: apdu.p1 & 0x80 != 0,
            enciphered: apdu.p1 & 0x60 != 0,
            block: apdu.p2,
            data: Secret::new(apdu.data.clone()),
            wrapped: apdu.cla == 0x84,
        })
    }

    fn encode_response(_response: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(&self, _data: &[u8]) -> Result<(), CommandError> {
        Ok(())
    }

    fn elements(&self) -> Vec<Element> {
        // Keys and a card's number: no row in the dictionary, so that it is masked whole.
        vec![Element::named("data groupings", self.data.expose().as_slice())]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
