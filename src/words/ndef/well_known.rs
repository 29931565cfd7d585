//! The NFC Forum's record types for a URI and for a text (RTD URI 1.0, RTD Text 1.0).

use super::record::{NdefError, Record, TypeNameFormat};

/// What the first byte of a URI record stands for (RTD URI 1.0, table 3).
const PREFIXES: &[&str] = &[
    "",
    "http://www.",
    "https://www.",
    "http://",
    "https://",
    "tel:",
    "mailto:",
    "ftp://anonymous:anonymous@",
    "ftp://ftp.",
    "ftps://",
    "sftp://",
    "smb://",
    "nfs://",
    "ftp://",
    "dav://",
    "news:",
    "telnet://",
    "imap:",
    "rtsp://",
    "urn:",
    "pop:",
    "sip:",
    "sips:",
    "tftp:",
    "btspp://",
    "btl2cap://",
    "btgoep://",
    "tcpobex://",
    "irdaobex://",
    "file://",
    "urn:epc:id:",
    "urn:epc:tag:",
    "urn:epc:pat:",
    "urn:epc:raw:",
    "urn:epc:",
    "urn:nfc:",
];
const URI: &[u8] = b"U";
const TEXT: &[u8] = b"T";
/// Bit 7 of a text's status byte: UTF-16; bits 5 to 0 are the length of the language.
const UTF_16: u8 = 0x80;
const LANGUAGE_LENGTH: u8 = 0x3F;

/// A record of the NFC Forum's, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WellKnown {
    /// A URI, whole.
    Uri(String),
    /// A text.
    Text {
        /// Its language (RFC 5646).
        language: String,
        /// What it says.
        text: String,
    },
}

impl WellKnown {
    /// What a record says; `None` where it is of another type, or says nothing readable.
    pub fn of(record: &Record) -> Option<Self> {
        if record.format != TypeNameFormat::WELL_KNOWN {
            return None;
        }
        let (first, rest) = record.payload.split_first()?;
        match record.kind.as_slice() {
            URI => {
                let rest = std::str::from_utf8(rest).ok()?;
                // A prefix that is not assigned stands for none (RTD URI 1.0, 3.2.2).
                let prefix = PREFIXES.get(usize::from(*first)).unwrap_or(&"");
                Some(Self::Uri(format!("{prefix}{rest}")))
            }
            TEXT => {
                let (language, text) = rest.split_at_checked(usize::from(first & LANGUAGE_LENGTH))?;
                let language = String::from_utf8(language.to_vec()).ok()?;
                let text = match first & UTF_16 {
                    0 => String::from_utf8(text.to_vec()).ok()?,
                    _ => utf_16(text)?,
                };
                Some(Self::Text { language, text })
            }
            _ => None,
        }
    }
}

/// A URI record, by its longest prefix.
pub fn uri(uri: &str) -> Record {
    let fits = |(_, prefix): &(usize, &&str)| uri.starts_with(**prefix);
    let longest = PREFIXES.iter().enumerate().filter(fits).max_by_key(|(_, prefix)| prefix.len());
    let (code, prefix) = longest.map_or((0, ""), |(code, prefix)| (code, *prefix));
    let code = u8::try_from(code).unwrap_or(0);
    let payload = [&[code], &uri.as_bytes()[prefix.len()..]].concat();
    Record::new(TypeNameFormat::WELL_KNOWN, URI, payload)
}

/// A text record in UTF-8.
///
/// # Errors
/// The language is longer than 63 bytes.
pub fn text(language: &str, text: &str) -> Result<Record, NdefError> {
    let most = usize::from(LANGUAGE_LENGTH);
    let too_long = || NdefError::TooLong { what: "language", most, found: language.len() };
    let length = u8::try_from(language.len()).ok().filter(|length| usize::from(*length) <= most);
    let payload = [&[length.ok_or_else(too_long)?], language.as_bytes(), text.as_bytes()].concat();
    Ok(Record::new(TypeNameFormat::WELL_KNOWN, TEXT, payload))
}

/// Big endian unless a byte order mark says otherwise.
fn utf_16(bytes: &[u8]) -> Option<String> {
    let little = bytes.starts_with(&[0xFF, 0xFE]);
    let bytes = bytes.strip_prefix(&[0xFE, 0xFF]).or(bytes.strip_prefix(&[0xFF, 0xFE])).unwrap_or(bytes);
    let unit = |pair: &[u8]| match little {
        true => u16::from_le_bytes([pair[0], pair[1]]),
        false => u16::from_be_bytes([pair[0], pair[1]]),
    };
    bytes
        .len()
        .is_multiple_of(2)
        .then(|| bytes.chunks_exact(2).map(unit).collect::<Vec<_>>())
        .and_then(|units| String::from_utf16(&units).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_understood() {
        for whole in ["https://www.example.org/a", "tel:+861234", "x:y", "urn:nfc:sn:snep", ""] {
            assert_eq!(WellKnown::of(&uri(whole)), Some(WellKnown::Uri(whole.to_owned())));
        }
        let record = text("zh", "碰一碰").unwrap();
        let told = WellKnown::Text { language: "zh".into(), text: "碰一碰".into() };
        assert_eq!(WellKnown::of(&record), Some(told));
        assert!(text(&"x".repeat(64), "").is_err());
    }

    #[test]
    fn texts_of_two_byte_units_are_read() {
        let of = |bytes: &[u8]| WellKnown::of(&Record::new(TypeNameFormat::WELL_KNOWN, TEXT, bytes));
        let told = Some(WellKnown::Text { language: "en".into(), text: "Hi".into() });
        assert_eq!(of(b"\x82en\0H\0i"), told);
        assert_eq!(of(b"\x82en\xFF\xFEH\0i\0"), told);
        assert_eq!(of(b"\x82en\0H\0"), None);
        assert_eq!(of(b"\x05en"), None);
    }
}
