//! What two phones come to: online, offline, torn at every unit, misled, and replayed to.

use super::kit::{CNY, OFFLINE, Plan, Town};
use cardwright::roles::p2p::transfer::{Task, TouchEnd, TransferState, Way};
use cardwright::words::iso4217::Amount;
use cardwright::words::transfer::Refusal;
use cardwright::world::transfer::Met;

fn done(met: &Met) -> bool {
    matches!(met.end, Some(TouchEnd::Done { is_former: false, .. }))
}

fn refused(met: &Met) -> Refusal {
    match met.end {
        Some(TouchEnd::Refused { why, .. }) => why,
        _ => panic!("{met:?}"),
    }
}

#[test]
fn whoever_asks_the_host_both_know_at_once() {
    for asks in [[true, false], [false, true], [true, true]] {
        let mut town = Town::new();
        let met = town.touch(Plan { asks, ..OFFLINE });
        assert!(met.iter().all(done), "{met:?}");
        let id = met[0].transfer.unwrap();
        for phone in [0, 1] {
            assert_eq!(town.transfer(phone, id).state, TransferState::Booked, "{asks:?}");
        }
        assert_eq!((town.minor("Alice"), town.minor("Bob")), (8_000, 12_000));
        town.settle_all();
        assert_eq!((town.minor("Alice"), town.booked().len()), (8_000, 1));
        town.assert_over();
    }
}

#[test]
fn offline_both_keep_it_and_either_tells_the_host() {
    for order in [[0, 1], [1, 0]] {
        let mut town = Town::new();
        let met = town.touch(OFFLINE);
        assert!(met.iter().all(done), "{met:?}");
        let id = met[0].transfer.unwrap();
        assert_eq!(town.transfer(0, id).state, TransferState::Acknowledged);
        assert_eq!(town.transfer(1, id).state, TransferState::Kept);
        assert_eq!(town.minor("Alice"), 10_000);
        for phone in order {
            let settled = town.settle(phone);
            assert_eq!((settled.len(), settled[0].transfer.state), (1, TransferState::Booked));
        }
        assert_eq!((town.minor("Alice"), town.minor("Bob")), (8_000, 12_000));
        town.settle_all();
        town.assert_over();
    }
}

#[test]
fn a_touch_torn_at_any_unit_pays_once_when_it_is_tried_again() {
    let mut number = 0;
    let mut units = usize::MAX;
    while number < units {
        let mut town = Town::new();
        let mut seen = 0;
        let torn = town.touch_over(OFFLINE, &mut |unit, bytes| {
            seen = unit;
            (unit != number).then_some(bytes)
        });
        if seen < number {
            units = seen;
        }
        // A phone that was switched off in between knows what it has written.
        town.restart(0);
        town.restart(1);
        let paid = torn[0].end.is_some();
        if !paid {
            let again = town.touch(OFFLINE);
            assert!(matches!(again[0].end, Some(TouchEnd::Done { .. })), "unit {number}: {again:?}");
            assert!(matches!(again[1].end, Some(TouchEnd::Done { .. })), "unit {number}: {again:?}");
        }
        town.settle_all();
        assert_eq!((town.minor("Alice"), town.minor("Bob")), (8_000, 12_000), "unit {number}: {torn:?}");
        assert_eq!(town.booked().len(), 1, "unit {number}");
        town.assert_over();
        number += 3;
    }
    assert!(number > 30, "{number} units are no touch");
}

#[test]
fn a_promise_that_was_not_acknowledged_comes_first() {
    // The agreement arrives, and its receipt does not.
    let (mut town, torn) = (3..12)
        .map(|units| {
            let mut town = Town::new();
            let torn = town.touch_torn(OFFLINE, units);
            (town, torn)
        })
        .find(|(_, torn)| torn[1].end.is_some())
        .unwrap();
    assert!(torn[0].end.is_none(), "{torn:?}");
    let id = torn[0].transfer.unwrap();
    assert_eq!(town.transfer(0, id).state, TransferState::Agreed);
    // Another amount this time: the former one is finished all the same, and alone.
    let again = town.touch(Plan { minor: 500, ..OFFLINE });
    assert_eq!(again[0].end, Some(TouchEnd::Done { id, is_former: true }), "{again:?}");
    assert_eq!(town.transfer(0, id).state, TransferState::Acknowledged);
    let third = town.touch(Plan { minor: 500, ..OFFLINE });
    assert!(third.iter().all(done), "{third:?}");
    town.settle_all();
    assert_eq!((town.minor("Alice"), town.booked().len()), (7_500, 2));
    town.assert_over();
}

#[test]
fn both_told_the_same_is_told_and_nothing_moves() {
    for (way, told) in [(Way::Pays, Refusal::PAYS_TOO), (Way::Receives, Refusal::RECEIVES_TOO)] {
        let mut town = Town::new();
        let task = Task { way, amount: Some(Amount::new(100, CNY)), asks_host: true };
        let met = town.touch_as([0, 1], [task, task], true, &mut |_, unit| Some(unit));
        assert_eq!(met[0].end, Some(TouchEnd::Refused { why: told, by_other: true }), "{met:?}");
        assert!(town.phones.iter_mut().all(|phone| phone.transfers().unwrap().is_empty()));
    }
}

#[test]
fn what_a_holder_does_not_want_does_not_move() {
    let mut town = Town::new();
    let task = |way, minor| Task { way, amount: Some(Amount::new(minor, CNY)), asks_host: true };
    let tasks = [task(Way::Pays, 100), task(Way::Receives, 100)];
    let declined = town.touch_as([0, 1], tasks, false, &mut |_, unit| Some(unit));
    assert_eq!(declined.each_ref().map(refused), [Refusal::DECLINED; 2]);
    let tasks = [task(Way::Pays, 100), task(Way::Receives, 101)];
    let other = town.touch_as([0, 1], tasks, true, &mut |_, unit| Some(unit));
    assert_eq!(other.each_ref().map(refused), [Refusal::OTHER_AMOUNT; 2]);
    // The payer names the amount where the payee has none.
    let open = Task { amount: None, ..task(Way::Receives, 1) };
    let paid = town.touch_as([0, 1], [task(Way::Pays, 100), open], true, &mut |_, unit| Some(unit));
    assert!(paid.iter().all(done), "{paid:?}");
    town.settle_all();
    assert_eq!(town.minor("Alice"), 9_900);
    town.assert_over();
}

#[test]
fn no_more_is_promised_offline_than_the_host_allows() {
    let mut town = Town::new();
    // 1000.00 may be promised, whatever the account holds.
    for minor in [60_000, 40_000] {
        assert!(town.touch(Plan { minor, ..OFFLINE }).iter().all(done));
    }
    let met = town.touch(Plan { minor: 1, ..OFFLINE });
    assert_eq!(met.each_ref().map(refused), [Refusal::OFFLINE_LIMIT; 2]);
    // The account has 100.00: both are refused for good, and both phones come to know.
    town.settle_all();
    assert_eq!((town.minor("Alice"), town.booked().len()), (10_000, 0));
    town.assert_over();
    assert!(town.touch(Plan { minor: 1, ..OFFLINE }).iter().all(done));
}

#[test]
fn phones_of_different_hosts_do_not_deal() {
    let (mut town, mut other) = (Town::new(), Town::new());
    // The other town is another host: its key is drawn after another account was opened.
    let mut elsewhere = Town::of_another_host(&mut other);
    std::mem::swap(&mut town.phones[2], &mut elsewhere);
    let met = town.touch(Plan { payee: 2, ..OFFLINE });
    assert_eq!(met.each_ref().map(refused), [Refusal::OTHER_HOST; 2]);
    let met = town.touch(Plan { payer: 2, payee: 0, ..OFFLINE });
    assert_eq!(met.each_ref().map(refused), [Refusal::OTHER_HOST; 2]);
    assert_eq!(town.booked(), []);
}

#[test]
fn an_offer_that_has_run_out_is_not_agreed_to() {
    let mut town = Town::new();
    let mut context = cardwright::base::context::Context::simulated(9, cardwright::base::event::Discard);
    std::mem::swap(&mut town.context, &mut context);
    // The payee's offer is caught, and played to the payer much later.
    let mut units = Vec::new();
    town.touch_over(OFFLINE, &mut |_, bytes| {
        units.push(bytes.clone());
        Some(bytes)
    });
    let id = town.phones[0].transfers().unwrap()[0].id;
    town.settle_all();
    assert_eq!((town.minor("Alice"), town.transfer(0, id).state), (8_000, TransferState::Booked));
    let mut number = 0;
    // Units of before are played to a payer who wants to pay again: what was agreed to then
    // is all that it says.
    let replayed = town.touch_over(OFFLINE, &mut |_, bytes| {
        let unit = if number % 2 == 1 { units.get(number).cloned() } else { Some(bytes) };
        number += 1;
        unit
    });
    assert!(!done(&replayed[0]) || replayed[0].transfer == Some(id), "{replayed:?}");
    town.settle_all();
    assert_eq!(town.minor("Alice"), 8_000);
    town.assert_over();
}
