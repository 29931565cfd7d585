//! RECOVER AC: EMV Book C-2 5.7. Asks once more for the cryptogram of a transaction
//! whose answer was lost.

use super::{Cryptogram, GenerateAc};
use crate::base::event::Element;
use crate::words::emv::CryptogramType;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Asks for the answer that the card gave to its last GENERATE AC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverAc {
    /// What the DRDOL (9F51) asked for, of the torn transaction.
    pub drdol_data: Vec<u8>,
}

impl ApduCommand for RecoverAc {
    const NAME: &'static str = "RECOVER AC";
    const CLAUSE: &'static str = "EMV Book C-2 5.7";
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("data", ParameterKind::Bytes(0, 255))];
    type Response = Cryptogram;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x80 && apdu.ins == 0xD0
    }

    /// The counters moved with the GENERATE AC whose answer is asked for again.
    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { drdol_data: arguments.needed_bytes("data")?.to_vec() })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x80, 0xD0, 0x00, 0x00).data(self.drdol_data.as_slice()).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if (apdu.p1, apdu.p2) != (0, 0) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "80 D0 with P1 00, P2 00",
                found: apdu.clone(),
            });
        }
        Ok(Self { drdol_data: apdu.data.clone() })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        GenerateAc::encode_response(response)
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        // Its answer is read the same way, whatever was asked for.
        let like = GenerateAc { cryptogram: CryptogramType::Aac, cda: false, cdol_data: Vec::new() };
        like.decode_response(data)
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("DRDOL data", self.drdol_data.as_slice())]
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        response.data.iter().map(|(tag, value)| Element::tag(tag.0, value)).collect()
    }
}
