//! What became of an open load, proven by the card's next ARQC at any terminal.

use super::kit::{ACCOUNT_MINOR, World};
use cardwright::air::host::{ResponseCode, Settlement};

fn settlement(world: &mut World, of: &cardwright::air::host::Request) -> Option<Settlement> {
    world.notice(of, 0x00).settlement
}

#[test]
fn the_next_arqc_shows_the_new_total() {
    let mut world = World::new();
    let (lost, answer) = world.load(5000);
    world.card.take_script(&answer);
    let (_, answer) = world.load(1000);
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Landed));
    assert_eq!((world.books().shadows_minor, world.books().in_flight_minor), (5000, 1000));
    world.card.take_script(&answer);
    assert_eq!(world.card.balance_minor, 6000);
    world.assert_sound();
}

#[test]
fn the_next_arqc_shows_the_old_balance() {
    let mut world = World::new();
    let (lost, _) = world.load(5000);
    let (_, answer) = world.load(1000);
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Returned));
    assert_eq!(world.books().accounts_minor, ACCOUNT_MINOR - 1000);
    world.assert_sound();
}

#[test]
fn evidence_counts_though_the_request_that_brings_it_is_declined() {
    let mut world = World::new();
    let (lost, answer) = world.load(5000);
    world.card.take_script(&answer);
    world.pin = Some("000000");
    assert_eq!(world.load(1000).1.code, ResponseCode::WRONG_PIN);
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Landed));
    world.assert_sound();
}

#[test]
fn a_balance_without_its_mac_is_no_evidence() {
    let mut world = World::new();
    let (lost, answer) = world.load(5000);
    world.card.take_script(&answer);
    let mut request = world.load_request(1000);
    let tag = cardwright::words::dictionary::tag::ISSUER_APPLICATION_DATA;
    let mut iad = request.chip.value(tag).unwrap().to_vec();
    *iad.last_mut().unwrap() ^= 1;
    request.chip.put(tag, iad);
    let host: &mut dyn cardwright::air::host::Host = &mut world.issuer;
    assert_eq!(host.authorise(&request, &mut world.context).unwrap().code, ResponseCode::DO_NOT_HONOUR);
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Open));
    world.assert_sound();
}

#[test]
fn a_counter_that_nobody_knows_keeps_it_open_and_the_next_load_goes_on() {
    let mut world = World::new();
    let (lost, _) = world.load(5000);
    // Somebody read the card in full: an ATC is spent and never told.
    world.card.atc += 1;
    let (_, answer) = world.load(1000);
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Open));
    assert_eq!(world.books().in_flight_minor, 6000);
    world.card.take_script(&answer);
    assert_eq!(world.card.balance_minor, 1000);
    world.assert_sound();
}

#[test]
fn an_uploaded_payment_fills_the_gap_both_ways() {
    for landed in [true, false] {
        let mut world = World::new();
        // 20.00 on the card to begin with, so that it can pay whatever comes.
        let (first, answer) = world.load(2000);
        world.card.take_script(&answer);
        world.notice(&first, 0x20);
        let (lost, answer) = world.load(500);
        if landed {
            world.card.take_script(&answer);
        }
        let chip = world.card.pay(500);
        // 20.00 either way round: only the upload tells.
        world.load(100);
        assert_eq!(settlement(&mut world, &lost), Some(Settlement::Open));
        assert_eq!(world.upload(500, chip).code, ResponseCode::APPROVED);
        let expected = if landed { Settlement::Landed } else { Settlement::Returned };
        assert_eq!(settlement(&mut world, &lost), Some(expected));
        world.assert_sound();
    }
}

#[test]
fn a_payment_that_only_the_load_can_have_paid_lands_it() {
    let mut world = World::new();
    let (lost, answer) = world.load(5000);
    world.card.take_script(&answer);
    let chip = world.card.pay(1250);
    let answer = world.upload(1250, chip);
    assert_eq!((answer.code, answer.reason.as_str()), (ResponseCode::APPROVED, "the sale is booked"));
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Landed));
    assert_eq!((world.books().shadows_minor, world.books().merchants_minor), (3750, 1250));
    world.assert_sound();
}

#[test]
fn a_returned_load_that_turns_up_on_the_card_raises_the_alarm() {
    let mut world = World::new();
    let (request, answer) = world.load(5000);
    world.card.take_script(&answer);
    // A terminal that reverses what has landed breaks the rule; the next ARQC shows it.
    world.reverse(&request);
    assert_eq!(world.alarms(), 0);
    let (_, answer) = world.load(100);
    assert_eq!(answer.code, ResponseCode::RESTRICTED);
    world.card.check_arpc(&answer);
    assert_eq!(world.alarms(), 1);
    world.assert_sound();
}
