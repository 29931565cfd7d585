//! Names of public application identifiers: the registered providers of EMV
//! schemes, PBOC applications, and transit purses.

use crate::words::iso7816::Aid;

/// An AID or the beginning of one, in hexadecimal, and the name of what it selects.
/// Of several that fit, the longest one names the application.
pub const AID_NAMES: &[(&str, &str)] = &[
    ("315041592E5359532E4444463031", "PSE (1PAY.SYS.DDF01)"),
    ("325041592E5359532E4444463031", "PPSE (2PAY.SYS.DDF01)"),
    ("A000000003", "Visa"),
    ("A0000000031010", "Visa credit or debit"),
    ("A0000000032010", "Visa Electron"),
    ("A000000004", "Mastercard"),
    ("A0000000041010", "Mastercard credit or debit"),
    ("A0000000043060", "Maestro"),
    ("A000000025", "American Express"),
    ("A000000042", "Cartes Bancaires"),
    ("A000000065", "JCB"),
    ("A000000152", "Discover"),
    ("A000000277", "Interac"),
    ("A000000333", "UnionPay"),
    ("A000000333010101", "UnionPay debit"),
    ("A000000333010102", "UnionPay credit"),
    ("A000000333010103", "UnionPay quasi-credit"),
    ("A000000333010106", "UnionPay electronic cash"),
    ("A000000333010108", "UnionPay US common debit"),
    ("A000000524", "RuPay"),
    ("A000000632", "T-Union"),
    ("A000000632010105", "T-Union purse"),
    ("A000000632010106", "T-Union electronic cash"),
    ("A000000658", "Mir"),
    ("A00000000386980701", "City Union purse"),
    ("A0000000037100869807010000000000", "Chang'an Tong"),
    ("A0000000032300869807010000000000", "Hefei Tong"),
    ("A0000053425748544B", "Wuhan Tong (phone)"),
    ("5041592E535A54", "Shenzhen Tong (PAY.SZT)"),
    ("5041592E41505059", "Yang Cheng Tong (PAY.APPY)"),
    ("5041592E5449434C", "Yang Cheng Tong wallet (PAY.TICL)"),
    ("4150312E5748435443", "Wuhan Tong (AP1.WHCTC)"),
    ("9156000014010001", "Beijing (phone)"),
    ("A00000063201010510009156000014A1", "Beijing-Tianjin-Hebei (phone)"),
    ("4351515041592E5359533331", "Chongqing (CQQPAY.SYS31)"),
    ("535A542E57414C4C45542E454E56", "Shenzhen Tong (phone)"),
    ("5943542E55534552", "Lingnan Pass (phone)"),
    ("B0C4C3C5CDA8C7AEB0FC", "Macau Pass wallet"),
    ("B0C4C3C5CDA8BBFDB7D6", "Macau Pass points"),
];

/// The name of an application, by the longest known beginning of its AID.
pub fn aid_name(aid: &Aid) -> Option<&'static str> {
    let hex = aid.to_string();
    let fits = AID_NAMES.iter().filter(|(known, _)| hex.starts_with(known));
    fits.max_by_key(|(known, _)| known.len()).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn name(hex: &str) -> Option<&'static str> {
        aid_name(&Aid::new(parse_hex(hex).unwrap()).unwrap())
    }

    #[test]
    fn the_longest_beginning_names_it() {
        assert_eq!(name("A000000333010106"), Some("UnionPay electronic cash"));
        assert_eq!(name("A00000033301010612"), Some("UnionPay electronic cash"));
        assert_eq!(name("A000000333020101"), Some("UnionPay"));
        assert_eq!(name("A00000000386980701"), Some("City Union purse"));
        assert_eq!(name("F0010203"), None);
    }

    #[test]
    fn every_row_is_an_aid_and_stands_once() {
        for (index, (hex, _)) in AID_NAMES.iter().enumerate() {
            assert!(Aid::new(parse_hex(hex).unwrap()).is_some(), "{hex}");
            assert!(AID_NAMES[..index].iter().all(|(other, _)| other != hex), "{hex} twice");
        }
    }
}
