//! GET TRANSACTION PROVE of the extended application: JR/T 0025.14. After a card was pulled
//! it gives the certificate of the last transaction that it completed, or says that it has none.

use crate::base::event::Element;
use crate::words::dictionary::tag;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// Asks for the certificate of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetCappProve {
    /// Its transaction counter.
    pub atc: u16,
}

/// The certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CappProof {
    /// The transaction certificate (9F26); zeros for a pre-authorisation, which has none.
    pub certificate: [u8; 8],
}

impl ApduCommand for GetCappProve {
    /// The purse has a command of the standard's name, with a type in P2.
    const NAME: &'static str = "GET CAPP PROVE";
    const CLAUSE: &'static str = "JR/T 0025.14 GET TRANSACTION PROVE";
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("atc", ParameterKind::Number(0, 65_535))];
    type Response = CappProof;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x80 && apdu.ins == 0x5A && apdu.p2 == 0x00
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let atc = arguments.number("atc").and_then(|number| u16::try_from(number).ok());
        Ok(Self { atc: atc.ok_or_else(|| arguments.missing("atc"))? })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x80, 0x5A, 0x00, 0x00).data(self.atc.to_be_bytes()).le(8)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if (apdu.p1, apdu.p2) != (0, 0) {
            let expected = "80 5A 00 00";
            return Err(CommandError::Header { command: Self::NAME, expected, found: apdu.clone() });
        }
        match apdu.data.as_slice() {
            [high, low] => Ok(Self { atc: u16::from_be_bytes([*high, *low]) }),
            _ => Err(CommandError::Length {
                command: Self::NAME,
                what: "transaction counter",
                expected: "2",
                found: apdu.data.len(),
            }),
        }
    }

    fn encode_response(response: &CappProof) -> Vec<u8> {
        response.certificate.to_vec()
    }

    fn decode_response(&self, data: &[u8]) -> Result<CappProof, CommandError> {
        let certificate = data.try_into().map_err(|_| CommandError::Length {
            command: Self::NAME,
            what: "certificate",
            expected: "8",
            found: data.len(),
        })?;
        Ok(CappProof { certificate })
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::tag(tag::ATC.0, self.atc.to_be_bytes())]
    }

    fn response_elements(&self, response: &CappProof) -> Vec<Element> {
        vec![Element::tag(tag::APPLICATION_CRYPTOGRAM.0, response.certificate)]
    }
}
