//! Card profiles: TOML files that say which applications a card has and what is in
//! them before it gets a cardholder and keys.

use super::certificates::CertificateProfile;
use super::mchip_profile::MchipProfile;
use super::{APPLICATIONS, CardError};
use crate::base::bytes::{Hex, parse_hex};
use crate::words::dictionary::tag;
use crate::words::emv::cryptogram::{CryptogramVersion, InputPart};
use crate::words::emv::{Afl, Aip, ApplicationData, PathData, RecordLayout};
use crate::words::iso4217::Currency;
use crate::words::iso7816::Aid;
use crate::words::pboc::EcashSet;
use crate::words::pboc::idd_mac::IddMacPadding;
use crate::words::tlv::{Dol, Tag};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A profile that is built in.
#[derive(Debug, Clone, Copy)]
pub struct ProfileRow {
    /// Its name, as in `sim:NAME`.
    pub name: &'static str,
    /// The TOML text, for a user to copy.
    pub text: &'static str,
}

/// The profiles that are built in.
pub const PROFILES: &[ProfileRow] = &[
    ProfileRow { name: "ecash", text: include_str!("profile/ecash.toml") },
    ProfileRow { name: "ecash-dual", text: include_str!("profile/ecash-dual.toml") },
    ProfileRow { name: "debit", text: include_str!("profile/debit.toml") },
    ProfileRow { name: "unionpay-credit", text: include_str!("profile/unionpay-credit.toml") },
    ProfileRow { name: "unionpay-sm", text: include_str!("profile/unionpay-sm.toml") },
    ProfileRow { name: "mastercard-like", text: include_str!("profile/mastercard-like.toml") },
    ProfileRow { name: "visa-like", text: include_str!("profile/visa-like.toml") },
    ProfileRow { name: "token", text: include_str!("profile/token.toml") },
];

/// A card before cardholder and keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it is for, one line.
    pub purpose: String,
    /// The name of a row of the cryptogram versions.
    pub cryptogram_version: String,
    /// Derivation key index.
    pub dki: u8,
    /// What issuer discretionary data carries, 1 to 5; none without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idd: Option<u8>,
    /// How its MAC is padded.
    #[serde(default)]
    pub(super) idd_mac_padding: Padding,
    /// Historical bytes of ATR and ATS, at most 15.
    pub(super) historical_bytes: Bytes,
    /// The applications, in the order of the directory.
    #[serde(rename = "application")]
    pub(super) applications: Vec<ApplicationProfile>,
}

/// One application of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicationProfile {
    /// Name of a row of [`APPLICATIONS`].
    pub kind: String,
    /// Its identifier.
    pub aid: Aid,
    /// Application label, tag 50.
    pub label: String,
    /// Application priority, tag 87.
    pub priority: u8,
    /// Wrong PINs in a row until it is blocked, 1 to 15.
    pub pin_try_limit: u8,
    /// Over contacts, if at all.
    #[serde(default)]
    pub contact: Option<InterfaceProfile>,
    /// By radio, if at all.
    #[serde(default)]
    pub contactless: Option<InterfaceProfile>,
    /// The transaction log.
    #[serde(default)]
    pub log: Option<LogProfile>,
    /// The load log.
    #[serde(default)]
    pub load_log: Option<LogProfile>,
    /// What the issuer signs for offline data authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<CertificateProfile>,
    /// How it answers against relaying, where its AIP offers that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<RelayProfile>,
    /// What an M/Chip application does where public sources leave it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mchip: Option<MchipProfile>,
    /// Records and the elements in them.
    #[serde(rename = "record")]
    pub records: Vec<RecordProfile>,
    /// Data objects; those of the card order are added.
    pub data: BTreeMap<Tag, Bytes>,
}

/// What a card says of its own times, in units of 100 microseconds (EMV Book C-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RelayProfile {
    /// Tag DF8303.
    pub minimum_time: u16,
    /// Tag DF8304.
    pub maximum_time: u16,
    /// Tag DF8305.
    pub transmission_time: u16,
}

/// How an application shows itself on one interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InterfaceProfile {
    /// PDOL, tag 9F38.
    #[serde(default)]
    pub pdol: Bytes,
    /// The quick path.
    #[serde(default)]
    pub quick: Option<PathProfile>,
    /// The debit/credit path.
    #[serde(default)]
    pub full: Option<PathProfile>,
    /// The electronic cash path with GENERATE AC.
    #[serde(default)]
    pub ecash: Option<PathProfile>,
}

/// What GET PROCESSING OPTIONS answers on one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PathProfile {
    /// Tag 82.
    pub aip: Bytes,
    /// Tag 94.
    pub afl: Bytes,
}

/// A log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogProfile {
    /// Its short file identifier, 11 to 30.
    pub sfi: u8,
    /// How many records it keeps.
    pub records: u8,
    /// Log format, a data object list.
    pub format: Bytes,
    /// Whether approved online transactions are logged too.
    #[serde(default)]
    pub online: bool,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordProfile {
    /// Short file identifier, 1 to 10.
    pub sfi: u8,
    /// Record number, from 1.
    pub record: u8,
    /// What is in it, in order; an element that the card does not have is left out.
    pub elements: Vec<Tag>,
}

/// Bytes as hexadecimal text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Bytes(pub Vec<u8>);

/// Padding of the MAC over issuer discretionary data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Padding {
    /// With a padding block.
    #[default]
    #[serde(rename = "method-2")]
    Method2,
    /// Without.
    Plain,
}

impl Profile {
    /// The built-in profile of this name.
    pub fn named(name: &str) -> Result<Self, CardError> {
        let row = PROFILES.iter().find(|row| row.name == name).ok_or_else(|| CardError::NoProfile {
            found: name.into(),
            known: PROFILES.iter().map(|row| row.name).collect::<Vec<_>>().join(", "),
        })?;
        Self::parse(row.text)
    }

    /// Reads a profile and checks that its parts fit each other.
    pub fn parse(text: &str) -> Result<Self, CardError> {
        let profile: Self =
            toml::from_str(text).map_err(|cause| CardError::Toml { cause: cause.to_string() })?;
        profile.check().map_err(|what| CardError::Profile { profile: profile.name.clone(), what })?;
        Ok(profile)
    }

    /// Takes the logs away, as on cards that keep none.
    pub fn remove_logs(&mut self) {
        for application in &mut self.applications {
            (application.log, application.load_log) = (None, None);
        }
    }

    /// The names of its applications' kinds, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.applications.iter().map(|application| application.kind.as_str())
    }

    /// The currencies of its electronic cash, the first one first; empty without any.
    pub fn currencies(&self) -> Vec<Currency> {
        let code = |set: EcashSet| {
            let found = self.applications.iter().find_map(|application| application.data.get(&set.currency));
            found.and_then(|bytes| Currency::from_bcd(&bytes.0))
        };
        EcashSet::ALL.into_iter().filter_map(code).collect()
    }

    /// Its first application as a bureau fills it for a phone: by radio, before
    /// cardholder and keys; `None` where it cannot be read by radio.
    pub fn template(&self) -> Option<ApplicationData> {
        let application = self.applications.first()?;
        let shown = application.contactless.as_ref()?;
        let path = |path: &Option<PathProfile>| {
            path.as_ref().map(|path| PathData { aip: path.aip.0.clone(), afl: path.afl.0.clone() })
        };
        let records = application.records.iter().map(|record| RecordLayout {
            sfi: record.sfi,
            number: record.record,
            elements: record.elements.clone(),
        });
        Some(ApplicationData {
            aid: application.aid.clone(),
            label: application.label.clone(),
            priority: application.priority,
            pdol: shown.pdol.0.clone(),
            quick: path(&shown.quick),
            full: path(&shown.full),
            records: records.collect(),
            data: application.data.iter().map(|(tag, Bytes(value))| (*tag, value.as_slice())).collect(),
        })
    }

    /// The cryptogram version that it names.
    pub fn version(&self) -> Result<&'static CryptogramVersion, CardError> {
        CryptogramVersion::by_name(&self.cryptogram_version).ok_or_else(|| {
            let known: Vec<_> =
                crate::words::emv::cryptogram::CRYPTOGRAM_VERSIONS.iter().map(|row| row.name).collect();
            let what = format!(
                "expected cryptogram_version to be one of {}, found {:?}",
                known.join(", "),
                self.cryptogram_version
            );
            CardError::Profile { profile: self.name.clone(), what }
        })
    }

    fn check(&self) -> Result<(), String> {
        let version = self.version().map_err(|error| error.to_string())?;
        if self.applications.is_empty() {
            return Err("expected at least one [[application]], found none".into());
        }
        if self.historical_bytes.0.len() > 15 {
            let found = self.historical_bytes.0.len();
            return Err(format!("expected at most 15 historical bytes, found {found}"));
        }
        if self.idd.is_some_and(|id| !(1..=5).contains(&id)) {
            return Err("expected idd to be 1 to 5, or to be left out".into());
        }
        self.applications.iter().try_for_each(|application| {
            application.check(version).map_err(|what| format!("application {}: {what}", application.aid))
        })
    }
}

impl ApplicationProfile {
    /// What it shows on an interface.
    pub(super) fn interface(&self, contactless: bool) -> Option<&InterfaceProfile> {
        if contactless { self.contactless.as_ref() } else { self.contact.as_ref() }
    }

    fn check(&self, version: &CryptogramVersion) -> Result<(), String> {
        if !APPLICATIONS.iter().any(|row| row.kind() == self.kind) {
            let known: Vec<_> = APPLICATIONS.iter().map(|row| row.kind()).collect();
            return Err(format!("expected kind to be one of {}, found {:?}", known.join(", "), self.kind));
        }
        if !(1..=16).contains(&self.label.len()) {
            return Err(format!("expected a label of 1 to 16 characters, found {:?}", self.label));
        }
        if !(1..=15).contains(&self.pin_try_limit) {
            return Err(format!("expected pin_try_limit to be 1 to 15, found {}", self.pin_try_limit));
        }
        for log in self.log.iter().chain(&self.load_log) {
            if !(11..=30).contains(&log.sfi) {
                return Err(format!("expected a log in SFI 11 to 30, found {}", log.sfi));
            }
            list("format", &log.format.0)?;
        }
        for record in &self.records {
            if !(1..=10).contains(&record.sfi) || record.record == 0 {
                let (sfi, number) = (record.sfi, record.record);
                return Err(format!(
                    "expected records in SFI 1 to 10, from 1, found record {number} of SFI {sfi}"
                ));
            }
        }
        self.check_lengths()?;
        for (name, interface) in [("contact", &self.contact), ("contactless", &self.contactless)] {
            if let Some(interface) = interface {
                self.check_interface(interface, version).map_err(|what| format!("{name}: {what}"))?;
            }
        }
        Ok(())
    }

    /// Every data object with a row in the dictionary has a length that the row allows.
    fn check_lengths(&self) -> Result<(), String> {
        for (tag, Bytes(value)) in &self.data {
            if let Some(row) = crate::words::dictionary::Row::of_tag_in(*tag, self.aid.as_bytes())
                && !(row.min as usize..=row.max as usize).contains(&value.len())
            {
                let (min, max, found) = (row.min, row.max, value.len());
                return Err(format!("expected {min} to {max} bytes of {tag} ({}), found {found}", row.name));
            }
        }
        Ok(())
    }

    fn check_interface(
        &self,
        interface: &InterfaceProfile,
        version: &CryptogramVersion,
    ) -> Result<(), String> {
        let pdol = list("pdol", &interface.pdol.0)?;
        let paths = [&interface.quick, &interface.full, &interface.ecash];
        if paths.iter().all(|path| path.is_none()) {
            return Err("expected at least one of quick, full, ecash, found none".into());
        }
        for path in paths.into_iter().flatten() {
            Aip::from_bytes(&path.aip.0)
                .ok_or_else(|| format!("expected two bytes of AIP, found {}", Hex(&path.aip.0)))?;
            let afl = Afl::parse(&path.afl.0).map_err(|error| error.to_string())?;
            for (sfi, number, _) in afl.records() {
                if !self.records.iter().any(|record| (record.sfi, record.record) == (sfi, number)) {
                    return Err(format!("the AFL names record {number} of SFI {sfi}, which is not there"));
                }
            }
        }
        if interface.quick.is_some() {
            asks_for_input("pdol", &pdol, version)?;
            if !pdol.asks_for(tag::TTQ) {
                return Err("expected the pdol of the quick path to ask for 9F66".into());
            }
        }
        if interface.full.is_some() || interface.ecash.is_some() {
            let mut asked = Dol::default();
            for (name, tag) in [("CDOL1 (8C)", tag::CDOL1), ("CDOL2 (8D)", tag::CDOL2)] {
                let value = self.data.get(&tag).ok_or_else(|| format!("expected {name} in data"))?;
                // What the second list does not ask for again, the card has from the first.
                asked.0.extend(list(name, &value.0)?.0);
                asks_for_input(name, &asked, version)?;
            }
        }
        Ok(())
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        Hex(&bytes.0).to_string()
    }
}

impl TryFrom<String> for Bytes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_hex(&text).map(Self).map_err(|error| format!("{error} in {text:?}"))
    }
}

impl From<Padding> for IddMacPadding {
    fn from(padding: Padding) -> Self {
        match padding {
            Padding::Method2 => Self::Method2,
            Padding::Plain => Self::Plain,
        }
    }
}

fn list(name: &str, bytes: &[u8]) -> Result<Dol, String> {
    let dol = Dol::parse(bytes).map_err(|error| format!("{name}: {error}"))?;
    if dol.data_length() > 252 {
        return Err(format!("{name}: expected a list of at most 252 bytes, found {}", dol.data_length()));
    }
    Ok(dol)
}

/// A cryptogram cannot be made of what no list asks for.
fn asks_for_input(name: &str, dol: &Dol, version: &CryptogramVersion) -> Result<(), String> {
    for part in version.input {
        if let InputPart::Element { tag, length_bytes } = *part
            && ![tag::AIP, tag::ATC].contains(&tag)
            && !dol.0.iter().any(|entry| entry.tag == tag && usize::from(entry.length) == length_bytes)
        {
            return Err(format!(
                "expected {name} to ask for {length_bytes} bytes of {tag}, which {} needs",
                version.name
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_profiles_make_sense() {
        for row in PROFILES {
            let profile = Profile::parse(row.text).unwrap_or_else(|error| panic!("{}: {error}", row.name));
            assert_eq!(profile.name, row.name);
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_profile() {
        let text = PROFILES[0].text;
        let error = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            Profile::parse(&text.replacen(from, to, 1)).unwrap_err().to_string()
        };
        assert!(error("priority", "prioriti").contains("prioriti"));
        assert!(error("PBOC CVN 01", "PBOC CVN 02").contains("PBOC CVN 17"));
        assert!(error("08020401 08050700", "08020401 08050800").contains("record 8 of SFI 1"));
        assert!(error("\"9F79\" = \"00", "\"9F79\" = \"").contains("6 to 6 bytes of 9F79"));
        assert!(error("kind = \"ecash\"", "kind = \"purse\"").contains("debit"));
        assert!(error(" 9505 5F2A02", " 5F2A02").contains("95"));
        assert!(Profile::named("nothing").unwrap_err().to_string().contains("ecash-dual"));
    }
}
