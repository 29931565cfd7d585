//! A card's non-volatile memory: what survives without power.

use super::capp::CappMemory;
use super::certificates::CardKey;
use super::profile::Profile;
use super::purse::{File, PurseMemory, SamMemory};
use crate::base::bytes::{Secret, bcd_to_u64, parse_hex, u64_to_bcd};
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::emv::cryptogram::CardKeys;
use crate::words::globalplatform::ChannelKeys;
use crate::words::pboc::EcashSet;
use crate::words::tlv::{Tag, TlvStore};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

/// All that a card remembers. It is written as a whole, or not at all, and leaves
/// this room only sealed.
#[derive(Clone)]
pub struct CardMemory {
    pub(super) image: Image,
}

/// What is written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    /// Shared by the copies that a commit makes.
    pub profile: Arc<Profile>,
    pub keys: KeyImage,
    #[serde(with = "secret_hex_option")]
    pub pin: Option<Secret<[u8; 8]>>,
    /// Blocked for good (CARD BLOCK).
    pub blocked: bool,
    /// In the order of the profile's applications.
    pub applications: Vec<ApplicationMemory>,
    /// Of the master file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// The security domain of a card in a phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
}

/// The keys by which a card in a phone is personalised, and how often they were used.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Domain {
    #[serde(with = "secret_hex")]
    pub enc: Secret<[u8; 16]>,
    #[serde(with = "secret_hex")]
    pub mac: Secret<[u8; 16]>,
    #[serde(with = "secret_hex")]
    pub dek: Secret<[u8; 16]>,
    /// Channels opened so far.
    pub sequence: u16,
    /// Nothing is stored yet: no transaction is made with it.
    pub blank: bool,
}

/// The card's keys.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyImage {
    #[serde(with = "secret_hex")]
    pub ac: Secret<[u8; 16]>,
    #[serde(with = "secret_hex")]
    pub mac: Secret<[u8; 16]>,
    #[serde(with = "secret_hex")]
    pub enc: Secret<[u8; 16]>,
}

/// One application's memory.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicationMemory {
    /// Data objects, balances and limits among them.
    pub data: TlvStore,
    /// Records of SFI 1 to 10.
    pub records: Vec<Record>,
    /// Counters, flags and logs.
    pub state: State,
    /// Of a purse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purse: Option<Box<PurseMemory>>,
    /// Of a security module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sam: Option<Box<SamMemory>>,
    /// Of the extended application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capp: Option<Box<CappMemory>>,
    /// Signs for the card, where it has a key of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_key: Option<CardKey>,
    /// Deciphers PINs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin_key: Option<CardKey>,
}

/// One record.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub sfi: u8,
    pub number: u8,
    /// Template 70 and its contents.
    pub bytes: Vec<u8>,
}

/// Counters, flags and logs of an application.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// Application transaction counter; at FFFF the application is locked.
    pub atc: u16,
    /// ATC of the last completed online transaction; 0 is a new card.
    pub last_online_atc: u16,
    pub pin_tries_left: u8,
    pub blocked: bool,
    pub blocked_by_pin: bool,
    pub last_online_not_completed: bool,
    pub last_authentication_failed: bool,
    pub authentication_not_performed: bool,
    pub last_script_failed: bool,
    /// The terminal found the static data not authentic, and the card declined offline.
    #[serde(default)]
    pub static_authentication_failed: bool,
    /// The same of its dynamic signature.
    #[serde(default)]
    pub dynamic_authentication_failed: bool,
    /// Script commands after the second GENERATE AC of the last online transaction.
    pub script_commands: u8,
    /// Offline approvals in a row in a currency that is not the card's.
    pub international: u8,
    /// Offline approvals since the last online transaction, minor units.
    pub cumulative_minor: u64,
    /// Offline approvals in a row, whatever their currency (M/Chip).
    #[serde(default)]
    pub consecutive: u8,
    /// The issuer wants to see the next transaction (M/Chip).
    #[serde(default)]
    pub go_online_next: bool,
    /// The last answer to GENERATE AC, where it can be asked for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recoverable: Option<Recoverable>,
    /// Newest first.
    pub log: Vec<Vec<u8>>,
    /// Newest first.
    pub load_log: Vec<Vec<u8>>,
}

/// An answer to GENERATE AC that may have been lost on its way.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recoverable {
    /// What the DRDOL (9F51) names, of that transaction.
    pub drdol_data: Vec<u8>,
    /// The answer.
    pub answer: Vec<u8>,
}

impl CardMemory {
    /// The profile it was made from.
    pub fn profile(&self) -> &Profile {
        &self.image.profile
    }

    /// Whether it is a phone's card that waits for its data.
    pub fn is_blank(&self) -> bool {
        self.image.is_blank()
    }

    /// The account number of its first application.
    pub fn pan(&self) -> Option<Pan> {
        let application = self.image.applications.first()?;
        Pan::from_bcd(application.data.value(tag::PAN)?).ok()
    }

    /// The name of its first application.
    pub fn aid(&self) -> Vec<u8> {
        let first = self.image.profile.applications.first();
        first.map(|application| application.aid.as_bytes().to_vec()).unwrap_or_default()
    }

    /// PAN sequence number of its first application.
    pub fn psn(&self) -> u8 {
        let first = self.image.applications.first();
        first.and_then(|a| a.data.array(tag::PAN_SEQUENCE_NUMBER)).map_or(0, |[psn]: [u8; 1]| psn)
    }

    /// The balance of a set in minor units, as it is in non-volatile memory; `None`
    /// where the card has no such set.
    pub fn balance(&self, set: EcashSet) -> Option<u64> {
        self.image.applications.iter().find(|a| a.data.has(set.currency))?.amount(set.balance)
    }

    /// A data object of the first application that has it.
    pub fn value(&self, tag: Tag) -> Option<&[u8]> {
        self.image.applications.iter().find_map(|application| application.data.value(tag))
    }

    /// The highest transaction counter of its applications.
    pub fn atc(&self) -> u16 {
        self.image.applications.iter().map(|a| a.state.atc).max().unwrap_or(0)
    }

    /// PIN tries left in its first application.
    pub fn pin_tries_left(&self) -> u8 {
        self.image.applications.first().map_or(0, |a| a.state.pin_tries_left)
    }

    /// How many entries the transaction log and the load log of its first application hold.
    pub fn log_lengths(&self) -> (usize, usize) {
        let first = self.image.applications.first();
        first.map_or((0, 0), |a| (a.state.log.len(), a.state.load_log.len()))
    }

    /// As JSON text that holds keys: to be sealed at once.
    pub(super) fn to_json(&self) -> Secret<Vec<u8>> {
        // Maps have text keys and nothing else can fail.
        Secret::new(serde_json::to_vec(&self.image).unwrap_or_default())
    }

    /// From the text of [`Self::to_json`].
    pub(super) fn from_json(text: &[u8]) -> Result<Self, String> {
        let image: Image = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        image.profile.version().map_err(|error| error.to_string())?;
        if image.applications.len() != image.profile.applications.len() {
            return Err("expected one memory for each application of the profile".into());
        }
        Ok(Self { image })
    }
}

impl Image {
    /// Whether the card waits for its data.
    pub(super) fn is_blank(&self) -> bool {
        self.domain.as_ref().is_some_and(|domain| domain.blank)
    }
}

impl Domain {
    /// A blank card's domain with these keys.
    pub(super) fn new(keys: &ChannelKeys) -> Self {
        let ChannelKeys { enc, mac, dek } = keys.clone();
        Self { enc, mac, dek, sequence: 0, blank: true }
    }

    /// Its keys.
    pub(super) fn keys(&self) -> ChannelKeys {
        let Self { enc, mac, dek, .. } = self.clone();
        ChannelKeys { enc, mac, dek }
    }
}

impl ApplicationMemory {
    /// An amount in minor units; `None` where it is absent or no decimal number.
    pub(super) fn amount(&self, tag: Tag) -> Option<u64> {
        bcd_to_u64(self.data.value(tag)?).ok()
    }

    /// Writes an amount over six bytes; one that does not fit is all nines.
    pub(super) fn put_amount(&mut self, tag: Tag, minor: u64) {
        self.data.put(tag, u64_to_bcd(minor, 6).unwrap_or_else(|_| vec![0x99; 6]));
    }

    /// The files of a purse or a security module.
    pub(super) fn files(&self) -> &[File] {
        let purse = self.purse.as_ref().map(|purse| purse.files.as_slice());
        purse.or(self.sam.as_ref().map(|sam| sam.files.as_slice())).unwrap_or_default()
    }

    /// The same, to be changed.
    pub(super) fn files_mut(&mut self) -> &mut [File] {
        match (&mut self.purse, &mut self.sam) {
            (Some(purse), _) => &mut purse.files,
            (None, Some(sam)) => &mut sam.files,
            (None, None) => &mut [],
        }
    }

    /// A one-byte limit.
    pub(super) fn limit(&self, tag: Tag) -> Option<u8> {
        self.data.array(tag).map(|[limit]| limit)
    }

    /// The set whose currency this is.
    pub(super) fn set_of(&self, currency: &[u8]) -> Option<EcashSet> {
        EcashSet::ALL.into_iter().find(|set| self.data.value(set.currency) == Some(currency))
    }
}

impl State {
    /// A card that has never been used.
    pub(super) fn new(pin_try_limit: u8) -> Self {
        Self {
            atc: 0,
            last_online_atc: 0,
            pin_tries_left: pin_try_limit,
            blocked: false,
            blocked_by_pin: false,
            last_online_not_completed: false,
            last_authentication_failed: false,
            authentication_not_performed: false,
            last_script_failed: false,
            static_authentication_failed: false,
            dynamic_authentication_failed: false,
            script_commands: 0,
            international: 0,
            cumulative_minor: 0,
            consecutive: 0,
            go_online_next: false,
            recoverable: None,
            log: Vec::new(),
            load_log: Vec::new(),
        }
    }
}

impl From<&CardKeys> for KeyImage {
    fn from(keys: &CardKeys) -> Self {
        Self { ac: keys.ac.clone(), mac: keys.mac.clone(), enc: keys.enc.clone() }
    }
}

impl std::fmt::Debug for CardMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CardMemory({}, ATC {})", self.image.profile.name, self.atc())
    }
}

/// Keys as hexadecimal text, on their way into a seal or out of it.
pub(super) mod secret_hex {
    use super::{Secret, Zeroizing, parse_hex};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::roles::card) fn serialize<S: Serializer, const N: usize>(
        secret: &Secret<[u8; N]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error>
    where
        [u8; N]: zeroize::Zeroize,
    {
        let text = Zeroizing::new(crate::base::bytes::Hex(secret.expose()).to_string());
        serializer.serialize_str(&text)
    }

    pub(in crate::roles::card) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<Secret<[u8; N]>, D::Error>
    where
        [u8; N]: zeroize::Zeroize,
    {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = Zeroizing::new(parse_hex(&text).map_err(D::Error::custom)?);
        let array: [u8; N] =
            bytes.as_slice().try_into().map_err(|_| D::Error::custom(format!("expected {N} bytes")))?;
        Ok(Secret::new(array))
    }
}

/// Keys in a list, as text.
pub(super) mod secret_keys {
    use super::Secret;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Held(#[serde(with = "super::secret_hex")] Secret<[u8; 16]>);

    pub(in crate::roles::card) fn serialize<S: Serializer>(
        keys: &[Secret<[u8; 16]>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(keys.iter().cloned().map(Held))
    }

    pub(in crate::roles::card) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Secret<[u8; 16]>>, D::Error> {
        Ok(Vec::<Held>::deserialize(deserializer)?.into_iter().map(|held| held.0).collect())
    }
}

/// A PIN of any length, as text.
pub(super) mod secret_bytes {
    use super::{Secret, Zeroizing, parse_hex};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::roles::card) fn serialize<S: Serializer>(
        secret: &Secret<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(crate::base::bytes::Hex(secret.expose()).to_string());
        serializer.serialize_str(&text)
    }

    pub(in crate::roles::card) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Secret<Vec<u8>>, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        parse_hex(&text).map(Secret::new).map_err(D::Error::custom)
    }
}

/// The same for a PIN block, which a card may lack.
mod secret_hex_option {
    use super::Secret;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Held(#[serde(with = "super::secret_hex")] Secret<[u8; 8]>);

    pub(super) fn serialize<S: Serializer>(
        secret: &Option<Secret<[u8; 8]>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        secret.clone().map(Held).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Secret<[u8; 8]>>, D::Error> {
        Ok(Option::<Held>::deserialize(deserializer)?.map(|held| held.0))
    }
}
