//! Tokens in the phone: added, torn, paid with, suspended, renewed, replaced, lost; and
//! what a break at any point leaves.

use super::kit::{ACCOUNT_MINOR, CNY};
use super::taps::{Outside, narrow};
use super::town::{Person, TAP, TornWire, Town, wallet_party};
use cardwright::air::host::{CodeCheck, KeyKind, Party, TokenService, TokenState, TokenVerb};
use cardwright::air::link::{FaultControl, FaultPlan, FaultPoint};
use cardwright::base::bytes::Secret;
use cardwright::base::env::Timestamp;
use cardwright::devices::wallet::{Added, CardState, DirectWire, Phone, Unlocked, WalletCard, life};
use cardwright::roles::terminal::Verdict;
use cardwright::roles::token::LimitedUse;
use cardwright::words::emv::Pan;
use cardwright::world::tear::CrashPlan;
use cardwright::world::{FormerCard, renew_card, replace_card};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

#[test]
fn a_card_becomes_a_token_that_pays_by_tap() {
    let mut town = Town::new();
    let mut person = town.person();
    let waits = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire).unwrap();
    assert_eq!(waits, Added::Waits { name: "card-1".into(), what: "the one-time code" });
    assert_eq!((town.active(), town.files(0)), (0, 0));
    let mut wrong = Person { code: Some(Secret::new("nonono".into())), ..town.person() };
    town.try_add(0, KeyKind::SecureElement, &mut wrong, &mut DirectWire).unwrap();
    assert_eq!(wrong.heard, [CodeCheck::Wrong { tries_left: 2 }]);
    let name = town.add(0, KeyKind::SecureElement);
    let token = town.wallet(0).token(Some(&name)).unwrap();
    assert_eq!((name.as_str(), token.last_four.as_str()), ("card-1", town.physical.pan.last_four()));

    let outcome = town.tap(0, &name);
    assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{}", outcome.reason);
    let shown = outcome.pan.unwrap();
    assert!(shown.is_token() && shown.last_four() == token.token_last_four);
    assert_eq!(outcome.funding_last_four.as_deref(), Some(town.physical.pan.last_four()));
    assert_eq!(town.account_minor(), ACCOUNT_MINOR - TAP.minor);
    town.assert_sound("after a tap");
}

#[test]
fn refused_means_that_nothing_is_left() {
    let mut town = Town::new();
    let refusals =
        [Person { accepts: false, ..town.person() }, Person { phone: "13900000002", ..town.person() }];
    for mut person in refusals {
        let added = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire).unwrap();
        assert!(matches!(added, Added::Refused { .. }), "{added:?}");
        assert!(town.wallet(0).cards().unwrap().is_empty());
    }
    town.physical.pan = Pan::with_check_digit("629999123456789").unwrap();
    let mut person = town.person();
    let added = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire).unwrap();
    assert!(matches!(&added, Added::Refused { reason } if reason.contains("no such card")), "{added:?}");
    assert_eq!((town.files(0), town.wallet(0).cards().unwrap().len()), (0, 0));
    town.assert_sound("after refusals");
}

/// Every exchange with the secure element, and every point of it.
#[test]
fn a_torn_personalisation_is_begun_anew_or_rolled_back() {
    for resumes in [true, false] {
        for exchange in 0.. {
            let mut happened = false;
            for point in FaultPoint::ALL {
                let mut town = Town::new();
                let (keys, what) = (KeyKind::SecureElement, format!("exchange {exchange}, {}", point.word()));
                let mut person = town.person();
                town.try_add(0, keys, &mut person, &mut DirectWire).unwrap();
                let hand = FaultControl::default();
                hand.arm(Some(FaultPlan { exchange, point: *point }));
                let mut person = town.person();
                let torn = town.try_add(0, keys, &mut person, &mut TornWire(hand.clone()));
                happened |= hand.is_away();
                assert_eq!(town.active(), usize::from(torn.is_ok()), "{what}");
                if resumes {
                    if torn.is_err() {
                        town.add(0, keys);
                    }
                    let cards = town.wallet(0).cards().unwrap();
                    assert_eq!((town.active(), cards.len(), town.files(0)), (1, 1, 1), "{what}");
                    let outcome = town.tap(0, "card-1");
                    assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{what}: {}", outcome.reason);
                } else {
                    town.change(0, "card-1", TokenVerb::Remove, &wallet_party()).unwrap();
                    let cards = town.wallet(0).cards().unwrap();
                    assert_eq!((town.active(), cards.len(), town.files(0)), (0, 0, 0), "{what}");
                }
                town.assert_sound(&what);
            }
            if !happened {
                assert!(exchange > 4, "only {exchange} exchanges");
                break;
            }
        }
    }
}

/// Every write of the phone's store at which its process can be stopped.
#[test]
fn a_phone_that_stops_while_it_adds_a_card_goes_on() {
    for committed in [false, true] {
        for write in 0.. {
            let mut town = Town::new();
            town.wallet(0);
            town.crash.arm(Some(CrashPlan { write, committed }));
            let mut person = town.person();
            let first = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire);
            let mut person = town.person();
            let second = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire);
            let what = format!("write {write}, {committed}");
            let done = matches!((&first, &second), (Ok(_), Ok(Added::Active(_))));
            // A phone that stopped after its last write had done all of it.
            if !town.wallet(0).cards().unwrap().iter().any(|card| card.state == CardState::Active) {
                town.add(0, KeyKind::SecureElement);
            }
            let cards = town.wallet(0).cards().unwrap();
            assert_eq!((town.active(), cards.len(), town.files(0)), (1, 1, 1), "{what}");
            town.assert_sound(&what);
            if done {
                assert!(write > 8, "only {write} writes");
                break;
            }
        }
    }
}

/// Every transaction of the vault at which the token service can be stopped: afterwards
/// another one goes on, or the card is removed and nothing is left.
#[test]
fn a_token_service_that_stops_while_a_card_is_added_leaves_nothing_half_done() {
    for (committed, resumes) in [(false, true), (true, true), (false, false), (true, false)] {
        for write in 0.. {
            let mut town = Town::new();
            town.service_crash.arm(Some(CrashPlan { write, committed }));
            for _ in 0..2 {
                let mut person = town.person();
                let _ = town.try_add(0, KeyKind::LimitedUse, &mut person, &mut DirectWire);
            }
            let stopped = town.service_crash.is_dead();
            town.restart_service();
            let what = format!("write {write}, committed {committed}, resumes {resumes}");
            town.assert_sound(&what);
            if resumes {
                if !town.wallet(0).cards().unwrap().iter().any(|card| card.state == CardState::Active) {
                    town.add(0, KeyKind::LimitedUse);
                }
                assert_eq!((town.active(), town.files(0)), (1, 1), "{what}");
                assert_eq!(town.tap(0, "card-1").verdict, Verdict::ApprovedOnline, "{what}");
            } else {
                if !town.wallet(0).cards().unwrap().is_empty() {
                    town.change(0, "card-1", TokenVerb::Remove, &wallet_party()).unwrap();
                }
                assert_eq!((town.active(), town.files(0)), (0, 0), "{what}");
            }
            let left = town.service.vault().sweep(Duration::ZERO, &mut town.context).unwrap();
            assert_eq!(left, 0, "{what}: provisionings without a phone");
            town.assert_sound(&what);
            if !stopped {
                assert!(write > 12, "only {write} writes");
                break;
            }
        }
    }
}

#[test]
fn the_life_of_a_token_from_both_ends() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::SecureElement);
    let by = wallet_party();
    for _ in 0..2 {
        town.change(0, &name, TokenVerb::Suspend, &by).unwrap();
        assert_eq!(town.wallet(0).token(None).unwrap().state, CardState::Suspended);
    }
    // Were it to answer, the service would decline it, and say why.
    let bare = town.wallet(0).bare(&name).unwrap();
    let outcome = town.tap_with(bare).unwrap();
    assert!(outcome.reason.contains("suspended by its holder"), "{}", outcome.reason);
    town.change(0, &name, TokenVerb::Resume, &by).unwrap();
    assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline);

    // What the issuer holds, the holder does not resume.
    town.change(0, &name, TokenVerb::Suspend, &Party::Issuer).unwrap();
    assert!(town.change(0, &name, TokenVerb::Resume, &by).is_err());
    town.change(0, &name, TokenVerb::Resume, &Party::Issuer).unwrap();

    let (par, digits) = {
        let token = town.wallet(0).token(Some(&name)).unwrap();
        (token.par, token.token_last_four)
    };
    let memory = replace_card(None, &mut town.issuer, &town.physical, &town.card, &mut town.context).unwrap();
    let mut wallet = town.wallet(0);
    let (service, context) = (&mut town.service, &mut town.context);
    life::card_changed(&mut wallet, service, &town.physical.pan, &Party::Issuer, &mut DirectWire, context)
        .unwrap();
    let token = wallet.token(Some(&name)).unwrap();
    assert_eq!((token.par, token.token_last_four), (par, digits));
    assert_eq!(token.last_four, memory.pan().unwrap().last_four());
    drop(wallet);
    let outcome = town.tap(0, &name);
    assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{}", outcome.reason);
    assert_eq!(outcome.funding_last_four.as_deref(), Some(memory.pan().unwrap().last_four()));
    assert_eq!(town.account_minor(), ACCOUNT_MINOR - 2 * TAP.minor);

    let mut wallet = town.wallet(0);
    life::lost_device(&mut wallet, &mut town.service, &by, &mut town.context).unwrap();
    assert_eq!(wallet.token(Some(&name)).unwrap().state, CardState::Suspended);
    drop(wallet);
    assert!(town.change(0, &name, TokenVerb::Resume, &by).is_err());
    town.change(0, &name, TokenVerb::Remove, &by).unwrap();
    assert_eq!((town.active(), town.files(0)), (0, 0));
    town.assert_sound("at the end");
}

#[test]
fn an_expired_token_is_declined_and_a_renewed_one_pays() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::SecureElement);
    town.context.elapse(Duration::from_secs(1140 * 86_400));
    let outcome = town.tap(0, &name);
    assert!(outcome.reason.contains("expired"), "{}", outcome.reason);
    let mut wallet = town.wallet(0);
    let before = wallet.token(Some(&name)).unwrap().expiry;
    let by = wallet_party();
    let renewed =
        life::renew(&mut wallet, &mut town.service, Some(&name), &by, &mut DirectWire, &mut town.context);
    assert!(renewed.unwrap().expiry > before);
    drop(wallet);
    let outcome = town.tap(0, &name);
    assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{}", outcome.reason);
}

#[test]
fn a_token_follows_an_expired_card_to_its_successor() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::SecureElement);
    let far = Duration::from_secs(3700 * 86_400);
    town.context.elapse(far);
    let (mut wallet, by) = (town.wallet(0), wallet_party());
    let (service, context) = (&mut town.service, &mut town.context);
    life::renew(&mut wallet, service, Some(&name), &by, &mut DirectWire, context).unwrap();
    drop(wallet);
    let outcome = town.tap(0, &name);
    assert!(outcome.reason.contains("expired"), "{}", outcome.reason);

    let memory = renew_card(None, &mut town.issuer, &town.physical, &town.card, &mut town.context).unwrap();
    assert_eq!((memory.pan().unwrap(), memory.psn()), (town.physical.pan.clone(), 2));
    let (mut wallet, pan) = (town.wallet(0), town.physical.pan.clone());
    let before = wallet.token(Some(&name)).unwrap();
    let (service, context) = (&mut town.service, &mut town.context);
    life::card_changed(&mut wallet, service, &pan, &Party::Issuer, &mut DirectWire, context).unwrap();
    let token = wallet.token(Some(&name)).unwrap();
    assert_eq!((token.par, token.token_last_four), (before.par, before.token_last_four));
    drop(wallet);
    let outcome = town.tap(0, &name);
    assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{}", outcome.reason);
    town.assert_sound("after the card's renewal");
}

#[test]
fn limited_use_keys_run_out_and_are_replenished() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::LimitedUse);
    let mut fetched = 0;
    for _ in 0..12 {
        let mut wallet = town.wallet(0);
        let service = &mut town.service;
        let context = &mut town.context;
        let card = Some(name.as_str());
        let due = life::replenish(&mut wallet, service, card, TAP.minor, false, &mut DirectWire, context);
        fetched += usize::from(due.unwrap().is_some());
        life::note_payment(&mut wallet, card, TAP.minor, context).unwrap();
        drop(wallet);
        let outcome = town.tap(0, &name);
        assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{}", outcome.reason);
    }
    assert_eq!((fetched, town.wallet(0).token(None).unwrap().key), (1, Some(2)));
    // Nobody replenishes: what the key has left is spent, and then it is stale.
    let stale = (0..11).map(|_| town.tap(0, &name)).find(|outcome| !outcome.verdict.is_success()).unwrap();
    assert!(stale.reason.contains("stale key"), "{}", stale.reason);
    let mut wallet = town.wallet(0);
    let context = &mut town.context;
    life::replenish(&mut wallet, &mut town.service, None, 0, false, &mut DirectWire, context).unwrap();
    drop(wallet);
    assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline);
    town.context.elapse(Duration::from_secs(6 * 86_400));
    assert!(town.tap(0, &name).reason.contains("too old"));
    town.assert_sound("after stale keys");
}

/// A replenishment that breaks at any exchange gives the same key when it is asked for
/// again.
#[test]
fn a_torn_replenishment_is_repeated() {
    for exchange in 0.. {
        let mut town = Town::new();
        let name = town.add(0, KeyKind::LimitedUse);
        let hand = FaultControl::default();
        hand.arm(Some(FaultPlan { exchange, point: FaultPoint::AnswerLost }));
        let mut wallet = town.wallet(0);
        let context = &mut town.context;
        let mut wire = TornWire(hand.clone());
        let first = life::replenish(&mut wallet, &mut town.service, None, 0, true, &mut wire, context);
        if first.is_err() {
            life::replenish(&mut wallet, &mut town.service, None, 0, true, &mut DirectWire, context).unwrap();
        }
        assert_eq!(wallet.token(None).unwrap().key, Some(2), "exchange {exchange}");
        drop(wallet);
        assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline, "exchange {exchange}");
        if first.is_ok() {
            assert!(exchange > 3, "only {exchange} exchanges");
            return;
        }
    }
}

#[test]
fn each_phone_has_a_token_of_its_own_and_a_newer_one_takes_its_place() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::SecureElement);
    let other = town.add(1, KeyKind::SecureElement);
    assert_eq!(town.active(), 2, "one token for each phone");
    assert_ne!(
        town.wallet(0).token(Some(&name)).unwrap().token_last_four,
        town.wallet(1).token(Some(&other)).unwrap().token_last_four
    );
    // The same card again on the same phone: the newer token takes the older one's place.
    let newer = town.add(0, KeyKind::SecureElement);
    let cards = town.wallet(0).cards().unwrap();
    assert_eq!((town.active(), cards.len(), town.files(0)), (2, 1, 1));
    assert_eq!(town.tap(0, &newer).verdict, Verdict::ApprovedOnline);
    town.assert_sound("two phones");
}

/// What people and faults do to a phone.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Add { phone: usize, limited: bool },
    TornAdd { phone: usize, exchange: usize, point: usize },
    Change { phone: usize, verb: usize, issuer: bool },
    Tap { phone: usize, outside: Option<usize> },
    Replenish { phone: usize },
    Renew { phone: usize },
    Wait { days: u64 },
    Replace { same_number: bool },
    Lose { phone: usize },
    Stop { phone: usize, write: usize, committed: bool },
    StopService { phone: usize, write: usize, committed: bool },
}

fn deed() -> impl Strategy<Value = Deed> {
    let phone = 0..2_usize;
    prop_oneof![
        3 => (phone.clone(), any::<bool>()).prop_map(|(phone, limited)| Deed::Add { phone, limited }),
        2 => (phone.clone(), 0..8_usize, 0..3_usize)
            .prop_map(|(phone, exchange, point)| Deed::TornAdd { phone, exchange, point }),
        3 => (phone.clone(), 0..3_usize, any::<bool>())
            .prop_map(|(phone, verb, issuer)| Deed::Change { phone, verb, issuer }),
        8 => (phone.clone(), prop::option::weighted(0.4, 0..Outside::ALL.len()))
            .prop_map(|(phone, outside)| Deed::Tap { phone, outside }),
        1 => phone.clone().prop_map(|phone| Deed::Replenish { phone }),
        1 => phone.clone().prop_map(|phone| Deed::Renew { phone }),
        // A key's age, and a token's.
        2 => prop::sample::select(vec![3, 1_140]).prop_map(|days| Deed::Wait { days }),
        1 => any::<bool>().prop_map(|same_number| Deed::Replace { same_number }),
        1 => phone.clone().prop_map(|phone| Deed::Lose { phone }),
        2 => (phone.clone(), 0..14_usize, any::<bool>())
            .prop_map(|(phone, write, committed)| Deed::Stop { phone, write, committed }),
        2 => (phone, 0..24_usize, any::<bool>())
            .prop_map(|(phone, write, committed)| Deed::StopService { phone, write, committed }),
    ]
}

/// What is known of the limited-use key that a phone's card has: when it was first seen,
/// and the payments that it has signed.
type Keys = BTreeMap<(usize, String, u32), (Timestamp, u32)>;

impl Town {
    fn first_card(&mut self, phone: usize) -> Option<String> {
        self.wallet(phone).cards().unwrap().first().map(|card| card.name.clone())
    }

    /// Taps with a phone's first card, whatever the phone itself would say, and looks
    /// whether the outcome is the one that the token's state, expiry, domain and key ask
    /// for.
    fn tap_and_judge(&mut self, phone: usize, outside: Option<Outside>, keys: &mut Keys, what: &str) {
        let cards = self.wallet(phone).cards().unwrap();
        let there = |card: &&WalletCard| matches!(card.state, CardState::Active | CardState::Suspended);
        let Some(card) = cards.iter().find(there) else { return };
        let token = self.wallet(phone).token(Some(&card.name)).unwrap();
        let Phone { device, unlocked, .. } = self.wallet(phone).phone().unwrap();
        // A lost phone is locked, and one that was not told yet keeps a card suspended.
        let answers = unlocked != Unlocked::No && card.state == CardState::Active;
        let views = self.service.tokens(&Party::Issuer, &mut self.context).unwrap();
        let view = views.iter().find(|view| {
            (&view.device, &view.token_last_four) == (&device, &token.token_last_four)
                && view.state != TokenState::Terminated
        });
        let key = token.key.map(|number| (phone, token.token_last_four.clone(), number));
        let now = self.context.now();
        let known = key.clone().map(|key| *keys.entry(key).or_insert((now, 0)));
        let mut reasons = vec![match view.map(|view| view.state) {
            Some(TokenState::Active) => None,
            Some(TokenState::Requested) => Some("the token is not activated"),
            Some(TokenState::Suspended) => Some("the token is suspended by its holder"),
            Some(TokenState::Held) => Some("the token is suspended by its issuer"),
            Some(TokenState::Terminated) | None => Some("the token is terminated"),
        }];
        let expired = view.is_some_and(|view| now.date_number() > view.expiry);
        reasons.push(expired.then_some("the token has expired"));
        reasons.push(outside.map(Outside::reason));
        if let Some((since, uses)) = known {
            let age = Duration::from_micros(u64::try_from(now.micros() - since.micros()).unwrap());
            reasons.push(
                (age >= LimitedUse::default().age).then_some("stale key: the limited-use key is too old"),
            );
            reasons.push((uses >= 2).then_some("stale key: the limited-use key has no payment left"));
        }
        let expected = reasons.into_iter().flatten().next();
        let card = match expected {
            Some(_) => self.wallet(phone).bare(&card.name).unwrap(),
            None => self.wallet(phone).simulator(Some(&card.name)).unwrap(),
        };
        let outcome = self.tap_at(card, outside.map(Outside::shop).unwrap_or_default()).unwrap();
        match expected {
            Some(reason) => {
                assert!(
                    outcome.reason.contains(reason),
                    "{what}: expected {reason}, found {}",
                    outcome.reason
                );
                assert_eq!(outcome.verdict, Verdict::Declined, "{what}");
            }
            None if !answers => {
                assert_eq!(outcome.verdict, Verdict::EndApplication, "{what}: {}", outcome.reason);
            }
            None => {
                assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{what}: {}", outcome.reason);
                key.into_iter().for_each(|key| keys.entry(key).or_insert((now, 0)).1 += 1);
            }
        }
    }

    /// Does a deed; a refusal is none of the test's business, and a break is its point.
    fn do_deed(&mut self, deed: Deed, keys: &mut Keys, what: &str) {
        let by = |issuer| if issuer { Party::Issuer } else { wallet_party() };
        match deed {
            Deed::Add { phone, limited } => {
                let keys = if limited { KeyKind::LimitedUse } else { KeyKind::SecureElement };
                for _ in 0..2 {
                    let mut person = self.person();
                    let _ = self.try_add(phone, keys, &mut person, &mut DirectWire);
                }
            }
            Deed::TornAdd { phone, exchange, point } => {
                let hand = FaultControl::default();
                hand.arm(Some(FaultPlan { exchange, point: FaultPoint::ALL[point] }));
                for _ in 0..2 {
                    let mut person = self.person();
                    let wire = &mut TornWire(hand.clone());
                    let _ = self.try_add(phone, KeyKind::SecureElement, &mut person, wire);
                }
            }
            Deed::Change { phone, verb, issuer } => {
                let verb = [TokenVerb::Suspend, TokenVerb::Resume, TokenVerb::Remove][verb];
                if let Some(name) = self.first_card(phone) {
                    let _ = self.change(phone, &name, verb, &by(issuer));
                }
            }
            Deed::Tap { phone, outside } => {
                self.tap_and_judge(phone, outside.map(|number| Outside::ALL[number]), keys, what);
            }
            Deed::Replenish { phone } => {
                let (mut wallet, context) = (self.wallet(phone), &mut self.context);
                let _ =
                    life::replenish(&mut wallet, &mut self.service, None, 0, true, &mut DirectWire, context);
            }
            Deed::Renew { phone } => {
                let (mut wallet, context, by) = (self.wallet(phone), &mut self.context, wallet_party());
                let _ = life::renew(&mut wallet, &mut self.service, None, &by, &mut DirectWire, context);
            }
            Deed::Wait { days } => self.context.elapse(Duration::from_secs(days * 86_400)),
            Deed::Replace { same_number } => {
                let make = if same_number { renew_card } else { replace_card };
                let context = &mut self.context;
                // A number is kept only so often.
                if let Ok(memory) = make(None, &mut self.issuer, &self.physical, &self.card, context) {
                    let old = std::mem::replace(&mut self.physical, FormerCard::of(&memory).unwrap());
                    let _ = self.service.card_changed(&old.pan, &Party::Issuer, &mut self.context);
                }
            }
            Deed::Lose { phone } => {
                let mut wallet = self.wallet(phone);
                let by = wallet_party();
                let _ = life::lost_device(&mut wallet, &mut self.service, &by, &mut self.context);
            }
            Deed::Stop { phone, write, committed } => {
                self.crash.arm(Some(CrashPlan { write, committed }));
                for _ in 0..2 {
                    let mut person = self.person();
                    let _ = self.try_add(phone, KeyKind::SecureElement, &mut person, &mut DirectWire);
                }
                self.crash.arm(None);
            }
            Deed::StopService { phone, write, committed } => {
                self.service_crash.arm(Some(CrashPlan { write, committed }));
                for _ in 0..2 {
                    let mut person = self.person();
                    let _ = self.try_add(phone, KeyKind::LimitedUse, &mut person, &mut DirectWire);
                }
                self.restart_service();
            }
        }
    }

    /// What holds at any time.
    fn assert_always(&mut self, paid: u64, what: &str) {
        self.assert_sound(what);
        assert_eq!(self.account_minor(), ACCOUNT_MINOR - paid, "{what}");
        let views = self.service.tokens(&Party::Issuer, &mut self.context).unwrap();
        for phone in 0..self.phones.len() {
            let mut wallet = self.wallet(phone);
            let device = wallet.phone().unwrap().device;
            let active = |view: &&cardwright::air::host::TokenView| {
                view.device == device && view.state == TokenState::Active
            };
            assert!(views.iter().filter(active).count() <= 1, "{what}: two active tokens on one device");
            for card in wallet.cards().unwrap() {
                assert!(card.state != CardState::Removing, "{what}: half removed");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_one_token_a_device_pays_and_only_where_it_may(deeds in prop::collection::vec(deed(), 1..12)) {
        let (mut town, mut keys) = (Town::ruled(narrow()), Keys::new());
        for (at, deed) in deeds.iter().enumerate() {
            let what = format!("deed {at} of {deeds:?}");
            town.do_deed(*deed, &mut keys, &what);
            let paid = town.issuer.books(&mut town.context).unwrap().of(CNY).merchants_minor as u64;
            town.assert_always(paid, &what);
        }
    }
}
