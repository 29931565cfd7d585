//! UPDATE BINARY: ISO/IEC 7816-4 11.3.4; PBOC part 1, where most files want a MAC.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Writes over a part of a binary file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateBinary {
    /// Short file identifier, 1 to 30.
    pub sfi: u8,
    /// Where in the file.
    pub offset: u8,
    /// The new bytes, 1 to 251.
    pub data: Vec<u8>,
    /// MAC over header and data, after the card's challenge; CLA 04.
    pub mac: Option<[u8; 4]>,
}

impl UpdateBinary {
    /// CLA INS P1 P2 Lc, the part of the MAC's input that precedes the data.
    pub fn header(&self) -> [u8; 5] {
        let length = self.data.len() + self.mac.map_or(0, |mac| mac.len());
        let cla = if self.mac.is_some() { 0x04 } else { 0x00 };
        [cla, 0xD6, 0x80 | self.sfi, self.offset, length as u8]
    }
}

impl ApduCommand for UpdateBinary {
    const NAME: &'static str = "UPDATE BINARY";
    const CLAUSE: &'static str = "ISO/IEC 7816-4 11.3.4";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("sfi", ParameterKind::Number(1, 30)),
        Parameter::required("offset", ParameterKind::Number(0, 255)),
        Parameter::required("data", ParameterKind::Bytes(1, 251)),
        Parameter::optional("mac", ParameterKind::Bytes(4, 4)),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        matches!(apdu.cla, 0x00 | 0x04) && apdu.ins == 0xD6
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sfi: arguments.needed_byte("sfi")?,
            offset: arguments.needed_byte("offset")?,
            data: arguments.needed_bytes("data")?.to_vec(),
            mac: if arguments.has("mac") { Some(arguments.array("mac")?) } else { None },
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        let [cla, ins, p1, p2, _] = self.header();
        let mac = self.mac.as_ref().map(|mac| &mac[..]).unwrap_or_default();
        CommandApdu::new(cla, ins, p1, p2).data([self.data.as_slice(), mac].concat())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let (sfi, offset) = (apdu.p1 & 0x1F, apdu.p2);
        if apdu.p1 & 0xE0 != 0x80 || !(1..=30).contains(&sfi) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "00 D6 or 04 D6, then 80+SFI and an offset",
                found: apdu.clone(),
            });
        }
        let (data, mac) = match (apdu.cla, apdu.data.split_last_chunk::<4>()) {
            (0x04, Some((data, mac))) => (data, Some(*mac)),
            (0x04, None) => (&[][..], None),
            _ => (apdu.data.as_slice(), None),
        };
        match data.len() {
            1..=251 => Ok(Self { sfi, offset, data: data.to_vec(), mac }),
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "bytes of the file, and MAC where CLA is 04",
                expected: "1 to 251",
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
        let mac = self.mac.map(|mac| Element::named("script MAC", mac));
        let data = Element::named("file bytes", self.data.as_slice());
        [Element::named("SFI", [self.sfi]), data].into_iter().chain(mac).collect()
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
