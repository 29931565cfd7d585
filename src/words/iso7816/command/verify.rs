//! VERIFY: EMV Book 3 6.5.12. The PIN stands in a format 2 block (ISO 9564-1), plain or
//! enciphered with the card's public key (EMV Book 2 7.2).

use crate::base::bytes::Secret;
use crate::base::crypto::PinBlockFormat;
use crate::base::event::Element;
use crate::words::iso7816::{
    ApduCommand, ArgumentError, Arguments, CommandApdu, CommandError, Effect, Parameter, ParameterKind,
};

/// A plaintext PIN block of format 2: `2L` digits, filled with F, 8 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinBlock(Secret<[u8; 8]>);

impl PinBlock {
    /// From 4 to 12 decimal digits.
    pub fn from_digits(digits: &str) -> Option<Self> {
        PinBlockFormat::Format2.build(digits, "", [0; 8]).ok().map(Self)
    }

    /// From its eight bytes, as the card receives them; the card judges them.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The digits, as far as its length says that they are there.
    pub fn digits(&self) -> Secret<String> {
        let block = self.0.expose();
        let length = usize::from(block[0] & 0x0F);
        let nibbles = block[1..].iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
        Secret::new(nibbles.take(length).filter_map(|nibble| char::from_digit(nibble.into(), 10)).collect())
    }

    /// The eight bytes.
    pub fn expose(&self) -> &[u8; 8] {
        self.0.expose()
    }
}

/// A PIN on its way to the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresentedPin {
    /// A plaintext block, P2 80.
    Plain(PinBlock),
    /// What EMV Book 2 7.2 enciphers: as long as the card's public key, P2 88.
    Enciphered(Vec<u8>),
}

/// Presents a PIN to the card. Each wrong one costs a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// The PIN; without one the card is asked how many tries are left.
    pub pin: Option<PresentedPin>,
}

/// Qualifiers of the reference data, P2.
const PLAIN: u8 = 0x80;
const ENCIPHERED: u8 = 0x88;

impl ApduCommand for Verify {
    const NAME: &'static str = "VERIFY";
    const CLAUSE: &'static str = "EMV Book 3 6.5.12";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::optional("pin", ParameterKind::Digits(4, 12)),
        Parameter::optional("block", ParameterKind::Bytes(8, 8)),
        Parameter::optional("enciphered", ParameterKind::Bytes(1, 248)),
    ];
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        // P2 00 is a purse card's VERIFY.
        apdu.cla == 0x00 && apdu.ins == 0x20 && (apdu.p1, apdu.p2) != (0, 0)
    }

    fn effect(&self) -> Effect {
        if self.pin.is_some() { Effect::Destroys } else { Effect::Reads }
    }

    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError> {
        if let Some(digits) = arguments.text("pin") {
            let block = PinBlock::from_digits(digits).ok_or(arguments.missing("pin"))?;
            return Ok(Self { pin: Some(PresentedPin::Plain(block)) });
        }
        if arguments.has("block") {
            let block = PinBlock::from_bytes(arguments.array("block")?);
            return Ok(Self { pin: Some(PresentedPin::Plain(block)) });
        }
        let enciphered = arguments.bytes("enciphered");
        Ok(Self { pin: enciphered.map(|bytes| PresentedPin::Enciphered(bytes.to_vec())) })
    }

    fn to_apdu(&self) -> CommandApdu {
        let command = |p2| CommandApdu::new(0x00, 0x20, 0x00, p2);
        match &self.pin {
            Some(PresentedPin::Plain(pin)) => command(PLAIN).data(pin.expose().as_slice()),
            Some(PresentedPin::Enciphered(bytes)) => command(ENCIPHERED).data(bytes.as_slice()),
            None => command(PLAIN),
        }
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        let wrong = |expected| CommandError::Length {
            command: Self::NAME,
            what: "PIN block",
            expected,
            found: apdu.data.len(),
        };
        match (apdu.p1, apdu.p2, apdu.data.as_slice()) {
            (0x00, PLAIN, []) => Ok(Self { pin: None }),
            (0x00, PLAIN, data) => match <[u8; 8]>::try_from(data) {
                Ok(block) => Ok(Self { pin: Some(PresentedPin::Plain(PinBlock::from_bytes(block))) }),
                Err(_) => Err(wrong("8")),
            },
            (0x00, ENCIPHERED, []) => Err(wrong("the length of the card's public key")),
            (0x00, ENCIPHERED, data) => Ok(Self { pin: Some(PresentedPin::Enciphered(data.to_vec())) }),
            _ => Err(CommandError::Header {
                command: Self::NAME,
                expected: "00 20 00 80 (plaintext PIN) or 00 20 00 88 (enciphered PIN)",
                found: CommandApdu::new(apdu.cla, apdu.ins, apdu.p1, apdu.p2),
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
        let element = |pin: &PresentedPin| match pin {
            PresentedPin::Plain(pin) => Element::named("PIN block", pin.expose().as_slice()),
            PresentedPin::Enciphered(bytes) => Element::named("enciphered PIN", bytes.as_slice()),
        };
        self.pin.iter().map(element).collect()
    }

    fn response_elements(&self, _response: &()) -> Vec<Element> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_block_is_format_2() {
        let block = PinBlock::from_digits("12345").unwrap();
        assert_eq!(*block.expose(), [0x25, 0x12, 0x34, 0x5F, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(block.digits().expose(), "12345");
        assert_eq!(PinBlock::from_digits("123"), None);
        assert_eq!(PinBlock::from_digits("12a4"), None);
        assert!(!format!("{block:?}").contains("12"));
    }
}
