//! GENERATE APPLICATION CRYPTOGRAM: EMV Book 3 6.5.5.

use crate::base::event::Element;
use crate::words::dictionary::tag;
use crate::words::emv::{Cid, CryptogramType};
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};
use crate::words::tlv::{self, Tag, TlvStore};

/// Asks for a cryptogram over the data of CDOL1 or CDOL2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerateAc {
    /// The cryptogram asked for; the card may give a weaker one.
    pub cryptogram: CryptogramType,
    /// Whether a combined signature (CDA) is asked for.
    pub cda: bool,
    /// What the CDOL asked for.
    pub cdol_data: Vec<u8>,
}

/// The answer, either format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cryptogram {
    /// 9F27, 9F36, 9F26, 9F10 and, with format 2, whatever else the card gives.
    pub data: TlvStore,
    /// Whether the card used format 1 (template 80).
    pub format_1: bool,
}

impl Cryptogram {
    /// Tag 9F27.
    pub fn cid(&self) -> Option<Cid> {
        self.data.array(tag::CRYPTOGRAM_INFORMATION_DATA).map(|[cid]| Cid(cid))
    }

    /// Tag 9F36.
    pub fn atc(&self) -> Option<[u8; 2]> {
        self.data.array(tag::ATC)
    }

    /// Tag 9F26.
    pub fn application_cryptogram(&self) -> Option<[u8; 8]> {
        self.data.array(tag::APPLICATION_CRYPTOGRAM)
    }
}

impl ApduCommand for GenerateAc {
    const NAME: &'static str = "GENERATE AC";
    const CLAUSE: &'static str = "EMV Book 3 6.5.5";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("cryptogram", ParameterKind::Word(&["aac", "tc", "arqc"])),
        Parameter::optional("cda", ParameterKind::Flag),
        Parameter::required("data", ParameterKind::Gathered(&[tag::CDOL1, tag::CDOL2])),
    ];
    type Response = Cryptogram;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x80 && apdu.ins == 0xAE
    }

    /// A TC moves offline money, and an approved online transaction may too.
    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        let cryptogram = match arguments.text("cryptogram") {
            Some("aac") => CryptogramType::Aac,
            Some("tc") => CryptogramType::Tc,
            Some("arqc") => CryptogramType::Arqc,
            _ => return Err(arguments.missing("cryptogram")),
        };
        let cdol_data = arguments.needed_bytes("data")?.to_vec();
        Ok(Self { cryptogram, cda: arguments.has("cda"), cdol_data })
    }

    fn to_apdu(&self) -> CommandApdu {
        let p1 = self.cryptogram.bits() | if self.cda { 0x10 } else { 0 };
        CommandApdu::new(0x80, 0xAE, p1, 0x00).data(self.cdol_data.as_slice()).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let header = || CommandError::Header {
            command: Self::NAME,
            expected: "80 AE with P1 00, 40 or 80 (10 added for CDA), P2 00",
            found: apdu.clone(),
        };
        if apdu.p1 & 0x2F != 0 || apdu.p2 != 0 {
            return Err(header());
        }
        let cryptogram = CryptogramType::from_bits(apdu.p1).ok_or_else(header)?;
        Ok(Self { cryptogram, cda: apdu.p1 & 0x10 != 0, cdol_data: apdu.data.clone() })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        if response.format_1 {
            let value = FORMAT_1.map(|t| response.data.value(t).unwrap_or_default()).concat();
            tlv::encode(tag::RESPONSE_TEMPLATE_FORMAT_1, &value)
        } else {
            tlv::encode(tag::RESPONSE_TEMPLATE_FORMAT_2, &response.data.to_bytes())
        }
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        let wrap = |source| CommandError::Tlv { command: Self::NAME, source };
        let template = tlv::parse_one(data).map_err(wrap)?;
        let missing = |tag| CommandError::Missing { command: Self::NAME, tag, found: data.to_vec() };
        let cryptogram = match template.tag {
            tag::RESPONSE_TEMPLATE_FORMAT_1 => {
                let (head, iad) =
                    template.value.split_at_checked(11).ok_or(missing(tag::APPLICATION_CRYPTOGRAM))?;
                let mut store = TlvStore::new();
                store.put(tag::CRYPTOGRAM_INFORMATION_DATA, &head[..1]);
                store.put(tag::ATC, &head[1..3]);
                store.put(tag::APPLICATION_CRYPTOGRAM, &head[3..]);
                if !iad.is_empty() {
                    store.put(tag::ISSUER_APPLICATION_DATA, iad);
                }
                Cryptogram { data: store, format_1: true }
            }
            tag::RESPONSE_TEMPLATE_FORMAT_2 => {
                let data = template.children().map_err(wrap)?.iter().map(|t| (t.tag, t.value)).collect();
                Cryptogram { data, format_1: false }
            }
            _ => return Err(missing(tag::RESPONSE_TEMPLATE_FORMAT_2)),
        };
        match (cryptogram.cid(), cryptogram.atc()) {
            (None, _) => Err(missing(tag::CRYPTOGRAM_INFORMATION_DATA)),
            (_, None) => Err(missing(tag::ATC)),
            _ => Ok(cryptogram),
        }
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::named("CDOL data", self.cdol_data.as_slice())]
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        response.data.iter().map(|(tag, value)| Element::tag(tag.0, value)).collect()
    }
}

/// The order of format 1.
const FORMAT_1: [Tag; 4] =
    [tag::CRYPTOGRAM_INFORMATION_DATA, tag::ATC, tag::APPLICATION_CRYPTOGRAM, tag::ISSUER_APPLICATION_DATA];
