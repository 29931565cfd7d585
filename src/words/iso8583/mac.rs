//! The message authentication code of field 64 or 128. It covers the message from
//! its MTI up to the code; the bitmap has the code's bit set.

use super::{Binary, Dialect, Iso8583Error, MacAlgorithm, Message, encode};
use crate::base::crypto::{Padding, des_encrypt_block, mac_algorithm_3, pad, tdes_encrypt_block};

/// Bytes of a code.
const MAC_BYTES: usize = 8;

/// The part of a written message that its code covers. Refuses what is shorter
/// than a code.
pub fn mac_input<'a>(bytes: &'a [u8], dialect: &Dialect) -> Result<&'a [u8], Iso8583Error> {
    let length = match dialect.binary {
        Binary::Raw => MAC_BYTES,
        Binary::Hex => MAC_BYTES * 2,
    };
    bytes.len().checked_sub(length).and_then(|end| bytes.get(..end)).ok_or_else(|| Iso8583Error::Truncated {
        what: "the authentication code".into(),
        expected: length,
        found: bytes.len(),
        offset: 0,
    })
}

/// The code over `input`. A key of 8 bytes stands in the left half.
pub fn mac(input: &[u8], algorithm: MacAlgorithm, key: &[u8; 16]) -> [u8; 8] {
    match algorithm {
        MacAlgorithm::X919 => mac_algorithm_3(key, input, Padding::Method1),
        MacAlgorithm::PosEcb => {
            let left = std::array::from_fn(|i| key[i]);
            pos_ecb(input, |block| des_encrypt_block(&left, block))
        }
        MacAlgorithm::PosEcbDouble => pos_ecb(input, |block| tdes_encrypt_block(key, block)),
    }
}

/// Writes a message with its code, which replaces one that it has.
pub fn seal(message: &mut Message, dialect: &Dialect, key: &[u8; 16]) -> Result<Vec<u8>, Iso8583Error> {
    message.remove(64);
    message.remove(128);
    let field = dialect.mac_field(message);
    message.put(field, [0; MAC_BYTES]);
    let unsealed = encode(message, dialect)?;
    let code = mac(mac_input(&unsealed, dialect)?, dialect.mac, key);
    message.put(field, code);
    encode(message, dialect)
}

/// Blocks joined by exclusive or; their hexadecimal characters' first half
/// encrypted, joined with the second half, encrypted again; of that the first
/// eight hexadecimal characters.
fn pos_ecb(input: &[u8], encrypt: impl Fn([u8; 8]) -> [u8; 8]) -> [u8; 8] {
    let padded = pad(input, 8, Padding::Method1);
    let joined = padded.as_chunks::<8>().0.iter().fold([0; 8], |sum, block| xor(sum, *block));
    let (first, second) = hex_halves(joined);
    let (code, _) = hex_halves(encrypt(xor(encrypt(first), second)));
    code
}

fn xor(a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    std::array::from_fn(|i| a[i] ^ b[i])
}

/// The sixteen hexadecimal characters of a block in two halves.
fn hex_halves(block: [u8; 8]) -> ([u8; 8], [u8; 8]) {
    const CHARACTERS: [u8; 16] = *b"0123456789ABCDEF";
    let character = |nibble: usize| {
        let byte = block[nibble / 2];
        CHARACTERS[usize::from(if nibble.is_multiple_of(2) { byte >> 4 } else { byte & 0x0F })]
    };
    (std::array::from_fn(character), std::array::from_fn(|i| character(i + 8)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use crate::words::iso8583::{Mti, dialect, parse};

    #[test]
    fn the_terminals_code_step_by_step() {
        // Worked out with another implementation of DES: the blocks join to 1032547698BADCFE;
        // E("10325476") = 1C58847FDA8B0B00; that joined with "98BADCFE" gives D50D02BEE6511EB2.
        let input = parse_hex("1032547698BADCFF 0000000000000001").unwrap();
        let key = std::array::from_fn(|i| if i < 8 { 0x11 * (i as u8 + 1) } else { 0 });
        assert_eq!(&mac(&input, MacAlgorithm::PosEcb, &key), b"D50D02BE");
        assert_ne!(mac(&input, MacAlgorithm::PosEcb, &key), mac(&input, MacAlgorithm::PosEcbDouble, &key));
    }

    #[test]
    fn a_sealed_message_checks_and_any_changed_byte_does_not() {
        for name in ["pos", "network", "ascii"] {
            let dialect = dialect(name).unwrap();
            let key = [0x3B; 16];
            for extra in [None, Some(102)] {
                let mut message = Message::new(Mti::FINANCIAL).with(11, "000123").with(41, "TERM0001");
                if let Some(field) = extra.filter(|field| dialect.field(*field).is_some()) {
                    message.put(field, "6299990000000001");
                }
                let bytes = seal(&mut message, dialect, &key).unwrap();
                assert_eq!(parse(&bytes, dialect).unwrap(), message);
                let field = dialect.mac_field(&message);
                let code = mac(mac_input(&bytes, dialect).unwrap(), dialect.mac, &key);
                assert_eq!(message.bytes(field), Some(&code[..]));
                for at in 0..mac_input(&bytes, dialect).unwrap().len() {
                    let mut other = bytes.clone();
                    other[at] ^= 1;
                    assert_ne!(
                        mac(mac_input(&other, dialect).unwrap(), dialect.mac, &key),
                        code,
                        "{name} {at}"
                    );
                }
            }
        }
    }
}
