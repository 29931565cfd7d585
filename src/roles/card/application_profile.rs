//! One application of a card profile: what it shows on each interface, its records, logs and
//! data objects. What is the whole card's is in `profile`.

use super::APPLICATIONS;
use super::capp::{self, CappFileProfile};
use super::certificates::CertificateProfile;
use super::mchip_profile::MchipProfile;
use super::profile::Bytes;
use super::purse::{PurseProfile, SamProfile};
use crate::base::bytes::Hex;
use crate::words::dictionary::tag;
use crate::words::emv::cryptogram::{CryptogramVersion, InputPart};
use crate::words::emv::{Afl, Aip};
use crate::words::iso7816::Aid;
use crate::words::tlv::{Dol, Tag};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    #[serde(default)]
    pub priority: u8,
    /// Wrong PINs in a row until it is blocked, 1 to 15.
    #[serde(default = "three")]
    pub pin_try_limit: u8,
    /// The identifier by which it is selected as a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<u16>,
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
    /// What a purse does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purse: Option<PurseProfile>,
    /// What a security module does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sam: Option<SamProfile>,
    /// Files of the industries of the extended application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended: Vec<CappFileProfile>,
    /// Records and the elements in them.
    #[serde(default, rename = "record")]
    pub records: Vec<RecordProfile>,
    /// Data objects; those of the card order are added.
    #[serde(default)]
    pub data: BTreeMap<Tag, Bytes>,
}

const fn three() -> u8 {
    3
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

impl ApplicationProfile {
    /// What it shows on an interface.
    pub(super) fn interface(&self, contactless: bool) -> Option<&InterfaceProfile> {
        if contactless { self.contactless.as_ref() } else { self.contact.as_ref() }
    }

    /// Whether directories list it: a purse is selected by its name alone.
    pub(super) fn is_listed(&self) -> bool {
        self.purse.is_none() && self.sam.is_none()
    }

    pub(super) fn check(&self, version: &CryptogramVersion) -> Result<(), String> {
        let Some(row) = APPLICATIONS.iter().find(|row| row.kind() == self.kind) else {
            let known: Vec<_> = APPLICATIONS.iter().map(|row| row.kind()).collect();
            return Err(format!("expected kind to be one of {}, found {:?}", known.join(", "), self.kind));
        };
        if row.own_commands().is_some() == self.is_listed() || (self.purse.is_some() && self.sam.is_some()) {
            return Err(format!(
                "expected [application.purse] or [application.sam] as kind {} has it",
                self.kind
            ));
        }
        self.purse.iter().try_for_each(PurseProfile::check)?;
        self.sam.iter().try_for_each(SamProfile::check)?;
        capp::check(&self.extended)?;
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
            if let Some(interface) = interface.as_ref().filter(|_| self.is_listed()) {
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
