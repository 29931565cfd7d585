//! UPDATE CAPP DATA CACHE of a purse: PBOC 2.0 part 9. Between the initialisation of a compound
//! purchase and its debit; the record lands with the debit, or not at all.

use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Writes a record together with the debit that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateCappDataCache {
    /// The record's identifier, its first byte; 00 in a ring, which gets a new record.
    pub id: u8,
    /// Short file identifier, 1 to 30.
    pub sfi: u8,
    /// The new record, 1 to 255 bytes.
    pub data: Vec<u8>,
}

impl ApduCommand for UpdateCappDataCache {
    const NAME: &'static str = "UPDATE CAPP DATA CACHE";
    const CLAUSE: &'static str = "PBOC 2.0 part 9 UPDATE CAPP DATA CACHE";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("sfi", ParameterKind::Number(1, 30)),
        Parameter::required("id", ParameterKind::Number(0, 255)),
        Parameter::required("data", ParameterKind::Bytes(1, 255)),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x80 && apdu.ins == 0xDC && apdu.p2 & 0x07 == 0
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            id: arguments.needed_byte("id")?,
            sfi: arguments.needed_byte("sfi")?,
            data: arguments.needed_bytes("data")?.to_vec(),
        })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x80, 0xDC, self.id, self.sfi << 3).data(self.data.as_slice())
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let sfi = apdu.p2 >> 3;
        if apdu.p2 & 0x07 != 0 || !(1..=30).contains(&sfi) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "80 DC identifier SFI*8",
                found: apdu.clone(),
            });
        }
        match apdu.data.len() {
            1..=255 => Ok(Self { id: apdu.p1, sfi, data: apdu.data.clone() }),
            found => {
                Err(CommandError::Length { command: Self::NAME, what: "record", expected: "1 to 255", found })
            }
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
            Element::named("record number", [self.id]),
            Element::named("purse record", self.data.as_slice()),
        ]
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}
