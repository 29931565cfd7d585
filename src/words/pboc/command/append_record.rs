//! APPEND RECORD: JR/T 0025.14. Opens a place for an industry in a file: its record, and the
//! key that later changes of it need.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};
use crate::words::pboc::CAPP_FILES;

/// A new record and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendRecord {
    /// Short file identifier, 21 to 30.
    pub sfi: u8,
    /// The record's key, enciphered under the one that opens the file (triple DES, ECB).
    pub enciphered_key: [u8; 16],
    /// The record, 2 to 235 bytes; it begins with its identifier.
    pub record: Vec<u8>,
    /// Over header, key and record, under the key that opens the file.
    pub mac: [u8; 4],
}

impl AppendRecord {
    /// What the MAC is over.
    pub fn mac_input(&self) -> Vec<u8> {
        let length = self.enciphered_key.len() + self.record.len() + self.mac.len();
        let header = [0x04, 0xE2, 0x00, self.sfi << 3, length as u8];
        [&header, self.enciphered_key.as_slice(), &self.record].concat()
    }
}

impl ApduCommand for AppendRecord {
    const NAME: &'static str = "APPEND RECORD";
    const CLAUSE: &'static str = "JR/T 0025.14 APPEND RECORD";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("sfi", ParameterKind::Number(21, 30)),
        Parameter::required("key", ParameterKind::Bytes(16, 16)),
        Parameter::required("record", ParameterKind::Bytes(2, 235)),
        Parameter::required("mac", ParameterKind::Bytes(4, 4)),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x04 && apdu.ins == 0xE2
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sfi: arguments.needed_byte("sfi")?,
            enciphered_key: arguments.array("key")?,
            record: arguments.needed_bytes("record")?.to_vec(),
            mac: arguments.array("mac")?,
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        let data = [self.enciphered_key.as_slice(), &self.record, &self.mac].concat();
        CommandApdu::new(0x04, 0xE2, 0x00, self.sfi << 3).data(data)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let sfi = apdu.p2 >> 3;
        if apdu.p1 != 0 || apdu.p2 & 0x07 != 0 || !CAPP_FILES.contains(&sfi) {
            let expected = "04 E2 00 SFI*8";
            return Err(CommandError::Header { command: Self::NAME, expected, found: apdu.clone() });
        }
        let parts = apdu.data.split_first_chunk::<16>();
        match parts.and_then(|(key, rest)| Some((key, rest.split_last_chunk::<4>()?))) {
            Some((key, (record, mac))) if (2..=235).contains(&record.len()) => {
                Ok(Self { sfi, enciphered_key: *key, record: record.to_vec(), mac: *mac })
            }
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "key, record and MAC",
                expected: "22 to 255",
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
            Element::named("enciphered key", self.enciphered_key),
            Element::named("CAPP record", self.record.as_slice()),
            Element::named("MAC", self.mac),
        ]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
