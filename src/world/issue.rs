//! Issues a card: the bureau's keys and certificates, the card's memory, the issuer's row.

use super::error::WorldError;
use crate::base::bytes::{Secret, bcd_to_u64};
use crate::base::context::Context;
use crate::roles::bureau::{Authority, CertificateOrder, KeySet};
use crate::roles::card::{CardMemory, CertificateRequest, Order, Profile, PurseOrder};
use crate::roles::issuer::{AccountId, CardAccount, CardOrder, EcashTerms, Issuer};
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::emv::certificate::PrivateKey;
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::{EcashSet, application_serial};

/// The PIN of a card for which nobody chose one.
pub const DEFAULT_PIN: &str = "123456";

/// Effective and expiry date of a card made here.
const EFFECTIVE: [u8; 3] = [0x25, 0x01, 0x01];
const EXPIRY: [u8; 3] = [0x35, 0x12, 0x31];

/// The terminal number in a security module made here.
const SAM_TERMINAL: [u8; 6] = [0x00, 0x00, 0x00, 0x00, 0x00, 0x01];

/// A card that is to be made.
#[derive(Debug, Clone)]
pub struct NewCard {
    /// Its profile.
    pub profile: Profile,
    /// Its PIN, 4 to 12 digits, known to card and issuer.
    pub pin: Secret<String>,
    /// The electronic cash that it begins with, in the first currency.
    pub balance_minor: u64,
    /// The linked account of each currency.
    pub accounts: Vec<(Currency, AccountId)>,
}

/// The card order of a profile: a fresh PAN of our own test range.
pub fn order_for(card: &NewCard, context: &mut Context) -> Result<Order, WorldError> {
    Ok(order_of(card, fresh_pan(context)?))
}

/// A PAN of our own test range that nobody else is likely to have.
pub(super) fn fresh_pan(context: &mut Context) -> Result<Pan, WorldError> {
    // Below the range of tokens, which begins with 9.
    let number = u64::from_be_bytes(context.random()) % 900_000_000;
    Ok(Pan::with_check_digit(&format!("{}{number:09}", Pan::TEST_BIN))?)
}

/// The card order of a profile for this PAN; asked for again, the same.
pub(super) fn order_of(card: &NewCard, pan: Pan) -> Order {
    let has_ecash = card.profile.kinds().any(|kind| kind == "ecash");
    Order {
        pan,
        psn: 1,
        expiry: EXPIRY,
        effective: EFFECTIVE,
        cardholder_name: Secret::new("TEST/CARD".into()),
        pin: Some(card.pin.clone()),
        initial_balances: match has_ecash {
            true => vec![(tag::EC_BALANCE, card.balance_minor)],
            false => Vec::new(),
        },
        purse_minor: u32::try_from(card.balance_minor).unwrap_or(u32::MAX),
    }
}

/// The card's memory: profile and order under the bureau's keys, and what the test
/// certification authority signs for it, where the profile orders that.
pub fn new_card_memory(profile: &Profile, order: &Order) -> Result<CardMemory, WorldError> {
    card_memory_under(&*Authority::test()?, profile, order)
}

/// The same under a certification authority of one's own.
pub(super) fn card_memory_under(
    authority: &Authority,
    profile: &Profile,
    order: &Order,
) -> Result<CardMemory, WorldError> {
    let keys = KeySet::test().card_keys(profile.version()?, &order.pan, order.psn)?;
    let mut memory = CardMemory::personalise(profile, order, &keys)?;
    for request in memory.certificate_requests()? {
        let signed = authority.certify(&certificate_order(&request, order))?;
        memory.install_certificates(&request, signed.elements, signed.card_key, signed.pin_key)?;
    }
    if memory.wants_purse_keys() {
        let master = KeySet::test_purses();
        memory.install_purses(order, &PurseOrder { master: &master, terminal: SAM_TERMINAL })?;
    }
    Ok(memory)
}

/// A card that was copied: all that can be read of the card of `victim`, and the keys of
/// another card of the thief's, since a card's own cannot be read. `None` where the two cards
/// happen to have the same key of the test authority's pool.
pub(super) fn copied_memory(
    profile: &Profile,
    victim: &Order,
    thief: &Order,
) -> Result<Option<CardMemory>, WorldError> {
    let authority = Authority::test()?;
    let keys = KeySet::test().card_keys(profile.version()?, &thief.pan, thief.psn)?;
    let mut memory = CardMemory::personalise(profile, victim, &keys)?;
    for request in memory.certificate_requests()? {
        let read = authority.certify(&certificate_order(&request, victim))?;
        let own = authority.certify(&certificate_order(&request, thief))?;
        let public = |key: &Option<PrivateKey>| key.as_ref().map(PrivateKey::public);
        if public(&read.card_key) == public(&own.card_key) {
            return Ok(None);
        }
        memory.install_certificates(&request, read.elements, own.card_key, own.pin_key)?;
    }
    if memory.wants_purse_keys() {
        let master = KeySet::test_purses().diversify(application_serial(&thief.pan));
        memory.install_purses(victim, &PurseOrder { master: &master, terminal: SAM_TERMINAL })?;
    }
    Ok(Some(memory))
}

fn certificate_order<'a>(request: &'a CertificateRequest, order: &'a Order) -> CertificateOrder<'a> {
    CertificateOrder {
        rid: request.rid,
        suite: request.suite,
        pan: &order.pan,
        psn: order.psn,
        expiry: order.expiry,
        static_data: &request.static_data,
        static_signature: request.static_signature,
        card_key: request.card_key,
        pin_key: request.pin_key,
    }
}

/// Makes a card under the test certification authority and puts it on the issuer's file.
pub fn issue_card(
    issuer: &mut Issuer,
    card: &NewCard,
    context: &mut Context,
) -> Result<CardMemory, WorldError> {
    issue_card_under(&*Authority::test()?, issuer, card, context)
}

/// Makes a card under a certification authority and puts it on the issuer's file.
pub fn issue_card_under(
    authority: &Authority,
    issuer: &mut Issuer,
    card: &NewCard,
    context: &mut Context,
) -> Result<CardMemory, WorldError> {
    let order = order_for(card, context)?;
    issue_order(authority, issuer, card, &order, context)
}

/// Makes the card of an order and puts it on the issuer's file.
pub(super) fn issue_order(
    authority: &Authority,
    issuer: &mut Issuer,
    card: &NewCard,
    order: &Order,
    context: &mut Context,
) -> Result<CardMemory, WorldError> {
    if card.profile.dki != KeySet::test().dki() {
        // It could pay offline, and nobody could ever verify its certificates.
        return Err(WorldError::Profile {
            profile: card.profile.name.clone(),
            what: "master keys under its derivation key index (dki): the issuer here has those of index 1",
        });
    }
    let memory = card_memory_under(authority, &card.profile, order)?;
    on_file(card, order, &memory).iter().try_for_each(|order| issuer.order_card(order, context))?;
    Ok(memory)
}

/// What the issuer keeps on file of a card: the card itself, and each of its purses.
pub(super) fn on_file(card: &NewCard, order: &Order, memory: &CardMemory) -> Vec<CardOrder> {
    let own = (!card.profile.is_purse_alone()).then(|| own_on_file(card, order, memory));
    let purses = memory.purses(&order.pan).into_iter().map(|purse| CardOrder {
        pan: purse.number,
        psn: purse.purse.sequence_number(),
        version: card.profile.cryptogram_version.clone(),
        dki: card.profile.dki,
        expiry: order.expiry,
        pin: order.pin.clone(),
        accounts: vec![CardAccount {
            currency: Currency::CNY,
            account: linked(card, Currency::CNY),
            ecash: Some(EcashTerms {
                set: EcashSet::FIRST,
                balance_limit_minor: purse.limit_minor.into(),
                balance_minor: u64::try_from(purse.own_minor).unwrap_or(0),
            }),
        }],
    });
    own.into_iter().chain(purses).collect()
}

/// What the issuer keeps on file of the card itself.
pub(super) fn own_on_file(card: &NewCard, order: &Order, memory: &CardMemory) -> CardOrder {
    let mut accounts = Vec::new();
    for set in EcashSet::ALL {
        let Some(currency) = memory.value(set.currency).and_then(Currency::from_bcd) else { continue };
        let limit = memory.value(set.balance_limit).and_then(|bytes| bcd_to_u64(bytes).ok());
        accounts.push(CardAccount {
            currency,
            account: linked(card, currency),
            ecash: limit.map(|balance_limit_minor| EcashTerms {
                set,
                balance_limit_minor,
                balance_minor: memory.balance(set).unwrap_or(0),
            }),
        });
    }
    for (currency, account) in &card.accounts {
        if !accounts.iter().any(|row| row.currency == *currency) {
            let account = Some(account.clone());
            accounts.push(CardAccount { currency: *currency, account, ecash: None });
        }
    }
    CardOrder {
        pan: order.pan.clone(),
        psn: order.psn,
        version: card.profile.cryptogram_version.clone(),
        dki: card.profile.dki,
        expiry: order.expiry,
        pin: order.pin.clone(),
        accounts,
    }
}

impl NewCard {
    /// A card that no account stands behind.
    pub fn without_accounts(profile: Profile) -> Self {
        Self { profile, pin: Secret::new(DEFAULT_PIN.into()), balance_minor: 0, accounts: Vec::new() }
    }

    /// A card with an account behind each of its currencies, holding `account_minor`.
    pub fn with_accounts(
        issuer: &mut Issuer,
        profile: Profile,
        account_minor: u64,
        balance_minor: u64,
        context: &mut Context,
    ) -> Result<Self, WorldError> {
        let mut currencies = profile.currencies();
        if currencies.is_empty() {
            currencies.push(Currency::CNY);
        }
        let mut accounts = Vec::new();
        for currency in currencies {
            let balance = Amount::new(account_minor, currency);
            accounts.push((currency, issuer.open_account(None, balance, "Test Holder", context)?));
        }
        Ok(Self { profile, pin: Secret::new(DEFAULT_PIN.into()), balance_minor, accounts })
    }
}

fn linked(card: &NewCard, currency: Currency) -> Option<AccountId> {
    card.accounts.iter().find(|(of, _)| *of == currency).map(|(_, account)| account.clone())
}
