//! EXCHANGE RELAY RESISTANCE DATA: EMV Book C-2 5.3. The reader measures how long the
//! answer takes; a card that is far away takes longer than it says itself.

use crate::base::bytes::Cursor;
use crate::base::event::Element;
use crate::words::dictionary::tag;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};
use crate::words::tlv;

/// Brings the reader's entropy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeRelayResistanceData {
    /// Tag DF8301: fresh for each exchange.
    pub terminal_entropy: [u8; 4],
}

/// What the card says of itself; times in units of 100 microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayResistanceData {
    /// Tag DF8302.
    pub device_entropy: [u8; 4],
    /// Tag DF8303: the least that the card takes for this command.
    pub minimum_time: u16,
    /// Tag DF8304: the most.
    pub maximum_time: u16,
    /// Tag DF8305: how long the card thinks that its answer is in the air.
    pub transmission_time: u16,
}

impl RelayResistanceData {
    /// The answer's value, which a combined signature has too.
    pub fn to_bytes(&self) -> [u8; 10] {
        let mut out = [0; 10];
        out[..4].copy_from_slice(&self.device_entropy);
        out[4..6].copy_from_slice(&self.minimum_time.to_be_bytes());
        out[6..8].copy_from_slice(&self.maximum_time.to_be_bytes());
        out[8..].copy_from_slice(&self.transmission_time.to_be_bytes());
        out
    }

    /// From those ten bytes.
    pub fn from_bytes(bytes: [u8; 10]) -> Self {
        let [a, b, c, d, minimum @ .., e, f, g, h] = bytes;
        Self {
            device_entropy: [a, b, c, d],
            minimum_time: u16::from_be_bytes(minimum),
            maximum_time: u16::from_be_bytes([e, f]),
            transmission_time: u16::from_be_bytes([g, h]),
        }
    }
}

impl ApduCommand for ExchangeRelayResistanceData {
    const NAME: &'static str = "EXCHANGE RELAY RESISTANCE DATA";
    const CLAUSE: &'static str = "EMV Book C-2 5.3";
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("entropy", ParameterKind::Bytes(4, 4))];
    type Response = RelayResistanceData;

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x80 && apdu.ins == 0xEA
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { terminal_entropy: arguments.array("entropy")? })
    }

    fn to_apdu(&self) -> CommandApdu {
        CommandApdu::new(0x80, 0xEA, 0x00, 0x00).data(self.terminal_entropy).le(256)
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if (apdu.p1, apdu.p2) != (0, 0) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "80 EA with P1 00, P2 00",
                found: apdu.clone(),
            });
        }
        let terminal_entropy = apdu.data.as_slice().try_into().map_err(|_| CommandError::Length {
            command: Self::NAME,
            what: "terminal entropy",
            expected: "4",
            found: apdu.data.len(),
        })?;
        Ok(Self { terminal_entropy })
    }

    fn encode_response(response: &Self::Response) -> Vec<u8> {
        tlv::encode(tag::RESPONSE_TEMPLATE_FORMAT_1, &response.to_bytes())
    }

    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError> {
        let template =
            tlv::parse_one(data).map_err(|source| CommandError::Tlv { command: Self::NAME, source })?;
        if template.tag != tag::RESPONSE_TEMPLATE_FORMAT_1 {
            let tag = tag::RESPONSE_TEMPLATE_FORMAT_1;
            return Err(CommandError::Missing { command: Self::NAME, tag, found: data.to_vec() });
        }
        let bytes = Cursor::new(template.value).array("relay resistance data");
        let bytes = bytes.ok().filter(|_: &[u8; 10]| template.value.len() == 10);
        bytes.map(RelayResistanceData::from_bytes).ok_or(CommandError::Length {
            command: Self::NAME,
            what: "relay resistance data",
            expected: "10",
            found: template.value.len(),
        })
    }

    fn elements(&self) -> Vec<Element> {
        vec![Element::tag(tag::TERMINAL_RELAY_ENTROPY.0, self.terminal_entropy)]
    }

    fn response_elements(&self, response: &Self::Response) -> Vec<Element> {
        let RelayResistanceData { device_entropy, minimum_time, maximum_time, transmission_time } = *response;
        vec![
            Element::tag(tag::DEVICE_RELAY_ENTROPY.0, device_entropy),
            Element::tag(tag::MINIMUM_RELAY_TIME.0, minimum_time.to_be_bytes()),
            Element::tag(tag::MAXIMUM_RELAY_TIME.0, maximum_time.to_be_bytes()),
            Element::tag(tag::DEVICE_TRANSMISSION_TIME.0, transmission_time.to_be_bytes()),
        ]
    }
}
