//! INTERNAL AUTHENTICATE: EMV Book 3 6.5.9. The card signs the data of the DDOL together
//! with its own dynamic data.

use crate::base::event::Element;
use crate::words::dictionary::tag;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};
use crate::words::tlv::{self, TlvStore};

/// Asks for a dynamic signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalAuthenticate {
    /// What the DDOL asked for.
    pub ddol_data: Vec<u8>,
}

/// The answer, either format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicSignature {
    /// 9F4B and, with format 2, whatever else the card gives.
    pub data: TlvStore,
    /// Whether the card used format 1 (template 80).
    pub format_1: bool,
}

impl DynamicSignature {
    /// Tag 9F4B.
    pub fn signed(&self) -> &[u8] {
        self.data.value(tag::SIGNED_DYNAMIC_APPLICATION_DATA).unwrap_or_default()
    }
}

impl ApduCommand for InternalAuthenticate {
    const NAME: &'static str = "INTERNAL AUTHENTICATE";
    const CLAUSE: &'static str = "EMV Book 3 6.5.9";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::required("data", ParameterKind::Gathered(&[tag::DDOL]))];
    type Response = DynamicSignature;

    fn matches(apdu: &CommandApdu) -> bool {
        // P2 is a key of a purse card where it is not 00.
        apdu.cla == 0x00 && apdu.ins == 0x88 && (apdu.p1 != 0 || apdu.p2 == 0)
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { ddol_data: arguments.needed_bytes("data")?.to_vec() })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x00, 0x88, 0x00, 0x00).data(self.ddol_data.as_slice()).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if (apdu.p1, apdu.p2) != (0, 0) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "00 88 00 00",
                found: apdu.clone(),
            });
        }
        Ok(Self { ddol_data: apdu.data.clone() })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        match response.format_1 {
            true => tlv::encode(tag::RESPONSE_TEMPLATE_FORMAT_1, response.signed()),
            false => tlv::encode(tag::RESPONSE_TEMPLATE_FORMAT_2, &response.data.to_bytes()),
        }
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        let wrap = |source| CommandError::Tlv { command: Self::NAME, source };
        let template = tlv::parse_one(data).map_err(wrap)?;
        let wanted = tag::SIGNED_DYNAMIC_APPLICATION_DATA;
        let missing = || CommandError::Missing { command: Self::NAME, tag: wanted, found: data.to_vec() };
        match template.tag {
            tag::RESPONSE_TEMPLATE_FORMAT_1 => Ok(DynamicSignature {
                data: [(wanted, template.value)].into_iter().collect(),
                format_1: true,
            }),
            tag::RESPONSE_TEMPLATE_FORMAT_2 => {
                let children = template.children().map_err(wrap)?;
                let data: TlvStore = children.iter().map(|child| (child.tag, child.value)).collect();
                match data.has(wanted) {
                    true => Ok(DynamicSignature { data, format_1: false }),
                    false => Err(missing()),
                }
            }
            _ => Err(missing()),
        }
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("DDOL data", self.ddol_data.as_slice())]
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        response.data.iter().map(|(tag, value)| Element::tag(tag.0, value)).collect()
    }
}
