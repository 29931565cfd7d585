//! What became of an open load, proven by the card's next ARQC at any terminal.

use super::kit::{ACCOUNT_MINOR, World};
use cardwright::air::host::{Entry, Host, Kind, ResponseCode, Settlement};

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
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::DO_NOT_HONOUR);
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

#[test]
fn a_purchase_shows_the_balance_too() {
    for lands in [true, false] {
        let mut world = World::new();
        let (lost, answer) = world.load(5000);
        if lands {
            world.card.take_script(&answer);
        }
        purchase(&mut world, Entry::Contact, 100);
        let expected = if lands { Settlement::Landed } else { Settlement::Returned };
        assert_eq!(settlement(&mut world, &lost), Some(expected));
        world.assert_sound();
    }
}

#[test]
fn a_quick_arqc_may_have_paid_so_it_only_proves_a_landing() {
    let mut world = World::new();
    let (lost, answer) = world.load(5000);
    world.card.take_script(&answer);
    // A prepaid card pays as it asks and tells what results: the old balance.
    world.card.balance_minor -= 5000;
    purchase(&mut world, Entry::ContactlessQuick, 5000);
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Open));
    // Nor does a load after it prove more.
    world.load(100);
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Open));
    world.assert_sound();

    let mut world = World::new();
    let (lost, answer) = world.load(5000);
    world.card.take_script(&answer);
    purchase(&mut world, Entry::ContactlessQuick, 100);
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Landed));
}

#[test]
fn a_purchase_between_may_have_been_approved_offline() {
    let mut world = World::new();
    // The balance of the purchase's ARQC has a wrong MAC, so that it ends no trail.
    let (lost, answer) = world.load(5000);
    world.card.take_script(&answer);
    let mut chip = world.card.sign(5000, 0xA0, 0x00);
    let tag = cardwright::words::dictionary::tag::ISSUER_APPLICATION_DATA;
    let mut iad = chip.value(tag).unwrap().to_vec();
    *iad.last_mut().unwrap() ^= 1;
    chip.put(tag, iad);
    let request = world.request(Kind::Purchase, 5000, chip);
    world.issuer.authorise(&request, &mut world.context).unwrap();
    // The answer was lost and the card paid offline from what it was loaded with.
    world.card.balance_minor -= 5000;
    world.load(100);
    assert_eq!(settlement(&mut world, &lost), Some(Settlement::Open));
}

fn purchase(world: &mut World, entry: Entry, amount_minor: u64) {
    let chip = world.card.sign(amount_minor, 0xA0, 0x00);
    let mut request = world.request(Kind::Purchase, amount_minor, chip);
    request.entry = entry;
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
}
