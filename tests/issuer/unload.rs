//! Unloads and voids at the issuer: what is proven, what is not, and what each
//! message may do.

use super::kit::{ACCOUNT_MINOR, World};
use cardwright::air::host::{Answer, Host, Kind, Original, Request, ResponseCode, Settlement};
use cardwright::words::dictionary::tag;
use cardwright::words::tlv::TlvStore;

/// A card that was loaded with 80.00, and the answer to its unload of 50.00.
fn unloading() -> (World, Request, Answer) {
    let mut world = World::new();
    let (load, answer) = world.load(8000);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    let chip = world.card.sign(5000, 0xA0, 0x61);
    let request = world.request(Kind::UnloadScript, 5000, chip);
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 8000, 5000, 3000));
    (world, request, answer)
}

/// Accounts, in flight, shadows.
fn parts(world: &mut World) -> (i64, i64, i64) {
    let books = world.books();
    (books.accounts_minor, books.in_flight_minor, books.shadows_minor)
}

fn confirmation(world: &mut World, of: &Request, result: u8) -> Request {
    let mut chip = TlvStore::new();
    chip.put(tag::ISSUER_SCRIPT_RESULTS, [result, 0, 0, 0, 1]);
    let mut request = world.request(Kind::Unload, of.amount.minor, chip);
    request.original = Some(Original { batch: of.key.batch, trace: of.key.trace });
    request
}

fn confirm(world: &mut World, of: &Request, result: u8) -> Answer {
    let request = confirmation(world, of, result);
    world.issuer.authorise(&request, &mut world.context).unwrap()
}

#[test]
fn the_account_is_credited_by_the_confirmation_and_once() {
    let (mut world, request, answer) = unloading();
    world.card.take_script(&answer);
    for result in [0x10, 0x00] {
        assert_eq!(confirm(&mut world, &request, result).code, ResponseCode::INVALID_TRANSACTION);
    }
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 8000, 5000, 3000));
    // Told again under another trace, as after a crash, and again under the same.
    for _ in 0..2 {
        let confirmation = confirmation(&mut world, &request, 0x20);
        for _ in 0..2 {
            let answer = world.issuer.authorise(&confirmation, &mut world.context).unwrap();
            assert_eq!((answer.code, answer.settlement), (ResponseCode::APPROVED, Some(Settlement::Landed)));
            assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 3000, 0, 3000));
        }
    }
    // A reversal comes too late.
    assert_eq!(world.reverse(&request).settlement, Some(Settlement::Landed));
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 3000, 0, 3000));
    world.assert_sound();
}

#[test]
fn what_was_never_sent_is_reversed_and_credits_nobody() {
    let (mut world, request, _) = unloading();
    assert_eq!(world.reverse(&request).settlement, Some(Settlement::Returned));
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 8000, 0, 8000));
    let answer = confirm(&mut world, &request, 0x20);
    assert_eq!(
        (answer.code, answer.settlement),
        (ResponseCode::INVALID_TRANSACTION, Some(Settlement::Returned))
    );
    assert_eq!((parts(&mut world), world.alarms()), ((ACCOUNT_MINOR - 8000, 0, 8000), 1));
    world.assert_sound();
}

#[test]
fn the_next_arqc_proves_it_either_way() {
    for taken in [true, false] {
        let (mut world, request, answer) = unloading();
        if taken {
            world.card.take_script(&answer);
        }
        let (load, _) = world.load(100);
        let expected = if taken { Settlement::Landed } else { Settlement::Returned };
        assert_eq!(world.notice(&request, 0x00).settlement, Some(expected));
        let (account, shadow) = if taken { (-3000, 3000) } else { (-8000, 8000) };
        assert_eq!(parts(&mut world), (ACCOUNT_MINOR + account - 100, 100, shadow));
        world.reverse(&load);
        world.assert_sound();
    }
}

#[test]
fn a_payment_above_what_the_unload_left_proves_that_it_was_not_taken() {
    let (mut world, request, _) = unloading();
    let chip = world.card.pay(3001);
    let answer = world.upload(3001, chip);
    assert_eq!(answer.reason, "the sale is booked");
    assert_eq!(world.notice(&request, 0x00).settlement, Some(Settlement::Returned));
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 8000, 0, 4999));
    world.assert_sound();
}

#[test]
fn a_payment_that_either_allows_keeps_it_in_flight() {
    let (mut world, request, _) = unloading();
    let chip = world.card.pay(3000);
    assert_eq!(world.upload(3000, chip).reason, "the sale is booked");
    assert_eq!(world.notice(&request, 0x00).settlement, Some(Settlement::Open));
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 8000, 5000, 0));
    world.assert_sound();
    // The card shows it in the end: it still holds the 50.00.
    let (load, _) = world.load(100);
    world.reverse(&load);
    assert_eq!(world.notice(&request, 0x00).settlement, Some(Settlement::Returned));
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 8000, 0, 5000));
    world.assert_sound();
}

#[test]
fn a_card_signs_what_kind_of_transaction_it_is() {
    let mut world = World::new();
    for (kind, other) in [(Kind::CashLoad, 0x60), (Kind::UnloadScript, 0x60), (Kind::LinkedLoad, 0x63)] {
        let chip = world.card.sign(100, 0xA0, other);
        let mut request = world.request(kind, 100, chip);
        request.pin = world.pin.map(|pin| pin.to_owned().into());
        let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
        assert_eq!(answer.code, ResponseCode::INVALID_TRANSACTION);
        assert!(answer.reason.contains("9C"), "{}", answer.reason);
    }
    world.assert_sound();
}

#[test]
fn a_void_that_returned_may_be_tried_again_and_one_that_is_open_not() {
    let mut world = World::new();
    let chip = world.card.sign(4000, 0xA0, 0x63);
    let load = world.request(Kind::CashLoad, 4000, chip);
    let answer = world.issuer.authorise(&load, &mut world.context).unwrap();
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    assert_eq!((world.books().cash_minor, world.books().shadows_minor), (-4000, 4000));

    let (first, answer) = void(&mut world, &load);
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
    world.reverse(&first);
    assert_eq!((world.books().cash_minor, world.books().shadows_minor), (-4000, 4000));
    let (second, answer) = void(&mut world, &load);
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
    world.card.take_script(&answer);
    // Its balance proves that the card fell: the cash may be given back.
    let (_, third) = void(&mut world, &load);
    assert_ne!(third.code, ResponseCode::APPROVED);
    assert_eq!(world.notice(&second, 0x20).settlement, Some(Settlement::Landed));
    assert_eq!((world.books().cash_minor, world.books().shadows_minor), (0, 0));
    world.assert_sound();

    // A load that its own void proves not to be on the card cannot be voided.
    let chip = world.card.sign(4000, 0xA0, 0x63);
    let load = world.request(Kind::CashLoad, 4000, chip);
    world.issuer.authorise(&load, &mut world.context).unwrap();
    assert_eq!(void(&mut world, &load).1.code, ResponseCode::NO_ORIGINAL);
    world.assert_sound();
}

fn void(world: &mut World, load: &Request) -> (Request, Answer) {
    let chip = world.card.sign(load.amount.minor, 0xA0, 0x17);
    let mut request = world.request(Kind::CashLoadVoid, load.amount.minor, chip);
    request.original = Some(Original { batch: load.key.batch, trace: load.key.trace });
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    (request, answer)
}
