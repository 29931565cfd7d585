//! Taps of a phone that a token service declines, each for its own reason, as the
//! terminal's outcome tells it.

use super::kit::{ACCOUNT_MINOR, CNY};
use super::town::{Shop, TAP, Town, wallet_party};
use cardwright::air::host::{KeyKind, Party, TokenVerb};
use cardwright::air::link::Interface;
use cardwright::devices::wallet::life;
use cardwright::roles::terminal::{Bytes, TerminalConfig, Verdict};
use cardwright::roles::token::{Domain, LimitedUse, TokenRules};
use cardwright::words::dictionary::tag;
use cardwright::words::iso4217::{Amount, Currency};
use std::time::Duration;

/// Where the tokens of these towns pay: at grocers in China, 30.00 at most.
pub(crate) fn narrow() -> TokenRules {
    let domain = Domain {
        merchant_categories: vec![5411],
        countries: vec![156],
        amount_limit_minor: Some(3_000),
        ..Domain::default()
    };
    let limited_use = LimitedUse { uses: 2, ..LimitedUse::default() };
    TokenRules { domain, limited_use, ..TokenRules::default() }
}

/// A way to tap outside a token's domain, and the reason that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    Channel,
    Device,
    Merchant,
    Country,
    Amount,
}

impl Outside {
    pub(crate) const ALL: [Self; 5] =
        [Self::Channel, Self::Device, Self::Merchant, Self::Country, Self::Amount];

    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Channel => "wrong domain: the token pays contactless only",
            Self::Device => "wrong device: 9F63 is not that of the token's device",
            Self::Merchant => "wrong domain: the token does not pay at this class of merchant (9F15)",
            Self::Country => "wrong domain: the token does not pay in this country (9F1A)",
            Self::Amount => "wrong domain: the amount is above the token's limit",
        }
    }

    /// The shop that it happens in.
    pub(crate) fn shop(self) -> Shop {
        let terminal = TerminalConfig::default();
        match self {
            Self::Channel => Shop { interface: Interface::Contact, ..Shop::default() },
            Self::Device => Shop { mark: Some(vec![0x5A; 16]), ..Shop::default() },
            Self::Merchant => {
                let terminal = TerminalConfig { merchant_category: Bytes([0x59, 0x12]), ..terminal };
                Shop { terminal, ..Shop::default() }
            }
            Self::Country => {
                Shop { terminal: TerminalConfig { country: Currency(840), ..terminal }, ..Shop::default() }
            }
            Self::Amount => Shop { amount: Amount::new(3_001, CNY), ..Shop::default() },
        }
    }
}

#[test]
fn a_tap_outside_the_domain_is_declined_with_that_reason() {
    let mut town = Town::ruled(narrow());
    let name = town.add(0, KeyKind::SecureElement);
    for outside in Outside::ALL {
        let card = town.wallet(0).bare(&name).unwrap();
        let outcome = town.tap_at(card, outside.shop()).unwrap();
        assert_eq!(
            (outcome.verdict, outcome.reason.contains(outside.reason())),
            (Verdict::Declined, true),
            "{outside:?}: {outcome:?}"
        );
    }
    assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline);
    assert_eq!(town.account_minor(), ACCOUNT_MINOR - TAP.minor);
    town.assert_sound("after taps outside the domain");
}

#[test]
fn suspended_held_expired_and_removed_are_told_apart() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::SecureElement);
    let declined = |town: &mut Town, reason: &str| {
        let card = town.wallet(0).bare(&name).unwrap();
        let outcome = town.tap_with(card).unwrap();
        assert_eq!(outcome.verdict, Verdict::Declined, "{}", outcome.reason);
        assert!(outcome.reason.contains(reason), "{}", outcome.reason);
    };
    town.change(0, &name, TokenVerb::Suspend, &wallet_party()).unwrap();
    declined(&mut town, "the token is suspended by its holder");
    town.change(0, &name, TokenVerb::Resume, &wallet_party()).unwrap();
    town.change(0, &name, TokenVerb::Suspend, &Party::Issuer).unwrap();
    declined(&mut town, "the token is suspended by its issuer");
    town.change(0, &name, TokenVerb::Resume, &Party::Issuer).unwrap();
    town.context.elapse(Duration::from_secs(1140 * 86_400));
    declined(&mut town, "the token has expired");
    // The phone is off when its token is removed at the service.
    let card = town.wallet(0).bare(&name).unwrap();
    town.change(0, &name, TokenVerb::Remove, &wallet_party()).unwrap();
    let outcome = town.tap_with(card).unwrap();
    assert!(outcome.reason.contains("the token is terminated"), "{}", outcome.reason);
    assert_eq!(town.account_minor(), ACCOUNT_MINOR);
    town.assert_sound("after taps of tokens that do not pay");
}

#[test]
fn a_stale_key_is_declined_by_count_age_amount_and_successor() {
    let mut town = Town::ruled(TokenRules {
        limited_use: LimitedUse { uses: 2, amount_minor: 2_500, ..LimitedUse::default() },
        ..TokenRules::default()
    });
    let name = town.add(0, KeyKind::LimitedUse);
    // The older key's card, as a phone has it that was not told of the newer one.
    let old = std::fs::read(town.card_file(0, &name)).unwrap();
    let stale = |town: &mut Town, amount: u64, reason: &str| {
        let card = town.wallet(0).bare(&name).unwrap();
        let shop = Shop { amount: Amount::new(amount, CNY), ..Shop::default() };
        let outcome = town.tap_at(card, shop).unwrap();
        assert_eq!(outcome.verdict, Verdict::Declined, "{}", outcome.reason);
        assert!(outcome.reason.contains(reason), "{}", outcome.reason);
    };
    stale(&mut town, 2_501, "stale key: the amount is above what the limited-use key has left");
    for _ in 0..2 {
        assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline);
    }
    stale(&mut town, 100, "stale key: the limited-use key has no payment left");
    town.replenish(0);
    assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline);
    let new = std::fs::read(town.card_file(0, &name)).unwrap();
    std::fs::write(town.card_file(0, &name), &old).unwrap();
    // Its counter is an older one, too: that is told first, until it is past.
    let told = (0..8).map(|_| {
        let card = town.wallet(0).bare(&name).unwrap();
        town.tap_with(card).unwrap().reason
    });
    let told: Vec<String> = told.collect();
    assert!(
        told.iter().any(|reason| reason.contains("stale key: a newer limited-use key has been used")),
        "{told:?}"
    );
    std::fs::write(town.card_file(0, &name), &new).unwrap();
    town.context.elapse(Duration::from_secs(6 * 86_400));
    stale(&mut town, 100, "");
    town.assert_sound("after stale keys");
}

/// A copy needs the key of the phone that it is copied from; and where that was stolen,
/// too, the other phone's element shows another mark, and both count alone.
#[test]
fn a_card_copied_to_another_phone_pays_nowhere() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::SecureElement);
    let other = town.add(1, KeyKind::SecureElement);
    assert_eq!(town.active(), 2, "one token for each phone");
    let own = std::fs::read(town.card_file(1, &other)).unwrap();
    std::fs::copy(town.card_file(0, &name), town.card_file(1, &other)).unwrap();
    assert!(town.wallet(1).bare(&other).is_err(), "sealed under another phone's key");
    std::fs::write(town.card_file(1, &other), own).unwrap();

    let mark = {
        let card = town.wallet(1).bare(&other).unwrap();
        card.memory().value(tag::PRODUCT_IDENTIFICATION).unwrap().to_vec()
    };
    let stolen = std::fs::read(town.card_file(0, &name)).unwrap();
    let copy = town.wallet(0).bare(&name).unwrap();
    let outcome = town.tap_at(copy, Shop { mark: Some(mark), ..Shop::default() }).unwrap();
    assert!(outcome.reason.contains("wrong device"), "{}", outcome.reason);
    assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline);
    std::fs::write(town.card_file(0, &name), stolen).unwrap();
    let copy = town.wallet(0).bare(&name).unwrap();
    let outcome = town.tap_with(copy).unwrap();
    assert!(outcome.reason.contains("9F36"), "{}", outcome.reason);
    assert_eq!(town.account_minor(), ACCOUNT_MINOR - TAP.minor);
    let by = wallet_party();
    let mut wallet = town.wallet(0);
    life::change(&mut wallet, &mut town.service, Some(&name), TokenVerb::Remove, &by, &mut town.context)
        .unwrap();
    drop(wallet);
    town.assert_sound("after a copy");
}
