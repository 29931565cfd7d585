//! The MAC over issuer discretionary data in issuer application data (9F10;
//! PBOC / JR/T 0025.5): it tells the issuer the card's balance.

use crate::base::crypto::{self, Padding};
use crate::words::emv::cryptogram::CryptogramVersion;

/// Whether a padding block follows the zero-filled data. Cards differ, so a
/// profile chooses; public card code adds it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IddMacPadding {
    /// Zeros to whole blocks, then one more block 80 00... (ISO/IEC 9797-1 method 2).
    #[default]
    Method2,
    /// Zeros to whole blocks and no more.
    Plain,
}

/// MAC over the ATC and the value of the issuer discretionary data (5 or 10 bytes;
/// the balance is the low 5 bytes of 9F79 or DF79), under the MAC session key of
/// the transaction: leftmost 4 bytes.
pub fn idd_mac(
    version: &CryptogramVersion,
    udk_mac: &[u8; 16],
    atc: [u8; 2],
    value: &[u8],
    padding: IddMacPadding,
) -> [u8; 4] {
    let key = version.iad_session_key(udk_mac, atc);
    // The zero fill stops at 8 bytes under both ciphers: the layout is the same.
    let filled = crypto::pad(&[&atc, value].concat(), 8, Padding::Method1);
    let padding = match padding {
        IddMacPadding::Method2 => Padding::Method2,
        IddMacPadding::Plain => Padding::Method1,
    };
    let [a, b, c, d, ..] = version.mac(key.expose(), &filled, padding);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_readings_differ_and_both_depend_on_the_balance() {
        let version = CryptogramVersion::by_cvn(0x01, 0x01).unwrap();
        let mac = |value: &[u8], padding| idd_mac(version, &[7; 16], [0, 0x1C], value, padding);
        let value = [0, 0, 0x03, 0x87, 0x87];
        assert_ne!(mac(&value, IddMacPadding::Method2), mac(&value, IddMacPadding::Plain));
        assert_ne!(mac(&value, IddMacPadding::Plain), mac(&[0, 0, 0x03, 0x87, 0x88], IddMacPadding::Plain));
    }
}
