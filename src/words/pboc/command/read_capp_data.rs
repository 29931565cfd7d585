//! READ CAPP DATA: JR/T 0025.14. Reads a record of an industry by its identifier, before GET
//! PROCESSING OPTIONS; with a challenge the card adds a MAC.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};
use crate::words::pboc::CAPP_FILES;

/// Asks for a record by its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadCappData {
    /// Short file identifier, 21 to 30.
    pub sfi: u8,
    /// Whether the next record with this identifier is meant, not the first.
    pub next: bool,
    /// The record's identifier.
    pub id: [u8; 2],
    /// A number that the MAC over the record depends on.
    pub challenge: Option<[u8; 8]>,
}

/// A record, and the MAC over it where a challenge came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CappRecord {
    /// The record; it begins with its identifier.
    pub record: Vec<u8>,
    /// Under the record's own key, with the challenge as initial vector.
    pub mac: Option<[u8; 4]>,
}

impl ApduCommand for ReadCappData {
    const NAME: &'static str = "READ CAPP DATA";
    const CLAUSE: &'static str = "JR/T 0025.14 READ CAPP DATA";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("sfi", ParameterKind::Number(21, 30)),
        Parameter::required("id", ParameterKind::Bytes(2, 2)),
        Parameter::optional("challenge", ParameterKind::Bytes(8, 8)),
        Parameter::optional("next", ParameterKind::Flag),
    ];
    type Response = CappRecord;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x80 && apdu.ins == 0xB4
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let challenge = arguments.has("challenge").then(|| arguments.array("challenge")).transpose()?;
        Ok(Self {
            sfi: arguments.needed_byte("sfi")?,
            next: arguments.has("next"),
            id: arguments.array("id")?,
            challenge,
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        let challenge = self.challenge.as_ref().map(|bytes| bytes.as_slice()).unwrap_or_default();
        let p2 = self.sfi << 3 | u8::from(self.next);
        CommandApdu::new(0x80, 0xB4, 0x00, p2).data([self.id.as_slice(), challenge].concat()).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let (sfi, occurrence) = (apdu.p2 >> 3, apdu.p2 & 0x07);
        if apdu.p1 != 0 || occurrence > 1 || !CAPP_FILES.contains(&sfi) {
            let expected = "80 B4 00 SFI*8 (+1: the next one)";
            return Err(CommandError::Header { command: Self::NAME, expected, found: apdu.clone() });
        }
        let parts = apdu.data.split_first_chunk::<2>();
        let challenge = |rest: &[u8]| rest.first_chunk().copied();
        match parts {
            Some((id, rest)) if rest.is_empty() || rest.len() == 8 => {
                Ok(Self { sfi, next: occurrence == 1, id: *id, challenge: challenge(rest) })
            }
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "identifier and challenge",
                expected: "2 or 10",
                found: apdu.data.len(),
            }),
        }
    }

    fn encode_response(response: &CappRecord) -> Vec<u8> {
        [response.record.as_slice(), response.mac.as_ref().map(|mac| mac.as_slice()).unwrap_or_default()]
            .concat()
    }

    fn decode_response(&self, data: &[u8]) -> Result<CappRecord, CommandError> {
        match (self.challenge, data.split_last_chunk::<4>()) {
            (None, _) => Ok(CappRecord { record: data.to_vec(), mac: None }),
            (Some(_), Some((record, mac))) => Ok(CappRecord { record: record.to_vec(), mac: Some(*mac) }),
            (Some(_), None) => Err(CommandError::Length {
                command: Self::NAME,
                what: "record and MAC",
                expected: "at least 4",
                found: data.len(),
            }),
        }
    }

    fn elements(&self) -> Vec<Element> {
        let challenge = self.challenge.map(|challenge| Element::named("challenge", challenge));
        [Element::named("record identifier", self.id)].into_iter().chain(challenge).collect()
    }

    fn response_elements(&self, response: &CappRecord) -> Vec<Element> {
        let mac = response.mac.map(|mac| Element::named("MAC", mac));
        [Element::named("CAPP record", response.record.as_slice())].into_iter().chain(mac).collect()
    }
}
