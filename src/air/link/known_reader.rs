//! What is known of readers: the files of `hardware/readers/`, built in. What a reader does is its
//! driver's business.

use serde::Deserialize;

/// The files, each as text.
const FILES: &[&str] = include!(concat!(env!("OUT_DIR"), "/readers.rs"));

/// A reader of which something is known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownReader {
    /// Its name, for people.
    pub name: String,
    /// A part of its name behind PC/SC, in any case.
    pub pattern: String,
    /// What reaches it.
    #[serde(default)]
    pub driver: ReachedBy,
    /// Vendor and product on USB, `VVVV:PPPP` in capitals.
    pub usb: Option<String>,
    /// What it does that is to be known.
    #[serde(default, rename = "quirk")]
    pub quirks: Vec<Quirk>,
}

/// What of ours reaches a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReachedBy {
    /// The PC/SC daemon and its drivers.
    #[default]
    Pcsc,
    /// Our driver of the PN532.
    Pn532,
    /// Nothing.
    None,
}

/// Something to be known of a reader.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Quirk {
    /// What happens.
    pub what: String,
    /// What to do instead.
    pub instead: String,
}

impl KnownReader {
    /// Every one.
    pub fn all() -> Vec<Self> {
        // A test sees to it that all can be read.
        FILES.iter().filter_map(|text| toml::from_str(text).ok()).collect()
    }

    /// Whether it is meant by a reader's name behind PC/SC.
    pub fn is_named(&self, name: &str) -> bool {
        self.driver == ReachedBy::Pcsc && name.to_lowercase().contains(&self.pattern.to_lowercase())
    }

    /// Whether it is meant by vendor and product on USB.
    pub fn is_at_usb(&self, id: &str) -> bool {
        self.usb.as_deref().is_some_and(|usb| usb.eq_ignore_ascii_case(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_built_in_and_found_by_both_names() {
        let all = KnownReader::all();
        assert!(!FILES.is_empty() && all.len() == FILES.len());
        let found = all.iter().find(|reader| reader.is_named("ACS ACR122U PICC Interface 00 00")).unwrap();
        assert!(found.is_at_usb("072f:2200") && !found.quirks.is_empty());
        assert!(!found.is_named("OMNIKEY") && !found.is_at_usb("0000:0000"));
        assert!(
            !all.iter().any(|reader| reader.driver == ReachedBy::Pn532 && reader.is_named(&reader.pattern))
        );
    }
}
