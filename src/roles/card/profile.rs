//! Card profiles: TOML files that say which applications a card has and what is in
//! them before it gets a cardholder and keys.

use super::CardError;
use super::application_profile::{ApplicationProfile, PathProfile};
use super::purse::FileProfile;
use crate::base::bytes::{Hex, parse_hex};
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::emv::{ApplicationData, PathData, RecordLayout};
use crate::words::iso4217::Currency;
use crate::words::pboc::EcashSet;
use crate::words::pboc::idd_mac::IddMacPadding;
use serde::{Deserialize, Serialize};

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
    ProfileRow { name: "unionpay-transit", text: include_str!("profile/unionpay-transit.toml") },
    ProfileRow { name: "unionpay-sm", text: include_str!("profile/unionpay-sm.toml") },
    ProfileRow { name: "mastercard-like", text: include_str!("profile/mastercard-like.toml") },
    ProfileRow { name: "visa-like", text: include_str!("profile/visa-like.toml") },
    ProfileRow { name: "ecash-transit", text: include_str!("profile/ecash-transit.toml") },
    ProfileRow { name: "token", text: include_str!("profile/token.toml") },
    ProfileRow { name: "eped", text: include_str!("profile/eped.toml") },
    ProfileRow { name: "t-union", text: include_str!("profile/t-union.toml") },
    ProfileRow { name: "city-union", text: include_str!("profile/city-union.toml") },
    ProfileRow { name: "changan", text: include_str!("profile/changan.toml") },
    ProfileRow { name: "shenzhen", text: include_str!("profile/shenzhen.toml") },
    ProfileRow { name: "lingnan", text: include_str!("profile/lingnan.toml") },
    ProfileRow { name: "wuhan", text: include_str!("profile/wuhan.toml") },
    ProfileRow { name: "beijing", text: include_str!("profile/beijing.toml") },
    ProfileRow { name: "three-in-one", text: include_str!("profile/three-in-one.toml") },
    ProfileRow { name: "psam", text: include_str!("profile/psam.toml") },
];

/// A card before cardholder and keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it is for, one line.
    pub purpose: String,
    /// The name of a row of the cryptogram versions; a card of purses alone makes none.
    #[serde(default = "first_version")]
    pub cryptogram_version: String,
    /// Derivation key index.
    #[serde(default = "first_index")]
    pub dki: u8,
    /// What issuer discretionary data carries, 1 to 5; none without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idd: Option<u8>,
    /// How its MAC is padded.
    #[serde(default)]
    pub(super) idd_mac_padding: Padding,
    /// Historical bytes of ATR and ATS, at most 15.
    pub(super) historical_bytes: Bytes,
    /// Files of the card itself, in its master file.
    #[serde(default, rename = "file", skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<FileProfile>,
    /// The applications, in the order of the directory.
    #[serde(rename = "application")]
    pub(super) applications: Vec<ApplicationProfile>,
}

fn first_version() -> String {
    "PBOC CVN 01".into()
}

const fn first_index() -> u8 {
    1
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
        Self::parse(Self::text_of(name)?)
    }

    /// The text of the built-in profile of this name.
    pub fn text_of(name: &str) -> Result<&'static str, CardError> {
        let row = PROFILES.iter().find(|row| row.name == name);
        row.map(|row| row.text).ok_or_else(|| CardError::NoProfile {
            found: name.into(),
            known: PROFILES.iter().map(|row| row.name).collect::<Vec<_>>().join(", "),
        })
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

    /// Whether it has purses and nothing else.
    pub fn is_purse_alone(&self) -> bool {
        self.applications.iter().all(|application| !application.is_listed())
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
        super::purse::check_files(&self.files)?;
        self.applications.iter().try_for_each(|application| {
            application.check(version).map_err(|what| format!("application {}: {what}", application.aid))
        })
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
        assert!(error("kind = \"ecash\"", "kind = \"kiosk\"").contains("debit"));
        assert!(error(" 9505 5F2A02", " 5F2A02").contains("95"));
        assert!(Profile::named("nothing").unwrap_err().to_string().contains("ecash-dual"));
    }
}
