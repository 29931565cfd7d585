//! Requests that come late, as those of rides do: a counter is a replay where it was seen.

use super::kit::{ACCOUNT_MINOR, World};
use cardwright::air::host::{Host, Kind, Original, Request, ResponseCode};

const FARE: u64 = 200;

fn ride(world: &mut World, amount_minor: u64) -> Request {
    let chip = world.card.sign(amount_minor, 0xA0, 0x00);
    world.request(Kind::Purchase, amount_minor, chip)
}

fn ask(world: &mut World, request: &Request) -> ResponseCode {
    let answer = world.issuer.authorise(request, &mut world.context).unwrap();
    // Sent twice it acts once.
    assert_eq!(world.issuer.authorise(request, &mut world.context).unwrap(), answer);
    world.assert_sound();
    answer.code
}

/// The same request as another message, which may name an earlier one.
fn again(world: &mut World, request: &Request, original: Option<&Request>) -> Request {
    let mut again = world.request(request.kind, request.amount.minor, request.chip.clone());
    again.entry = request.entry;
    again.original = original.map(|of| Original { batch: of.key.batch, trace: of.key.trace });
    again
}

#[test]
fn rides_are_authorised_in_any_order_and_each_once() {
    let mut world = World::new();
    let rides: Vec<_> = (0..5).map(|_| ride(&mut world, FARE)).collect();
    for place in [4, 0, 2, 3, 1] {
        assert_eq!(ask(&mut world, &rides[place]), ResponseCode::APPROVED, "ride {place}");
    }
    assert_eq!(world.books().merchants_minor, 5 * FARE as i64);
    assert!(world.issuer.flags(&mut world.context).unwrap().is_empty(), "late ones fill their gaps");
    for (place, ride) in rides.iter().enumerate() {
        let replay = again(&mut world, ride, None);
        assert_eq!(ask(&mut world, &replay), ResponseCode::DO_NOT_HONOUR, "replay of ride {place}");
        let named = again(&mut world, ride, Some(ride));
        assert_eq!(ask(&mut world, &named), ResponseCode::DO_NOT_HONOUR, "it was paid");
    }
    assert_eq!(world.books().merchants_minor, 5 * FARE as i64);
}

#[test]
fn a_counter_that_an_offline_sale_or_a_load_has_used_is_seen() {
    let mut world = World::new();
    world.load(5_000);
    let chip = world.card.sign(100, 0x90, 0x00);
    let sold = world.upload(100, chip.clone());
    assert_eq!(sold.code, ResponseCode::APPROVED, "{}", sold.reason);
    let later = ride(&mut world, FARE);
    assert_eq!(ask(&mut world, &later), ResponseCode::APPROVED);
    // The sale's counter with the cryptogram of a request.
    let counter = world.card.atc;
    world.card.atc = counter - 2;
    let same = ride(&mut world, FARE);
    assert_eq!(ask(&mut world, &same), ResponseCode::DO_NOT_HONOUR);
    // A load is never late.
    world.card.atc = counter + 4;
    let far = ride(&mut world, FARE);
    assert_eq!(ask(&mut world, &far), ResponseCode::APPROVED);
    world.card.atc = counter + 1;
    let (_, answer) = world.load(100);
    assert_eq!(answer.code, ResponseCode::DO_NOT_HONOUR, "{}", answer.reason);
}

#[test]
fn what_was_declined_is_presented_again_and_paid_once() {
    let mut world = World::new();
    let fare = ACCOUNT_MINOR as u64 - 100;
    let (paid, declined) = (ride(&mut world, fare), ride(&mut world, FARE));
    assert_eq!(ask(&mut world, &paid), ResponseCode::APPROVED);
    assert_eq!(ask(&mut world, &declined), ResponseCode::INSUFFICIENT_FUNDS);
    let later = ride(&mut world, 50);
    assert_eq!(ask(&mut world, &later), ResponseCode::APPROVED);
    // Still short.
    let second = again(&mut world, &declined, Some(&declined));
    assert_eq!(ask(&mut world, &second), ResponseCode::INSUFFICIENT_FUNDS);
    // Nobody else may ask for it, nor for more, nor without naming it.
    let nameless = again(&mut world, &declined, None);
    assert_eq!(ask(&mut world, &nameless), ResponseCode::DO_NOT_HONOUR);
    let mut elsewhere = again(&mut world, &declined, Some(&declined));
    elsewhere.key.terminal = "T0000099".into();
    assert_eq!(ask(&mut world, &elsewhere), ResponseCode::DO_NOT_HONOUR);
    let other = again(&mut world, &declined, Some(&paid));
    assert_eq!(ask(&mut world, &other), ResponseCode::DO_NOT_HONOUR);
    // Money comes back.
    world.reverse(&paid);
    let third = again(&mut world, &declined, Some(&declined));
    assert_eq!(ask(&mut world, &third), ResponseCode::APPROVED);
    let fourth = again(&mut world, &declined, Some(&declined));
    assert_eq!(ask(&mut world, &fourth), ResponseCode::DO_NOT_HONOUR, "it is paid");
    assert_eq!(world.books().merchants_minor, (FARE + 50) as i64);
}

#[test]
fn a_hold_may_be_late_and_is_made_once() {
    let mut world = World::new();
    let (hold, pay) = (ride(&mut world, FARE), ride(&mut world, FARE));
    assert_eq!(ask(&mut world, &pay), ResponseCode::APPROVED);
    let hold = Request { kind: Kind::PreAuthorisation, ..hold };
    assert_eq!(ask(&mut world, &hold), ResponseCode::APPROVED);
    let replayed = again(&mut world, &hold, Some(&hold));
    assert_eq!(ask(&mut world, &replayed), ResponseCode::DO_NOT_HONOUR);
    let paid = Request { kind: Kind::Purchase, ..again(&mut world, &hold, Some(&hold)) };
    assert_eq!(ask(&mut world, &paid), ResponseCode::DO_NOT_HONOUR, "nor as a purchase");
    // What a step with it asks for is not late.
    let cancel = Request { kind: Kind::PreAuthorisationCancel, ..again(&mut world, &pay, Some(&hold)) };
    assert_eq!(ask(&mut world, &cancel), ResponseCode::DO_NOT_HONOUR);
}
