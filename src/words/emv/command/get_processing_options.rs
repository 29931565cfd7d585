//! GET PROCESSING OPTIONS: EMV Book 3 6.5.8.

use crate::base::event::Element;
use crate::words::dictionary::tag;
use crate::words::emv::Aip;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};
use crate::words::tlv::{self, TlvStore};

/// Begins a transaction: the card counts it (ATC) and answers with its profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetProcessingOptions {
    /// What the PDOL asked for; empty where there is no PDOL.
    pub pdol_data: Vec<u8>,
}

/// The answer, either format: 82, 94 and, with format 2, whatever else the card gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingOptions {
    /// The data objects; format 1 gives 82 and 94.
    pub data: TlvStore,
    /// Whether the card used format 1 (template 80).
    pub format_1: bool,
}

impl ProcessingOptions {
    /// The application interchange profile.
    pub fn aip(&self) -> Option<Aip> {
        self.data.array(tag::AIP).map(Aip)
    }
}

impl ApduCommand for GetProcessingOptions {
    const NAME: &'static str = "GET PROCESSING OPTIONS";
    const CLAUSE: &'static str = "EMV Book 3 6.5.8";
    const SHORT_NAME: Option<&'static str> = Some("GPO");
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::required("data", ParameterKind::Gathered(&[tag::PDOL]))];
    type Response = ProcessingOptions;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x80 && apdu.ins == 0xA8
    }

    fn effect(&self) -> Effect {
        Effect::Spends
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { pdol_data: arguments.needed_bytes("data")?.to_vec() })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x80, 0xA8, 0x00, 0x00)
            .data(tlv::encode(tag::COMMAND_TEMPLATE, &self.pdol_data))
            .le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let template =
            tlv::parse_one(&apdu.data).map_err(|source| CommandError::Tlv { command: Self::NAME, source })?;
        if template.tag != tag::COMMAND_TEMPLATE {
            return Err(CommandError::Missing {
                command: Self::NAME,
                tag: tag::COMMAND_TEMPLATE,
                found: apdu.data.clone(),
            });
        }
        Ok(Self { pdol_data: template.value.to_vec() })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        if response.format_1 {
            let value = [tag::AIP, tag::AFL].map(|t| response.data.value(t).unwrap_or_default()).concat();
            tlv::encode(tag::RESPONSE_TEMPLATE_FORMAT_1, &value)
        } else {
            tlv::encode(tag::RESPONSE_TEMPLATE_FORMAT_2, &response.data.to_bytes())
        }
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        let wrap = |source| CommandError::Tlv { command: Self::NAME, source };
        let template = tlv::parse_one(data).map_err(wrap)?;
        let missing = |tag| CommandError::Missing { command: Self::NAME, tag, found: data.to_vec() };
        match template.tag {
            tag::RESPONSE_TEMPLATE_FORMAT_1 => {
                let (aip, afl) = template.value.split_at_checked(2).ok_or(missing(tag::AIP))?;
                let data = [(tag::AIP, aip), (tag::AFL, afl)].into_iter().collect();
                Ok(ProcessingOptions { data, format_1: true })
            }
            tag::RESPONSE_TEMPLATE_FORMAT_2 => {
                let data: TlvStore =
                    template.children().map_err(wrap)?.iter().map(|t| (t.tag, t.value)).collect();
                let options = ProcessingOptions { data, format_1: false };
                if options.aip().is_none() { Err(missing(tag::AIP)) } else { Ok(options) }
            }
            _ => Err(missing(tag::RESPONSE_TEMPLATE_FORMAT_2)),
        }
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::tag(tag::COMMAND_TEMPLATE.0, self.pdol_data.as_slice())]
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        response.data.iter().map(|(tag, value)| Element::tag(tag.0, value)).collect()
    }
}
