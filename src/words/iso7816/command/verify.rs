//! VERIFY: EMV Book 3 6.5.12. The PIN stands in a format 2 block (ISO 9564-1).

use crate::base::bytes::Secret;
use crate::base::event::Element;
use crate::words::iso7816::{ApduCommand, CommandApdu, CommandError, Effect};

/// A plaintext PIN block of format 2: `2L` digits, filled with F, 8 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinBlock(Secret<[u8; 8]>);

impl PinBlock {
    /// From 4 to 12 decimal digits.
    pub fn from_digits(digits: &str) -> Option<Self> {
        if !(4..=12).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut block = [0xFF; 8];
        block[0] = 0x20 | digits.len() as u8;
        let packed = crate::base::bytes::digits_to_bcd(digits, 7).ok()?;
        block[1..].copy_from_slice(&packed);
        Some(Self(Secret::new(block)))
    }

    /// From its eight bytes, as the card receives them; the card judges them.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The eight bytes.
    pub fn expose(&self) -> &[u8; 8] {
        self.0.expose()
    }
}

/// Presents a PIN to the card. Each wrong one costs a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// The PIN block; empty asks how many tries are left.
    pub pin: Option<PinBlock>,
}

impl ApduCommand for Verify {
    const NAME: &'static str = "VERIFY";
    const CLAUSE: &'static str = "EMV Book 3 6.5.12";
    type Response = ();

    fn matches(apdu: &CommandApdu) -> bool {
        apdu.cla == 0x00 && apdu.ins == 0x20
    }

    fn effect(&self) -> Effect {
        if self.pin.is_some() { Effect::Destroys } else { Effect::Reads }
    }

    fn to_apdu(&self) -> CommandApdu {
        let apdu = CommandApdu::new(0x00, 0x20, 0x00, 0x80);
        match &self.pin {
            Some(pin) => apdu.data(pin.expose().as_slice()),
            None => apdu,
        }
    }

    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError> {
        if (apdu.p1, apdu.p2) != (0x00, 0x80) {
            return Err(CommandError::Header {
                command: Self::NAME,
                expected: "00 20 00 80 (plaintext PIN)",
                found: CommandApdu::new(apdu.cla, apdu.ins, apdu.p1, apdu.p2),
            });
        }
        match apdu.data.as_slice() {
            [] => Ok(Self { pin: None }),
            data => match <[u8; 8]>::try_from(data) {
                Ok(block) => Ok(Self { pin: Some(PinBlock::from_bytes(block)) }),
                Err(_) => Err(CommandError::Length {
                    command: Self::NAME,
                    what: "PIN block",
                    expected: "8",
                    found: data.len(),
                }),
            },
        }
    }

    fn encode_response(_response: &()) -> Vec<u8> {
        Vec::new()
    }

    fn decode_response(&self, _data: &[u8]) -> Result<(), CommandError> {
        Ok(())
    }

    fn elements(&self) -> Vec<Element> {
        self.pin.iter().map(|pin| Element::named("PIN block", pin.expose().as_slice())).collect()
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
        assert_eq!(PinBlock::from_digits("123"), None);
        assert_eq!(PinBlock::from_digits("12a4"), None);
        assert!(!format!("{block:?}").contains("12"));
    }
}
