//! What the bytes of one element say, in words on one line.

use super::aid_names::aid_name;
use super::codes;
use super::merchant_category::merchant_category;
use crate::base::bytes::{bcd_digits, bcd_to_u64};
use crate::words::dictionary::{Format, Row, tag};
use crate::words::emv::{
    Afl, Cid, CryptogramType, CvmCode, CvmCondition, CvmList, CvmRule, Pan, ScriptResult, Track2, printable,
};
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::Aid;
use crate::words::tlv::Tag;

/// What the value of an element says; empty where it says nothing more than its
/// bytes. Amounts are in `currency` where it is known. A PAN is shown as it stands:
/// who must not see it masks first.
pub fn meaning(tag: Tag, value: &[u8], currency: Option<Currency>) -> String {
    special(tag, value).or_else(|| by_format(tag, value, currency)).unwrap_or_default()
}

fn special(wanted: Tag, value: &[u8]) -> Option<String> {
    match wanted {
        tag::AID | tag::AID_TERMINAL | tag::DF_NAME | tag::DDF_NAME => {
            aid_name(&Aid::new(value)?).map(str::to_owned)
        }
        tag::PAN => Some(Pan::from_bcd(value).ok()?.expose().to_owned()),
        tag::TRACK_2_EQUIVALENT_DATA => {
            let track = Track2::parse(value)?;
            let [y1, y2, m1, m2] = track.expiry.map(char::from);
            Some(format!("{}, expires 20{y1}{y2}-{m1}{m2}", track.pan.expose()))
        }
        tag::TRANSACTION_CURRENCY_CODE
        | tag::APPLICATION_CURRENCY_CODE
        | tag::APPLICATION_CURRENCY_CODE_EC
        | tag::SECOND_CURRENCY_CODE
        | tag::TRANSACTION_REFERENCE_CURRENCY
        | tag::SECONDARY_APPLICATION_CURRENCY => codes::currency(value),
        tag::APPLICATION_REFERENCE_CURRENCY => codes::currencies(value),
        tag::ISSUER_COUNTRY_CODE | tag::TERMINAL_COUNTRY_CODE | tag::ISSUER_COUNTRY_CODE_EC => {
            codes::country(value)
        }
        tag::ISSUER_COUNTRY_CODE_ALPHA_2 | tag::ISSUER_COUNTRY_CODE_ALPHA_3 => {
            Some(format!("{:?}: {}", printable(value), codes::country_letters(value)?))
        }
        tag::LANGUAGE_PREFERENCE => codes::languages(value),
        tag::TERMINAL_TYPE => codes::terminal_type(one(value)?),
        tag::POS_ENTRY_MODE => codes::entry_mode(one(value)?).map(str::to_owned),
        tag::ACCOUNT_TYPE => codes::account_type(one(value)?).map(str::to_owned),
        tag::MERCHANT_CATEGORY_CODE => merchant_category(value),
        tag::AUTHORISATION_RESPONSE_CODE => {
            let code = printable(value);
            Some(format!("{code:?}: {}", codes::response_code(&code)?))
        }
        tag::APPLICATION_PRIORITY_INDICATOR => Some(priority(one(value)?)),
        tag::AMOUNT_AUTHORISED_BINARY
        | tag::AMOUNT_OTHER_BINARY
        | tag::TERMINAL_FLOOR_LIMIT
        | tag::AMOUNT_REFERENCE_CURRENCY => {
            Some(format!("{} in minor units", u32::from_be_bytes(value.try_into().ok()?)))
        }
        tag::SERVICE_CODE => service_code(value),
        tag::ISSUER_CODE_TABLE_INDEX => Some(format!("ISO/IEC 8859-{}", bcd_to_u64(value).ok()?)),
        tag::EC_RESET_THRESHOLD if value.len() == 1 => {
            Some(codes::reader_capabilities(one(value)?).to_owned())
        }
        tag::ATC | tag::LAST_ONLINE_ATC_REGISTER => {
            Some(u16::from_be_bytes(value.try_into().ok()?).to_string())
        }
        tag::PIN_TRY_COUNTER => Some(format!("{} tries left", one(value)?)),
        tag::CRYPTOGRAM_INFORMATION_DATA => Some(cid(Cid(one(value)?))),
        tag::AFL => afl(value),
        tag::LOG_ENTRY | tag::LOAD_LOG_ENTRY => match value {
            [sfi, count] => Some(format!("SFI {sfi}, {count} records")),
            _ => None,
        },
        tag::SFI => Some(format!("SFI {}", one(value)?)),
        tag::TRANSACTION_TYPE => transaction_type(one(value)?).map(str::to_owned),
        tag::TRANSACTION_TIME => match value {
            [h, m, s] => Some(format!("{h:02X}:{m:02X}:{s:02X}")),
            _ => None,
        },
        tag::CVM_RESULTS => cvm_results(value),
        tag::CVM_LIST => cvm_list(value),
        tag::CAPP_INDICATOR => Some(
            match one(value)? {
                1 => "segment billing",
                2 => "offline pre-authorisation",
                3 => "completion of a pre-authorisation",
                _ => "none",
            }
            .to_owned(),
        ),
        tag::EC_TERMINAL_SUPPORT_INDICATOR => {
            Some(if one(value)? == 1 { "electronic cash supported" } else { "not supported" }.to_owned())
        }
        tag::ISSUER_SCRIPT_RESULTS => script_results(value),
        _ => None,
    }
}

fn by_format(wanted: Tag, value: &[u8], currency: Option<Currency>) -> Option<String> {
    let row = Row::of_tag(wanted)?;
    match row.format {
        Format::Amount => amount(value, currency),
        Format::Date => match value {
            // EMV Book 4 6.7.3: years from 50 on are of the century before.
            [yy, mm, dd] => Some(format!("{}{yy:02X}-{mm:02X}-{dd:02X}", if *yy < 0x50 { 20 } else { 19 })),
            _ => None,
        },
        Format::Text if !value.is_empty() => Some(format!("{:?}", printable(value))),
        Format::CompressedNumeric => bcd_digits(value).ok(),
        Format::Numeric => bcd_to_u64(value).ok().map(|number| number.to_string()),
        Format::Text | Format::Binary | Format::Dol | Format::Template => None,
    }
}

/// An amount, n12.
pub(super) fn amount(value: &[u8], currency: Option<Currency>) -> Option<String> {
    let minor = bcd_to_u64(value).ok()?;
    Some(match currency {
        Some(currency) => Amount::new(minor, currency).to_string(),
        None => format!("{minor} in minor units"),
    })
}

fn one(value: &[u8]) -> Option<u8> {
    match value {
        [byte] => Some(*byte),
        _ => None,
    }
}

fn cid(cid: Cid) -> String {
    let given = match cid.cryptogram_type() {
        Some(CryptogramType::Aac) => "AAC (declined)",
        Some(CryptogramType::Tc) => "TC (approved offline)",
        Some(CryptogramType::Arqc) => "ARQC (asks the issuer)",
        None => "reserved cryptogram type",
    };
    let advice = if cid.advice_required() { ", advice required" } else { "" };
    // EMV Book 3 6.5.5.4.
    let reason = match cid.0 & 0x07 {
        0 => "",
        1 => ": service not allowed",
        2 => ": PIN try limit exceeded",
        3 => ": issuer authentication failed",
        _ => ": reserved reason",
    };
    format!("{given}{advice}{reason}")
}

/// EMV Book 1 12.2.3.
fn priority(indicator: u8) -> String {
    let confirmed = if indicator & 0x80 != 0 { ", only with the cardholder's confirmation" } else { "" };
    match indicator & 0x0F {
        0 => format!("no priority{confirmed}"),
        rank => format!("priority {rank}{confirmed}"),
    }
}

/// ISO/IEC 7813: interchange, authorisation, services and PIN.
fn service_code(value: &[u8]) -> Option<String> {
    let number = bcd_to_u64(value).ok().filter(|number| value.len() == 2 && *number <= 999)?;
    let interchange = match number / 100 {
        1 => "international",
        2 => "international, chip",
        5 => "national",
        6 => "national, chip",
        7 => "private",
        9 => "test",
        _ => "reserved",
    };
    let authorisation = match number / 10 % 10 {
        0 => "normal authorisation",
        2 => "by issuer",
        4 => "by issuer unless agreed otherwise",
        _ => "reserved",
    };
    let services = match number % 10 {
        0 => "no restrictions, PIN required",
        1 => "no restrictions",
        2 => "goods and services only",
        3 => "ATM only, PIN required",
        4 => "cash only",
        5 => "goods and services only, PIN required",
        6 => "no restrictions, PIN where possible",
        7 => "goods and services only, PIN where possible",
        _ => "reserved",
    };
    Some(format!("{number:03}: {interchange}; {authorisation}; {services}"))
}

fn afl(value: &[u8]) -> Option<String> {
    let afl = Afl::parse(value).ok()?;
    let entry = |e: &crate::words::emv::AflEntry| {
        let signed = if e.signed > 0 { format!(" ({} signed)", e.signed) } else { String::new() };
        format!("SFI {} records {}-{}{signed}", e.sfi, e.first, e.last)
    };
    Some(afl.0.iter().map(entry).collect::<Vec<_>>().join("; "))
}

fn transaction_type(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "purchase of goods or services",
        0x01 => "cash",
        0x09 => "purchase with cashback",
        0x20 => "refund",
        0x21 => "deposit",
        0x30 => "inquiry",
        0x31 => "balance inquiry",
        0x60 => "electronic cash load from the bound account",
        0x62 => "electronic cash load from another account",
        0x63 => "electronic cash load by cash",
        _ => return None,
    })
}

/// EMV Book 4 A4: method, condition, result.
fn cvm_results(value: &[u8]) -> Option<String> {
    let [method, condition, result] = <[u8; 3]>::try_from(value).ok()?;
    let result = match result {
        0 => "unknown",
        1 => "failed",
        2 => "successful",
        _ => "reserved result",
    };
    Some(format!("{}, {}: {result}", CvmCode(method), CvmCondition(condition)))
}

/// EMV Book 3 10.5: two amounts, then pairs of method and condition.
fn cvm_list(value: &[u8]) -> Option<String> {
    let list = CvmList::parse(value).ok()?;
    let rule = |CvmRule { code, condition }: &CvmRule| {
        let next = if code.goes_on() { "else the next rule" } else { "else fail" };
        format!("{code} {condition}, {next}")
    };
    let rules: Vec<String> = list.rules.iter().map(rule).collect();
    Some(format!("X {}, Y {}: {}", list.x_minor, list.y_minor, rules.join("; ")))
}

fn script_results(value: &[u8]) -> Option<String> {
    let (entries, rest) = value.as_chunks::<5>();
    if !rest.is_empty() || entries.is_empty() {
        return None;
    }
    let entry = |[first, a, b, c, d]: &[u8; 5]| {
        let id = crate::base::bytes::Hex(&[*a, *b, *c, *d]).to_string();
        match ScriptResult::from_byte(*first) {
            Some(ScriptResult::NotPerformed) => format!("script {id} not performed"),
            Some(ScriptResult::Failed(command)) => format!("script {id} failed at command {command}"),
            Some(ScriptResult::Succeeded) => format!("script {id} succeeded"),
            None => format!("script {id} has a reserved result"),
        }
    };
    Some(entries.iter().map(entry).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn says(tag: Tag, hex: &str) -> String {
        meaning(tag, &parse_hex(hex).unwrap(), Some(Currency::CNY))
    }

    #[test]
    fn elements_say_what_they_are() {
        assert_eq!(says(tag::EC_BALANCE, "000000038787"), "387.87 CNY");
        assert_eq!(meaning(tag::EC_BALANCE, &[0, 0, 0, 0, 1, 0], None), "100 in minor units");
        assert_eq!(says(tag::APPLICATION_EXPIRATION_DATE, "301231"), "2030-12-31");
        assert_eq!(says(tag::APPLICATION_EXPIRATION_DATE, "991231"), "1999-12-31");
        assert_eq!(says(tag::APPLICATION_LABEL, "50424F431B"), "\"PBOC?\"");
        assert_eq!(says(tag::AID, "A000000333010106"), "UnionPay electronic cash");
        assert_eq!(says(tag::AFL, "08010200 10010101"), "SFI 1 records 1-2; SFI 2 records 1-1 (1 signed)");
        assert_eq!(says(tag::CRYPTOGRAM_INFORMATION_DATA, "80"), "ARQC (asks the issuer)");
        assert_eq!(says(tag::CVM_RESULTS, "1F0002"), "no CVM required, always: successful");
        assert_eq!(says(tag::ISSUER_SCRIPT_RESULTS, "1200000001"), "script 00000001 failed at command 2");
        assert_eq!(says(tag::TRANSACTION_CURRENCY_CODE, "0344"), "HKD (Hong Kong dollar)");
        assert_eq!(
            says(tag::SERVICE_CODE, "0201"),
            "201: international, chip; normal authorisation; no restrictions"
        );
        assert_eq!(
            says(tag::APPLICATION_PRIORITY_INDICATOR, "81"),
            "priority 1, only with the cardholder's confirmation"
        );
        assert_eq!(
            says(tag::CVM_LIST, "00000000 00000000 4103 1F00"),
            "X 0, Y 0: plaintext PIN verified by the card if the terminal supports it, else the next rule; \
             no CVM required always, else fail"
        );
    }

    #[test]
    fn odd_values_say_nothing_rather_than_something_wrong() {
        assert_eq!(says(tag::EC_BALANCE, "FF"), "");
        assert_eq!(says(tag::AFL, "08"), "");
        assert_eq!(says(tag::ATC, "08"), "");
        assert_eq!(says(Tag(0xDF7E), "08"), "");
    }
}
