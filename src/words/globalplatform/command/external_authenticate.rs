//! EXTERNAL AUTHENTICATE of the secure channel: GlobalPlatform Card Specification
//! 2.3.1 E.5.2. Its class tells it from the command of ISO/IEC 7816-4.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// The host proves itself, and says how what follows is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExternalAuthenticate {
    /// 01 with a MAC, 03 enciphered besides.
    pub security_level: u8,
    /// The host's proof.
    pub host_cryptogram: [u8; 8],
    /// The first MAC of the channel.
    pub mac: [u8; 8],
}

impl ApduCommand for ExternalAuthenticate {
    const NAME: &'static str = "EXTERNAL AUTHENTICATE (secure channel)";
    const CLAUSE: &'static str = "GPC 2.3.1 E.5.2";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("level", ParameterKind::Number(0, 255)),
        Parameter::required("cryptogram", ParameterKind::Bytes(8, 8)),
        Parameter::required("mac", ParameterKind::Bytes(8, 8)),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x84 && apdu.ins == 0x82
    }

    fn effect(&self) -> Effect {
        // A wrong proof counts against the card manager's tries.
        Effect::Destroys
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            security_level: arguments.needed_byte("level")?,
            host_cryptogram: arguments.array("cryptogram")?,
            mac: arguments.array("mac")?,
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x84, 0x82, self.security_level, 0x00)
            .data([self.host_cryptogram, self.mac].concat())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let parts = apdu.data.as_chunks::<8>();
        match parts {
            ([host_cryptogram, mac], []) => {
                Ok(Self { security_level: apdu.p1, host_cryptogram: *host_cryptogram, mac: *mac })
            }
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "cryptogram and MAC",
                expected: "16",
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
        vec![Element::named("script MAC", self.mac)]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
