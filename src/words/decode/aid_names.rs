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
    ("A0000000032020", "V Pay"),
    ("A0000000038010", "Visa Plus"),
    ("A000000098", "Visa USA debit"),
    ("A000000004", "Mastercard"),
    ("A0000000041010", "Mastercard credit or debit"),
    ("A0000000043060", "Maestro"),
    ("A0000000046000", "Cirrus"),
    ("A0000000042203", "Mastercard USA debit"),
    ("A000000005", "Maestro UK"),
    ("B012345678", "Mastercard test card"),
    ("A000000025", "American Express"),
    ("A000000790", "American Express, China"),
    ("A000000042", "Cartes Bancaires"),
    ("A0000000421010", "Cartes Bancaires credit or debit"),
    ("A0000000422010", "Cartes Bancaires debit"),
    ("A000000065", "JCB"),
    ("A000000121", "Dankort"),
    ("A0000001214711", "Visa/Dankort"),
    ("A0000001214712", "Dankort (J/Speedy)"),
    ("A000000152", "Discover"),
    ("A0000001523010", "Discover card"),
    ("A0000001524010", "Discover USA debit"),
    ("A000000324", "Discover ZIP"),
    ("A000000277", "Interac"),
    ("A000000333", "UnionPay"),
    ("A000000333010101", "UnionPay debit"),
    ("A000000333010102", "UnionPay credit"),
    ("A000000333010103", "UnionPay quasi-credit"),
    ("A000000333010106", "UnionPay electronic cash"),
    ("A000000333010108", "UnionPay US common debit"),
    ("A000000337", "GIM-UEMOA"),
    ("A000000337101000", "GIM-UEMOA standard"),
    ("A000000337101001", "GIM-UEMOA prepaid online"),
    ("A000000337102000", "GIM-UEMOA classic"),
    ("A000000337102001", "GIM-UEMOA prepaid offline"),
    ("A000000337301000", "GIM-UEMOA withdrawal"),
    ("A000000337601001", "GIM-UEMOA electronic wallet"),
    ("A0000003591010028001", "girocard"),
    ("A000000371", "Verve"),
    ("A000000384", "eftpos Australia"),
    ("A00000038410", "eftpos Australia savings"),
    ("A00000038420", "eftpos Australia cheque"),
    ("A000000524", "RuPay"),
    ("A000000632", "T-Union"),
    ("A000000632010105", "T-Union purse"),
    ("A000000632010106", "T-Union electronic cash"),
    ("A000000658", "Mir"),
    ("A0000006581010", "Mir credit"),
    ("A0000006582010", "Mir debit"),
    ("A000000732", "Meeza"),
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
