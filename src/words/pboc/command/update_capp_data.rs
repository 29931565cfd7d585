//! UPDATE CAPP DATA CACHE: JR/T 0025.14. Right after GET PROCESSING OPTIONS a record of an
//! industry gets its new content; it is written with the money, when the last record is read.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};
use crate::words::pboc::CAPP_FILES;

/// The new content of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateCappData {
    /// Short file identifier, 21 to 30.
    pub sfi: u8,
    /// Whether the next record with this identifier is meant, not the first.
    pub next: bool,
    /// The whole record, 2 to 251 bytes; it begins with its identifier.
    pub record: Vec<u8>,
    /// Over header and record, under the record's own key.
    pub mac: [u8; 4],
}

impl UpdateCappData {
    /// What the MAC is over.
    pub fn mac_input(&self) -> Vec<u8> {
        let header = [0x84, 0xDE, 0x00, self.p2(), (self.record.len() + self.mac.len()) as u8];
        [&header, self.record.as_slice()].concat()
    }

    fn p2(&self) -> u8 {
        self.sfi << 3 | u8::from(self.next)
    }
}

impl ApduCommand for UpdateCappData {
    /// The purse has a command of the standard's name, with another instruction.
    const NAME: &'static str = "UPDATE CAPP DATA";
    const CLAUSE: &'static str = "JR/T 0025.14 UPDATE CAPP DATA CACHE";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("sfi", ParameterKind::Number(21, 30)),
        Parameter::required("record", ParameterKind::Bytes(2, 251)),
        Parameter::required("mac", ParameterKind::Bytes(4, 4)),
        Parameter::optional("next", ParameterKind::Flag),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x84 && apdu.ins == 0xDE
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sfi: arguments.needed_byte("sfi")?,
            next: arguments.has("next"),
            record: arguments.needed_bytes("record")?.to_vec(),
            mac: arguments.array("mac")?,
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x84, 0xDE, 0x00, self.p2()).data([self.record.as_slice(), &self.mac].concat())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let (sfi, occurrence) = (apdu.p2 >> 3, apdu.p2 & 0x07);
        if apdu.p1 != 0 || occurrence > 1 || !CAPP_FILES.contains(&sfi) {
            let expected = "84 DE 00 SFI*8 (+1: the next one)";
            return Err(CommandError::Header { command: Self::NAME, expected, found: apdu.clone() });
        }
        match apdu.data.split_last_chunk::<4>() {
            Some((record, mac)) if (2..=251).contains(&record.len()) => {
                Ok(Self { sfi, next: occurrence == 1, record: record.to_vec(), mac: *mac })
            }
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "record and MAC",
                expected: "6 to 255",
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
        vec![Element::named("CAPP record", self.record.as_slice()), Element::named("MAC", self.mac)]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
