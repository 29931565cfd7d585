//! Offline data authentication on a card: what of it the issuer is to sign, and where
//! certificates and keys go. The signing itself is the bureau's.

use super::CardError;
use super::application_profile::ApplicationProfile;
use super::memory::{ApplicationMemory, CardMemory};
use super::order::records;
use crate::base::bytes::Secret;
use crate::words::dictionary::tag;
use crate::words::emv::certificate::{PrivateKey, StaticData, Suite};
use crate::words::emv::{Afl, Aip};
use crate::words::tlv::Tag;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::sync::Arc;

/// What a profile orders for an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CertificateProfile {
    /// `rsa` or `sm2`.
    pub suite: SuiteName,
    /// Signed static data, tag 93.
    #[serde(default)]
    pub static_signature: bool,
    /// A key of the card's own, tag 9F46.
    #[serde(default)]
    pub card_key: bool,
    /// Another one for PIN encipherment, tag 9F2D.
    #[serde(default)]
    pub pin_key: bool,
}

/// The suite as a profile writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SuiteName {
    /// RSA and SHA-1.
    Rsa,
    /// SM2 and SM3.
    Sm2,
}

/// What an application of a new card wants signed.
#[derive(Debug, Clone)]
pub struct CertificateRequest {
    /// Its place among the card's applications: for [`CardMemory::install_certificates`].
    pub application: usize,
    /// Registered application provider.
    pub rid: [u8; 5],
    /// RSA or SM2.
    pub suite: Suite,
    /// What the AFLs mark, and the AIP where 9F4A lists it.
    pub static_data: StaticData,
    /// Whether static data are signed.
    pub static_signature: bool,
    /// Whether it has a key of its own.
    pub card_key: bool,
    /// Whether it has one for PIN encipherment.
    pub pin_key: bool,
}

/// A card's private key; shared, since a card's memory is copied for each command.
#[derive(Debug, Clone)]
pub(super) struct CardKey(pub Arc<PrivateKey>);

impl CardMemory {
    /// What the profile orders signed, an entry for each application that orders any.
    pub fn certificate_requests(&self) -> Result<Vec<CertificateRequest>, CardError> {
        let applications = self.image.profile.applications.iter().zip(&self.image.applications).enumerate();
        let mut out = Vec::new();
        for (application, (profile, memory)) in applications {
            let Some(order) = &profile.certificates else { continue };
            let error = |what: &str| self.profile_error(&format!("application {}: {what}", profile.aid));
            out.push(CertificateRequest {
                application,
                rid: profile.aid.rid().ok_or_else(|| error("expected an AID of at least 5 bytes"))?,
                suite: match order.suite {
                    SuiteName::Rsa => Suite::Rsa,
                    SuiteName::Sm2 => Suite::Sm2,
                },
                static_data: static_data(profile, memory).map_err(|what| error(&what))?,
                static_signature: order.static_signature,
                card_key: order.card_key,
                pin_key: order.pin_key,
            });
        }
        Ok(out)
    }

    /// Puts what the bureau signed into an application: data objects, then the records
    /// that hold them, and the private keys.
    pub fn install_certificates(
        &mut self,
        request: &CertificateRequest,
        elements: Vec<(Tag, Vec<u8>)>,
        card_key: Option<PrivateKey>,
        pin_key: Option<PrivateKey>,
    ) -> Result<(), CardError> {
        let absent = || self.profile_error("the application that certificates are for is not there");
        let place = request.application;
        let profile = self.image.profile.applications.get(place).cloned().ok_or_else(absent)?;
        let mut memory = self.image.applications.get(place).cloned().ok_or_else(absent)?;
        for (tag, value) in elements {
            memory.data.put(tag, value);
        }
        memory.records = records(&profile, &memory.data);
        memory.card_key = card_key.map(|key| CardKey(Arc::new(key)));
        memory.pin_key = pin_key.map(|key| CardKey(Arc::new(key)));
        if static_data(&profile, &memory).as_ref() != Ok(&request.static_data) {
            return Err(self.profile_error("a record that holds certificates is marked as signed by an AFL"));
        }
        if let Some(long) = memory.records.iter().find(|record| record.bytes.len() > LONGEST_RECORD_BYTES) {
            let (number, sfi, found) = (long.number, long.sfi, long.bytes.len());
            return Err(self.profile_error(&format!(
                "expected records of at most {LONGEST_RECORD_BYTES} bytes, found {found} in record {number} of \
                 SFI {sfi}: put its certificates into records of their own"
            )));
        }
        self.image.applications[place] = memory;
        Ok(())
    }

    fn profile_error(&self, what: &str) -> CardError {
        CardError::Profile { profile: self.image.profile.name.clone(), what: what.to_owned() }
    }
}

/// The longest record: with the status word it is the longest answer, 256 bytes.
const LONGEST_RECORD_BYTES: usize = 254;

/// The static data of an application, which every path with data authentication shares.
fn static_data(profile: &ApplicationProfile, memory: &ApplicationMemory) -> Result<StaticData, String> {
    let interfaces = [&profile.contact, &profile.contactless].into_iter().flatten();
    let paths =
        interfaces.flat_map(|interface| [&interface.full, &interface.ecash, &interface.quick]).flatten();
    let record_of = |sfi, number| {
        let mut records = memory.records.iter();
        let found = records.find(|record| (record.sfi, record.number) == (sfi, number));
        found.map(|record| record.bytes.as_slice())
    };
    let tag_list = memory.data.value(tag::STATIC_DATA_AUTHENTICATION_TAG_LIST);
    let mut shared: Option<StaticData> = None;
    for path in paths {
        let aip = Aip::from_bytes(&path.aip.0).ok_or("expected two bytes of AIP")?;
        let authenticates =
            [Aip::SDA_SUPPORTED, Aip::DDA_SUPPORTED, Aip::CDA_SUPPORTED].into_iter().any(|bit| aip.has(bit));
        if !authenticates {
            continue;
        }
        let afl = Afl::parse(&path.afl.0).map_err(|error| error.to_string())?;
        let data = StaticData::gather(&afl, record_of, tag_list, aip.0).map_err(|error| error.to_string())?;
        match &shared {
            Some(other) if *other != data => {
                return Err("expected all paths with data authentication to mark the same records and to \
                            have the same AIP, since one signature serves them all"
                    .into());
            }
            _ => shared = Some(data),
        }
    }
    shared.ok_or_else(|| "expected an AIP with SDA, DDA or CDA beside [application.certificates]".into())
}

impl Serialize for CardKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.to_text().expose())
    }
}

impl<'de> Deserialize<'de> for CardKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::new(String::deserialize(deserializer)?);
        PrivateKey::from_text(text.expose()).map(|key| Self(Arc::new(key))).map_err(D::Error::custom)
    }
}
