//! Personalisation: a profile, a card order and keys become a card's memory.

use super::CardError;
use super::application_profile::ApplicationProfile;
use super::capp::CappMemory;
use super::memory::{ApplicationMemory, CardMemory, Domain, Image, KeyImage, Record, State};
use super::profile::{Bytes, Profile};
use crate::base::bytes::Secret;
use crate::words::dictionary::tag;
use crate::words::emv::cryptogram::CardKeys;
use crate::words::emv::{Pan, Personal, record};
use crate::words::globalplatform::ChannelKeys;
use crate::words::iso7816::command::PinBlock;
use crate::words::pboc::EcashSet;
use crate::words::tlv::{Tag, TlvStore};
use std::sync::Arc;

/// Whose card it is.
#[derive(Debug, Clone)]
pub struct Order {
    /// The account number.
    pub pan: Pan,
    /// PAN sequence number, 5F34.
    pub psn: u8,
    /// Expiry, 5F24: BCD YYMMDD.
    pub expiry: [u8; 3],
    /// Effective date, 5F25: BCD YYMMDD.
    pub effective: [u8; 3],
    /// Cardholder name, 5F20: 2 to 26 characters; others are cut or filled.
    pub cardholder_name: Secret<String>,
    /// The PIN that the card checks, 4 to 12 digits; without one VERIFY is refused.
    pub pin: Option<Secret<String>>,
    /// Balances to begin with: data object (9F79, DF79) and minor units. Others are
    /// what the profile says.
    pub initial_balances: Vec<(Tag, u64)>,
    /// What each purse (ED, EP) begins with, minor units.
    pub purse_minor: u32,
}

impl CardMemory {
    /// Makes a card. The keys must come from the order's PAN and sequence number
    /// and the profile's cryptogram version and key index.
    pub fn personalise(profile: &Profile, order: &Order, keys: &CardKeys) -> Result<Self, CardError> {
        profile.version()?;
        let pin = match &order.pin {
            None => None,
            Some(pin) => Some(
                PinBlock::from_digits(pin.expose())
                    .map(|block| Secret::new(*block.expose()))
                    .ok_or(CardError::Pin { found: pin.expose().chars().count() })?,
            ),
        };
        let mut applications: Vec<_> =
            profile.applications.iter().map(|application| fill(application, order)).collect();
        for (tag, minor) in &order.initial_balances {
            let no_balance = || CardError::NoBalance { profile: profile.name.clone(), tag: *tag };
            let set = EcashSet::of_balance(*tag).ok_or_else(no_balance)?;
            let application =
                applications.iter_mut().find(|a| a.data.has(set.currency)).ok_or_else(no_balance)?;
            let limit = application.amount(set.balance_limit).unwrap_or(0);
            if *minor > limit {
                return Err(CardError::BalanceLimit { tag: *tag, limit_minor: limit, found_minor: *minor });
            }
            application.put_amount(*tag, *minor);
        }
        Ok(Self {
            image: Image {
                profile: Arc::new(profile.clone()),
                keys: KeyImage::from(keys),
                pin,
                blocked: false,
                applications,
                files: Vec::new(),
                domain: None,
            },
        })
    }
}

impl CardMemory {
    /// A card in a phone that waits for its data: a profile, and the keys by which it
    /// takes them.
    pub fn blank(profile: &Profile, keys: &ChannelKeys) -> Self {
        let none = || Secret::new([0; 16]);
        let applications = profile.applications.iter().map(|application| ApplicationMemory {
            data: profile_data(application),
            records: Vec::new(),
            state: State::new(application.pin_try_limit),
            purse: None,
            sam: None,
            capp: CappMemory::new(&application.extended),
            card_key: None,
            pin_key: None,
        });
        Self {
            image: Image {
                applications: applications.collect(),
                profile: Arc::new(profile.clone()),
                keys: KeyImage { ac: none(), mac: none(), enc: none() },
                pin: None,
                blocked: false,
                files: Vec::new(),
                domain: Some(Domain::new(keys)),
            },
        }
    }
}

/// The data objects of a profile, with the formats of its logs.
fn profile_data(profile: &ApplicationProfile) -> TlvStore {
    let mut data: TlvStore =
        profile.data.iter().map(|(tag, Bytes(value))| (*tag, value.as_slice())).collect();
    for (format, log) in [(tag::LOG_FORMAT, &profile.log), (tag::LOAD_LOG_FORMAT, &profile.load_log)] {
        if let Some(log) = log {
            data.put(format, log.format.0.as_slice());
        }
    }
    data
}

fn fill(profile: &ApplicationProfile, order: &Order) -> ApplicationMemory {
    let mut data = profile_data(profile);
    let personal = Personal {
        pan: &order.pan,
        psn: order.psn,
        expiry: order.expiry,
        effective: order.effective,
        cardholder_name: order.cardholder_name.expose(),
    };
    personal.put(&mut data);
    let records = records(profile, &data);
    ApplicationMemory {
        data,
        records,
        state: State::new(profile.pin_try_limit),
        purse: None,
        sam: None,
        capp: CappMemory::new(&profile.extended),
        card_key: None,
        pin_key: None,
    }
}

/// The records as the profile lists them; an element that the card does not have is left out.
pub(super) fn records(profile: &ApplicationProfile, data: &TlvStore) -> Vec<Record> {
    let records = profile.records.iter().map(|layout| Record {
        sfi: layout.sfi,
        number: layout.record,
        bytes: record(&layout.elements, data),
    });
    records.collect()
}
