//! Values that stand for words: countries, currencies, languages (ISO 3166-1, 4217, 639),
//! kinds of terminals, entry modes, accounts and response codes (EMV Book 4 A1; ISO 8583).

use crate::base::bytes::bcd_to_u64;
use crate::words::iso4217::Currency;
use std::str::from_utf8;

/// A country by its number: n3 over two bytes.
pub(super) fn country(value: &[u8]) -> Option<String> {
    let number = three_digits(value)?;
    Some(match rust_iso3166::from_numeric(number) {
        Some(country) => format!("{number:03} ({})", country.name),
        None => format!("{number:03}"),
    })
}

/// A country by two or three letters.
pub(super) fn country_letters(value: &[u8]) -> Option<&'static str> {
    let letters = from_utf8(value).ok()?.to_ascii_uppercase();
    let country = match letters.len() {
        2 => rust_iso3166::from_alpha2(&letters),
        3 => rust_iso3166::from_alpha3(&letters),
        _ => None,
    };
    country.map(|country| country.name)
}

/// A currency by its number: n3 over two bytes.
pub(super) fn currency(value: &[u8]) -> Option<String> {
    let currency = Currency::from_bcd(value)?;
    Some(match currency.name() {
        Some(name) => format!("{currency} ({name})"),
        None => currency.to_string(),
    })
}

/// Several currencies side by side.
pub(super) fn currencies(value: &[u8]) -> Option<String> {
    let (codes, rest) = value.as_chunks::<2>();
    let known: Option<Vec<_>> = codes.iter().map(|code| currency(code)).collect();
    known.filter(|list| rest.is_empty() && !list.is_empty()).map(|list| list.join(", "))
}

/// Languages by two letters each, the preferred one first.
pub(super) fn languages(value: &[u8]) -> Option<String> {
    let (codes, rest) = value.as_chunks::<2>();
    let name = |code: &[u8; 2]| {
        let letters = from_utf8(code).ok()?.to_ascii_lowercase();
        let language = isolang::Language::from_639_1(&letters).map_or("unknown", |known| known.to_name());
        letters.bytes().all(|letter| letter.is_ascii_lowercase()).then(|| format!("{letters} ({language})"))
    };
    let known: Option<Vec<_>> = codes.iter().map(name).collect();
    known.filter(|list| rest.is_empty() && !list.is_empty()).map(|list| list.join(", "))
}

/// A country, currency or language by its number or letters, as a person writes it.
pub fn code_words(kind: &str, text: &str) -> Option<String> {
    let number = text.parse::<u16>().ok().filter(|number| (1..=999).contains(number));
    match kind {
        "country" => {
            let by_number = number.and_then(rust_iso3166::from_numeric);
            let upper = text.to_ascii_uppercase();
            let found = by_number.or_else(|| rust_iso3166::from_alpha2(&upper));
            let country = found.or_else(|| rust_iso3166::from_alpha3(&upper))?;
            Some(format!("{:03} {} {} {}", country.numeric, country.alpha2, country.alpha3, country.name))
        }
        "currency" => {
            let currency = Currency::parse(text)?;
            let name = currency.name()?;
            Some(format!("{:03} {currency} {name}, {} decimals", currency.0, currency.exponent()))
        }
        "language" => {
            let lower = text.to_ascii_lowercase();
            let found = isolang::Language::from_639_1(&lower);
            let language = found.or_else(|| isolang::Language::from_639_3(&lower))?;
            let short = language.to_639_1().map(|code| format!("{code} ")).unwrap_or_default();
            Some(format!("{short}{} {}", language.to_639_3(), language.to_name()))
        }
        _ => None,
    }
}

/// Terminal Type, 9F35: who operates it, and what it can do.
pub(super) fn terminal_type(code: u8) -> Option<String> {
    let operator = match code >> 4 {
        1 => "financial institution",
        2 => "merchant",
        3 => "cardholder",
        _ => return None,
    };
    let environment = match code & 0x0F {
        1 => "attended, online only",
        2 => "attended, offline with online capability",
        3 => "attended, offline only",
        4 => "unattended, online only",
        5 => "unattended, offline with online capability",
        6 => "unattended, offline only",
        _ => return None,
    };
    Some(format!("operated by the {operator}: {environment}"))
}

/// POS Entry Mode, 9F39: the first two digits of ISO 8583 field 22.
pub(super) fn entry_mode(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "unknown",
        0x01 => "manual entry of the PAN",
        0x02 => "magnetic stripe",
        0x03 => "optical code",
        0x04 => "optical character recognition",
        0x05 => "chip; the CVV can be checked",
        0x07 => "contactless, EMV",
        0x10 => "credentials on file with the merchant",
        0x80 => "magnetic stripe after the chip failed",
        0x90 => "magnetic stripe, track 2; the CVV can be checked",
        0x91 => "contactless, magnetic stripe",
        0x95 => "chip; the CVV may not be checked",
        0x99 => "the same as the original transaction",
        _ => return None,
    })
}

/// Account Type, 5F57: EMV Book 3 annex G.
pub(super) fn account_type(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "default",
        0x10 => "savings",
        0x20 => "cheque or debit",
        0x30 => "credit",
        _ => return None,
    })
}

/// Contactless Reader Capabilities, 9F6D of one byte (EMV Book C-4 4.3.3): bits 8, 7 and 4.
pub(super) fn reader_capabilities(code: u8) -> &'static str {
    match code & 0xC8 {
        0x00 => "deprecated",
        0x40 => "mag-stripe, CVM not required",
        0x48 => "mag-stripe, CVM required",
        0x80 => "deprecated: EMV and mag-stripe",
        0xC0 => "EMV and mag-stripe, CVM not required",
        0xC8 => "EMV and mag-stripe, CVM required",
        _ => "not available for use",
    }
}

/// Authorisation Response Code, 8A: ISO 8583 field 39, and what terminals say of
/// themselves (EMV Book 4 A6).
pub(super) fn response_code(code: &str) -> Option<&'static str> {
    RESPONSE_CODES.iter().find(|row| row.0 == code).map(|row| row.1)
}

const RESPONSE_CODES: &[(&str, &str)] = &[
    ("00", "approved"),
    ("01", "refer to the issuer"),
    ("02", "refer to the issuer, special condition"),
    ("03", "invalid merchant"),
    ("04", "pick up the card"),
    ("05", "do not honour"),
    ("06", "error"),
    ("07", "pick up the card, special condition"),
    ("08", "honour with identification"),
    ("09", "request in progress"),
    ("10", "approved for a part of the amount"),
    ("11", "approved, VIP"),
    ("12", "invalid transaction"),
    ("13", "invalid amount"),
    ("14", "invalid card number"),
    ("15", "no such issuer"),
    ("16", "approved, update track 3"),
    ("17", "cancelled by the customer"),
    ("18", "disputed by the customer"),
    ("19", "enter the transaction again"),
    ("1A", "additional authentication of the consumer is required"),
    ("1B", "cashback not allowed"),
    ("1C", "cashback amount exceeded"),
    ("20", "invalid response"),
    ("21", "no action taken"),
    ("22", "suspected malfunction"),
    ("23", "unacceptable fee"),
    ("25", "no such record"),
    ("30", "format error"),
    ("31", "bank not supported"),
    ("33", "expired card, pick up"),
    ("34", "suspected fraud, pick up"),
    ("35", "contact the acquirer, pick up"),
    ("36", "restricted card, pick up"),
    ("37", "call the acquirer's security, pick up"),
    ("38", "PIN tries exceeded, pick up"),
    ("39", "no credit account"),
    ("40", "function not supported"),
    ("41", "lost card"),
    ("42", "no universal account"),
    ("43", "stolen card"),
    ("44", "no investment account"),
    ("46", "closed account"),
    ("51", "insufficient funds"),
    ("52", "no cheque account"),
    ("53", "no savings account"),
    ("54", "expired card"),
    ("55", "wrong PIN"),
    ("56", "no record of the card"),
    ("57", "transaction not permitted to the cardholder"),
    ("58", "transaction not permitted to the terminal"),
    ("59", "suspected fraud"),
    ("60", "contact the acquirer"),
    ("61", "amount limit exceeded"),
    ("62", "restricted card"),
    ("63", "security violation"),
    ("64", "original amount is wrong"),
    ("65", "frequency limit exceeded"),
    ("66", "call the acquirer's security"),
    ("67", "hard capture"),
    ("68", "response received too late"),
    ("70", "PIN data required"),
    ("71", "new PIN invalid"),
    ("72", "PIN change required"),
    ("75", "PIN tries exceeded"),
    ("90", "cut-off in process"),
    ("91", "issuer or switch inoperative"),
    ("92", "no route to the institution"),
    ("93", "cannot be completed: violation of law"),
    ("94", "duplicate transmission"),
    ("95", "reconciliation error"),
    ("96", "system malfunction"),
    ("Y1", "approved offline"),
    ("Z1", "declined offline"),
    ("Y3", "unable to go online, approved offline"),
    ("Z3", "unable to go online, declined offline"),
];

/// Registered identifiers of 9F0A: EMV Book 1 12.5, list of EMVCo.
pub(super) fn proprietary_data_owner(identifier: [u8; 2]) -> &'static str {
    match identifier {
        [0, 1] => "European Cards Stakeholders Group",
        [0, 2] => "Technical Cooperation ep2 Association",
        _ => "not a registered identifier known here",
    }
}

/// Device Type of Mastercard's Third Party Data, 9F6E.
pub(super) fn device_type(code: &[u8]) -> Option<&'static str> {
    Some(match code {
        b"00" | b"20" => "card",
        b"01" => "phone, removable secure element of the network operator",
        b"02" => "key fob",
        b"03" => "watch, fixed secure element",
        b"04" => "mobile tag",
        b"05" => "wristband",
        b"06" => "phone case or sleeve",
        b"07" => "phone, fixed secure element of the network operator",
        b"08" => "phone, removable secure element of another owner",
        b"09" => "phone, fixed secure element of another owner",
        b"10" => "tablet, removable secure element of the network operator",
        b"11" => "tablet, fixed secure element of the network operator",
        b"12" => "tablet, removable secure element of another owner",
        b"13" => "tablet, fixed secure element of another owner",
        b"14" => "phone, host processor",
        b"15" => "tablet, host processor",
        b"16" => "phone, trusted execution environment",
        b"17" => "tablet, trusted execution environment",
        b"18" => "watch, trusted execution environment",
        b"19" => "watch, host processor",
        b"21" => "phone",
        b"22" => "tablet or e-reader",
        b"23" => "watch or wristband",
        b"24" => "sticker",
        b"25" => "computer",
        b"26" => "device peripheral",
        b"27" => "tag",
        b"28" => "jewellery",
        b"29" => "fashion accessory",
        b"30" => "garment",
        b"31" => "domestic appliance",
        b"32" => "vehicle",
        b"33" => "media or gaming device",
        _ => return None,
    })
}

fn three_digits(value: &[u8]) -> Option<u16> {
    let number = bcd_to_u64(value).ok().filter(|number| value.len() == 2 && *number <= 999)?;
    u16::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_words() {
        assert_eq!(country(&[0x01, 0x56]).unwrap(), "156 (China)");
        assert_eq!(country(&[0x09, 0x99]).unwrap(), "999");
        assert_eq!(country(&[0x0A, 0x00]), None);
        assert_eq!(country_letters(b"NLD"), country_letters(b"nl"));
        assert_eq!(currencies(&[0x09, 0x78, 0x08, 0x40]).unwrap(), "EUR (Euro), USD (United States dollar)");
        assert_eq!(languages(b"ENzh").unwrap(), "en (English), zh (Chinese)");
        assert_eq!(languages(&[0xFF, 0xFF]), None);
        assert_eq!(
            terminal_type(0x22).unwrap(),
            "operated by the merchant: attended, offline with online capability"
        );
        for (kind, text, words) in [
            ("country", "de", "276 DE DEU Germany"),
            ("currency", "392", "392 JPY"),
            ("language", "deu", "de deu German"),
        ] {
            assert!(code_words(kind, text).unwrap().starts_with(words), "{:?}", code_words(kind, text));
        }
        assert_eq!((code_words("country", "XX"), code_words("planet", "de")), (None, None));
    }
}
