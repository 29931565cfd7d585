//! File control information of an application or a directory: EMV Book 1 11.3.4;
//! PBOC adds the load log entry and DF61 to BF0C.

use crate::words::dictionary::tag;
use crate::words::iso7816::Aid;
use crate::words::tlv::{self, Dol, Tag, TlvError};

/// What the answer to SELECT says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fci {
    /// The selected name, tag 84.
    pub df_name: Aid,
    /// Application label, tag 50.
    pub label: Option<String>,
    /// Application priority, tag 87.
    pub priority: Option<u8>,
    /// PDOL, tag 9F38.
    pub pdol: Option<Dol>,
    /// Log entry, tag 9F4D: file and number of records.
    pub log_entry: Option<(u8, u8)>,
    /// Load log entry, tag DF4D: file and number of records.
    pub load_log_entry: Option<(u8, u8)>,
    /// Extended application capability, tag DF61.
    pub extended_capability: Option<u8>,
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
            priority: None,
            pdol: None,
            log_entry: None,
            load_log_entry: None,
            extended_capability: None,
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
        for part in parts {
            match part.tag {
                tag::APPLICATION_LABEL => self.label = Some(printable(part.value)),
                tag::APPLICATION_PRIORITY_INDICATOR => self.priority = part.value.first().copied(),
                tag::PDOL => self.pdol = Some(Dol::parse(part.value)?),
                tag::SFI => self.directory_sfi = part.value.first().copied(),
                tag::LOG_ENTRY => self.log_entry = pair(part.value),
                tag::LOAD_LOG_ENTRY => self.load_log_entry = pair(part.value),
                tag::EXTENDED_APPLICATION_CAPABILITY => {
                    self.extended_capability = part.value.first().copied();
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

/// Reads one application template (61) of a directory; one without an AID is none.
fn directory_entry(template: &tlv::Tlv<'_>) -> Result<Option<DirectoryEntry>, TlvError> {
    let parts = template.children()?;
    let value = |wanted| parts.iter().find(|t| t.tag == wanted).map(|t| t.value);
    let label = value(tag::APPLICATION_LABEL).map(printable);
    let priority = value(tag::APPLICATION_PRIORITY_INDICATOR).and_then(|v| v.first().copied());
    let name = value(tag::AID).and_then(Aid::new);
    let [kernel, extended_selection] =
        [tag::KERNEL_IDENTIFIER, tag::EXTENDED_SELECTION].map(|tag| value(tag).map(<[u8]>::to_vec));
    Ok(name.map(|name| DirectoryEntry { name, label, priority, kernel, extended_selection }))
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
