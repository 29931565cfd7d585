//! File control information of an application or a directory: EMV Book 1 11.3.4;
//! PBOC adds the load log entry and DF61 to BF0C.

use super::{ExtendedCapability, PreferredName};
use crate::words::dictionary::tag;
use crate::words::iso7816::Aid;
use crate::words::tlv::{self, Dol, Tag, TlvError};

/// The longest data of a command, but for template 83 and its length.
const MAX_PDOL_BYTES: usize = 252;

/// What the answer to SELECT says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fci {
    /// The selected name, tag 84.
    pub df_name: Aid,
    /// Application label, tag 50.
    pub label: Option<String>,
    /// Application preferred name, tags 9F12 and 9F11.
    pub preferred_name: Option<PreferredName>,
    /// Application priority, tag 87.
    pub priority: Option<u8>,
    /// Language preference, tag 5F2D: one to four languages of two letters (ISO 639-1).
    pub languages: Vec<String>,
    /// PDOL, tag 9F38.
    pub pdol: Option<Dol>,
    /// Log entry, tag 9F4D: file and number of records.
    pub log_entry: Option<(u8, u8)>,
    /// Load log entry, tag DF4D: file and number of records.
    pub load_log_entry: Option<(u8, u8)>,
    /// Extended application capability, tag DF61.
    pub extended_capability: ExtendedCapability,
    /// The applications of a PPSE.
    pub entries: Vec<DirectoryEntry>,
    /// The file of a PSE directory, tag 88.
    pub directory_sfi: Option<u8>,
}

/// One application of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Its name, tag 4F; it may be the beginning of the full name.
    pub name: Aid,
    /// Its label, tag 50.
    pub label: Option<String>,
    /// Its preferred name, tags 9F12 and 9F11.
    pub preferred_name: Option<PreferredName>,
    /// Its priority, tag 87.
    pub priority: Option<u8>,
    /// Kernel Identifier, tag 9F2A.
    pub kernel: Option<Vec<u8>>,
    /// Extended Selection, tag 9F29.
    pub extended_selection: Option<Vec<u8>>,
}

/// Why an answer to SELECT cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FciError {
    /// The bytes are no TLV.
    #[error("the answer to SELECT: {0}")]
    Tlv(#[from] TlvError),
    /// Something else than template 6F with a DF name.
    #[error("expected template 6F with the DF name (84) in the answer to SELECT, found {missing} missing")]
    Missing {
        /// What is missing.
        missing: Tag,
    },
    /// A PDOL that asks for more than GET PROCESSING OPTIONS carries in template 83.
    #[error("expected the PDOL (9F38) to ask for at most {MAX_PDOL_BYTES} bytes, found {found}")]
    Pdol {
        /// What it asks for.
        found: usize,
    },
    /// The card selected something else than was asked for.
    #[error("expected an application whose name begins with {wanted}, the card selected {found}")]
    OtherName {
        /// What was asked for.
        wanted: Aid,
        /// What the FCI names.
        found: Aid,
    },
}

impl Fci {
    /// Reads the answer to a SELECT of `wanted`: the DF name must begin with it.
    pub fn parse(bytes: &[u8], wanted: &Aid) -> Result<Self, FciError> {
        let all = tlv::parse(bytes)?;
        let template = all
            .iter()
            .find(|t| t.tag == tag::FCI_TEMPLATE)
            .ok_or(FciError::Missing { missing: tag::FCI_TEMPLATE })?;
        let parts = template.children()?;
        let df_name = parts
            .iter()
            .find(|t| t.tag == tag::DF_NAME)
            .and_then(|t| Aid::new(t.value))
            .ok_or(FciError::Missing { missing: tag::DF_NAME })?;
        if !df_name.begins_with(wanted.as_bytes()) {
            return Err(FciError::OtherName { wanted: wanted.clone(), found: df_name });
        }
        let mut fci = Self {
            df_name,
            label: None,
            preferred_name: None,
            priority: None,
            languages: Vec::new(),
            pdol: None,
            log_entry: None,
            load_log_entry: None,
            extended_capability: ExtendedCapability::default(),
            entries: Vec::new(),
            directory_sfi: None,
        };
        for part in parts.iter().filter(|t| t.tag == tag::FCI_PROPRIETARY_TEMPLATE) {
            fci.take(&part.children()?)?;
        }
        Ok(fci)
    }

    fn take(&mut self, parts: &[tlv::Tlv<'_>]) -> Result<(), FciError> {
        let pair = |value: &[u8]| <[u8; 2]>::try_from(value).ok().map(|[sfi, count]| (sfi, count));
        self.preferred_name = self.preferred_name.take().or(preferred_name(parts));
        for part in parts {
            match part.tag {
                tag::APPLICATION_LABEL => self.label = Some(printable(part.value)),
                tag::APPLICATION_PRIORITY_INDICATOR => self.priority = part.value.first().copied(),
                tag::LANGUAGE_PREFERENCE => self.languages = languages(part.value),
                tag::PDOL => self.pdol = Some(pdol(part.value)?),
                tag::SFI => self.directory_sfi = part.value.first().copied(),
                tag::LOG_ENTRY => self.log_entry = pair(part.value),
                tag::LOAD_LOG_ENTRY => self.load_log_entry = pair(part.value),
                tag::EXTENDED_APPLICATION_CAPABILITY => {
                    let byte = part.value.first().copied();
                    self.extended_capability =
                        byte.map(|byte| ExtendedCapability([byte])).unwrap_or_default();
                }
                tag::FCI_ISSUER_DISCRETIONARY_DATA => self.take(&part.children()?)?,
                tag::APPLICATION_TEMPLATE => self.entries.extend(directory_entry(part)?),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The applications in a record of a PSE directory: template 70 with templates 61.
pub fn directory_entries(record: &[u8]) -> Result<Vec<DirectoryEntry>, TlvError> {
    let mut entries = Vec::new();
    for template in tlv::parse_one(record)?.children()? {
        if template.tag == tag::APPLICATION_TEMPLATE {
            entries.extend(directory_entry(&template)?);
        }
    }
    Ok(entries)
}

fn pdol(value: &[u8]) -> Result<Dol, FciError> {
    let list = Dol::parse(value)?;
    match list.data_length() {
        found if found > MAX_PDOL_BYTES => Err(FciError::Pdol { found }),
        _ => Ok(list),
    }
}

/// Reads one application template (61) of a directory; one without an AID is none.
fn directory_entry(template: &tlv::Tlv<'_>) -> Result<Option<DirectoryEntry>, TlvError> {
    let parts = template.children()?;
    let value = |wanted| parts.iter().find(|t| t.tag == wanted).map(|t| t.value);
    let label = value(tag::APPLICATION_LABEL).map(printable);
    let priority = value(tag::APPLICATION_PRIORITY_INDICATOR).and_then(|v| v.first().copied());
    let name = value(tag::AID).and_then(Aid::new);
    let preferred_name = preferred_name(&parts);
    let [kernel, extended_selection] =
        [tag::KERNEL_IDENTIFIER, tag::EXTENDED_SELECTION].map(|tag| value(tag).map(<[u8]>::to_vec));
    Ok(name.map(|name| DirectoryEntry { name, label, preferred_name, priority, kernel, extended_selection }))
}

/// A name without its code table cannot be read (EMV Book 1 12.2.4).
fn preferred_name(parts: &[tlv::Tlv<'_>]) -> Option<PreferredName> {
    let value = |wanted| parts.iter().find(|t| t.tag == wanted).map(|t| t.value);
    let [code_table] = value(tag::ISSUER_CODE_TABLE_INDEX)? else { return None };
    let bytes = value(tag::APPLICATION_PREFERRED_NAME)?.to_vec();
    Some(PreferredName { code_table: *code_table, bytes })
}

/// Pairs of letters, in lower case; others are none (EMV Book 4 11.1 takes either case).
fn languages(value: &[u8]) -> Vec<String> {
    let pairs = value.as_chunks::<2>().0.iter().filter(|pair| pair.iter().all(u8::is_ascii_alphabetic));
    pairs.map(|pair| String::from_utf8_lossy(pair).to_lowercase()).take(4).collect()
}

/// Characters that a terminal can show; others become `?`, so that a card cannot
/// send control sequences to a screen.
pub fn printable(bytes: &[u8]) -> String {
    let readable = |c: char| if c.is_control() { '?' } else { c };
    String::from_utf8_lossy(bytes).chars().map(readable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn aid(hex: &str) -> Aid {
        Aid::new(parse_hex(hex).unwrap()).unwrap()
    }

    #[test]
    fn reads_logs_and_pdol() {
        let hex = "6F23 8408A000000333010106 A517 9F38039F6604 BF0C0E 9F4D020B0A DF4D020C0A 870101 00";
        let bytes = parse_hex(hex).unwrap();
        let fci = Fci::parse(&bytes, &aid("A000000333")).unwrap();
        assert_eq!((fci.log_entry, fci.load_log_entry), (Some((11, 10)), Some((12, 10))));
        assert!(fci.pdol.unwrap().asks_for(tag::TTQ));
    }

    #[test]
    fn reads_names_and_languages() {
        let hex = "6F24 8407A0000000031010 A519 500456495341 9F120343 4152 9F110101 5F2D0665 6E7A6831 31";
        let fci = Fci::parse(&parse_hex(hex).unwrap(), &aid("A0000000031010")).unwrap();
        assert_eq!(fci.languages, ["en", "zh"]);
        assert_eq!(fci.preferred_name.unwrap().text().as_deref(), Some("CAR"));
    }

    #[test]
    fn another_name_is_an_error() {
        let bytes = parse_hex("6F09 8407A0000000031010").unwrap();
        let error = Fci::parse(&bytes, &aid("A000000333")).unwrap_err();
        assert!(matches!(error, FciError::OtherName { .. }));
        assert_eq!(Fci::parse(&[], &aid("A0")), Err(FciError::Missing { missing: tag::FCI_TEMPLATE }));
    }

    #[test]
    fn a_label_cannot_carry_control_sequences() {
        assert_eq!(printable(b"PBOC\x1b[31m"), "PBOC?[31m");
    }
}
