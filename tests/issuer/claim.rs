//! Claims: sales whose certificate was lost. The card's next proven balance pays or
//! refuses them, and nothing pays twice.

use super::kit::{ACCOUNT_MINOR, World};
use cardwright::air::host::{Answer, Host, Kind, MessageClass, Request, ResponseCode, Settlement};
use cardwright::words::dictionary::tag;

/// A card that was loaded with 80.00.
fn loaded() -> World {
    let mut world = World::new();
    let (load, answer) = world.load(8000);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    world
}

fn send(world: &mut World, request: &Request) -> Answer {
    world.issuer.authorise(request, &mut world.context).unwrap()
}

/// Merchants and shadows.
fn parts(world: &mut World) -> (i64, i64) {
    let books = world.books();
    (books.merchants_minor, books.shadows_minor)
}

/// The card asks its issuer for something, and shows its balance with it.
fn show_balance(world: &mut World) {
    let (load, _) = world.load(100);
    world.reverse(&load);
}

#[test]
fn the_next_proven_balance_pays_a_claim_once_or_refuses_it() {
    for paid in [true, false] {
        let mut world = loaded();
        let chip = if paid { world.card.pay(1250) } else { world.card.sign(1250, 0x90, 0x00) };
        let claim = world.claim_request(1250, chip);
        for _ in 0..2 {
            let answer = send(&mut world, &claim);
            assert_eq!((answer.code, answer.settlement), (ResponseCode::APPROVED, Some(Settlement::Open)));
        }
        assert_eq!(parts(&mut world), (0, 8000), "nobody is paid on a terminal's word");
        show_balance(&mut world);
        let (expected, merchant) = if paid { (Settlement::Landed, 1250) } else { (Settlement::Returned, 0) };
        for _ in 0..2 {
            assert_eq!(send(&mut world, &claim).settlement, Some(expected));
            assert_eq!(parts(&mut world), (merchant, 8000 - merchant));
            show_balance(&mut world);
        }
        world.assert_sound();
    }
}

#[test]
fn a_certificate_that_comes_later_is_the_same_sale() {
    for proven_before in [true, false] {
        let mut world = loaded();
        let chip = world.card.pay(1250);
        let claim = world.claim_request(1250, chip.clone());
        send(&mut world, &claim);
        if proven_before {
            show_balance(&mut world);
        }
        let answer = world.upload(1250, chip.clone());
        let reason = if proven_before { "the sale was booked before" } else { "the sale is booked" };
        assert_eq!(answer.reason, reason);
        assert_eq!(world.upload(1250, chip).reason, "the sale was booked before");
        assert_eq!(send(&mut world, &claim).settlement, Some(Settlement::Landed));
        show_balance(&mut world);
        assert_eq!((parts(&mut world), world.alarms()), ((1250, 6750), 0));
        world.assert_sound();
    }
}

#[test]
fn a_claim_of_what_has_a_certificate_books_nothing() {
    let mut world = loaded();
    let chip = world.card.pay(1250);
    world.upload(1250, chip.clone());
    let own = world.claim_request(1250, chip.clone());
    assert_eq!(send(&mut world, &own).settlement, Some(Settlement::Landed));
    let mut other = chip.clone();
    other.put(tag::AMOUNT_AUTHORISED, [0, 0, 0, 0, 0x13, 0x00]);
    let other = world.claim_request(1300, other);
    let answer = send(&mut world, &other);
    assert_eq!(answer.code, ResponseCode::INVALID_TRANSACTION, "{}", answer.reason);
    assert!(answer.reason.contains("something else"), "{}", answer.reason);
    // Nor did a load's counter pay.
    let mut of_load = chip;
    of_load.put(tag::ATC, [0, 1]);
    let of_load = world.claim_request(1250, of_load);
    assert_eq!(send(&mut world, &of_load).code, ResponseCode::INVALID_TRANSACTION);
    show_balance(&mut world);
    assert_eq!((parts(&mut world), world.alarms()), ((1250, 6750), 0));
    world.assert_sound();
}

#[test]
fn a_certificate_of_another_sale_refuses_the_claim_of_its_counter() {
    let mut world = loaded();
    let chip = world.card.pay(1250);
    let mut other = chip.clone();
    other.put(tag::AMOUNT_AUTHORISED, [0, 0, 0, 0, 0x13, 0x00]);
    let claim = world.claim_request(1300, other);
    assert_eq!(send(&mut world, &claim).settlement, Some(Settlement::Open));
    assert_eq!(world.upload(1250, chip).reason, "the sale is booked");
    assert_eq!(send(&mut world, &claim).settlement, Some(Settlement::Returned));
    assert_eq!(parts(&mut world), (1250, 6750));
    world.assert_sound();
}

#[test]
fn a_payment_that_is_not_uploaded_keeps_a_claim_open() {
    let mut world = loaded();
    let chip = world.card.pay(1250);
    let other = world.card.pay(700);
    let claim = world.claim_request(1250, chip);
    send(&mut world, &claim);
    show_balance(&mut world);
    assert_eq!(send(&mut world, &claim).settlement, Some(Settlement::Open), "the other may have been 19.50");
    world.upload(700, other);
    assert_eq!(send(&mut world, &claim).settlement, Some(Settlement::Landed));
    assert_eq!(parts(&mut world), (1950, 6050));
    world.assert_sound();
}

#[test]
fn a_load_and_a_claim_that_are_both_open_are_told_apart() {
    for (landed, paid) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut world = loaded();
        let (load, answer) = world.load(5000);
        if landed {
            world.card.take_script(&answer);
        }
        let chip = if paid { world.card.pay(1250) } else { world.card.sign(1250, 0x90, 0x00) };
        let claim = world.claim_request(1250, chip);
        assert_eq!(send(&mut world, &claim).settlement, Some(Settlement::Open));
        show_balance(&mut world);
        let of = |yes| Some(if yes { Settlement::Landed } else { Settlement::Returned });
        assert_eq!(world.notice(&load, 0x00).settlement, of(landed), "{landed} {paid}");
        assert_eq!(send(&mut world, &claim).settlement, of(paid), "{landed} {paid}");
        let (merchant, account) = (if paid { 1250 } else { 0 }, if landed { 13_000 } else { 8000 });
        assert_eq!(parts(&mut world), (merchant, account - merchant));
        assert_eq!(world.books().accounts_minor, ACCOUNT_MINOR - account);
        world.assert_sound();
    }
}

#[test]
fn a_claim_does_not_move_the_counter_that_the_issuer_has_seen() {
    let mut world = loaded();
    let mut chip = world.card.sign(100, 0x90, 0x00);
    chip.put(tag::ATC, [0xFF, 0xFF]);
    let claim = world.claim_request(100, chip);
    assert_eq!(send(&mut world, &claim).settlement, Some(Settlement::Open));
    assert!(world.load(100).1.code.is_approved());
    let mut notice = claim;
    notice.key.class = MessageClass::Notice;
    let answer = world.issuer.advise(&notice, &mut world.context).unwrap();
    assert_eq!((answer.code, notice.kind), (ResponseCode::INVALID_TRANSACTION, Kind::SaleClaim));
}
