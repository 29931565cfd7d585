//! UPDATE RECORD: JR/T 0025.5, an issuer script command.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Replaces one record under a script MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRecord {
    /// Short file identifier, 1 to 30.
    pub sfi: u8,
    /// Record number, from 1.
    pub record: u8,
    /// The new record, 1 to 251 bytes.
    pub data: Vec<u8>,
    /// The script MAC.
    pub mac: [u8; 4],
}

impl UpdateRecord {
    /// CLA INS P1 P2 Lc, the part of the MAC's input that precedes the data.
    pub fn header(&self) -> [u8; 5] {
        [0x04, 0xDC, self.record, self.sfi << 3 | 0x04, (self.data.len() + self.mac.len()) as u8]
    }
}

impl ApduCommand for UpdateRecord {
    const NAME: &'static str = "UPDATE RECORD";
    const CLAUSE: &'static str = "JR/T 0025.5";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("sfi", ParameterKind::Number(1, 30)),
        Parameter::required("record", ParameterKind::Number(1, 255)),
        Parameter::required("data", ParameterKind::Bytes(1, 251)),
        Parameter::required("mac", ParameterKind::Bytes(4, 4)),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x04 && apdu.ins == 0xDC && apdu.p2 & 0x07 == 0x04
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sfi: arguments.needed_byte("sfi")?,
            record: arguments.needed_byte("record")?,
            data: arguments.needed_bytes("data")?.to_vec(),
            mac: arguments.array("mac")?,
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        let [cla, ins, p1, p2, _] = self.header();
        CommandApdu::new(cla, ins, p1, p2).data([self.data.as_slice(), &self.mac].concat())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let sfi = apdu.p2 >> 3;
        if apdu.p2 & 0x07 != 0x04 || !(1..=30).contains(&sfi) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "04 DC record SFI*8+4",
                found: apdu.clone(),
            });
        }
        match apdu.data.split_last_chunk::<4>() {
            Some((data, mac)) if (1..=251).contains(&data.len()) => {
                Ok(Self { sfi, record: apdu.p1, data: data.to_vec(), mac: *mac })
            }
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "record and MAC",
                expected: "5 to 255",
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
            Element::named("SFI", [self.sfi]),
            Element::named("record number", [self.record]),
            Element::named("record", self.data.as_slice()),
            Element::named("script MAC", self.mac),
        ]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
