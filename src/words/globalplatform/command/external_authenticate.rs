//! EXTERNAL AUTHENTICATE of a secure channel: GlobalPlatform Card Specification 2.3.1
//! E.5.2. Security level 03: from here on data are enciphered and commands signed.

use crate::base::event::Element;
use crate::words::iso7816::{ApduCommand, CommandApdu, CommandError, Effect};

/// Opens a secure channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExternalAuthenticate {
    /// The proof that the host knows the keys.
    pub cryptogram: [u8; 8],
    /// The first MAC of the channel.
    pub mac: [u8; 8],
}

/// P1: data enciphered, commands signed.
const LEVEL: u8 = 0x03;

impl ApduCommand for ExternalAuthenticate {
    const NAME: &'static str = "EXTERNAL AUTHENTICATE (channel)";
    const CLAUSE: &'static str = "GPCS 2.3.1 E.5.2";
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x84 && apdu.ins == 0x82
    }

    fn effect(&self) -> Effect {
        // A wrong cryptogram counts against the security domain.
        Effect::Destroys
    }

    fn to_apdu(&self) -> CommandApdu {
        let data = [self.cryptogram.as_slice(), &self.mac].concat();
        CommandApdu::new(0x84, 0x82, LEVEL, 0x00).data(data)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if (apdu.p1, apdu.p2) != (LEVEL, 0x00) {
            let (command, expected) = (Self::NAME, "security level 03 (P1)");
            return Err(CommandError::Header { command, expected, found: apdu.clone() });
        }
        let data: [u8; 16] = apdu.data.as_slice().try_into().map_err(|_| CommandError::Length {
            command: Self::NAME,
            what: "cryptogram and MAC",
            expected: "16",
            found: apdu.data.len(),
        })?;
        Ok(Self {
            cryptogram: std::array::from_fn(|at| data[at]),
            mac: std::array::from_fn(|at| data[at + 8]),
        })
    }

    fn encode_response(_response: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(&self, _data: &[u8]) -> Result<(), CommandError> {
        Ok(())
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("channel cryptogram", self.cryptogram), Element::named("channel MAC", self.mac)]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
