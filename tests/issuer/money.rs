//! What is approved, what is declined and by which rule; offline sales.

use super::kit::{ACCOUNT_MINOR, HKD, LIMIT_MINOR, World};
use cardwright::air::host::{Host, Kind, Request, ResponseCode};
use cardwright::words::dictionary::tag;

/// A load that somebody has changed on the way: nothing moves.
fn declined(change: impl FnOnce(&mut Request)) -> (ResponseCode, bool) {
    let mut world = World::new();
    let mut request = world.load_request(5000);
    change(&mut request);
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(world.books().accounts_minor, ACCOUNT_MINOR, "{}", answer.reason);
    world.assert_sound();
    (answer.code, answer.chip.has(tag::ISSUER_AUTHENTICATION_DATA))
}

fn flip_last(request: &mut Request, tag: cardwright::words::tlv::Tag) {
    let mut value = request.chip.value(tag).unwrap().to_vec();
    *value.last_mut().unwrap() ^= 1;
    request.chip.put(tag, value);
}

#[test]
fn what_the_card_did_not_sign_is_declined() {
    let honour = |arpc| (ResponseCode::DO_NOT_HONOUR, arpc);
    assert_eq!(declined(|r| flip_last(r, tag::APPLICATION_CRYPTOGRAM)), honour(false));
    assert_eq!(declined(|r| flip_last(r, tag::UNPREDICTABLE_NUMBER)), honour(false));
    assert_eq!(declined(|r| flip_last(r, tag::ATC)), honour(false));
    assert_eq!(declined(|r| flip_last(r, tag::ISSUER_APPLICATION_DATA)), honour(true), "IDD MAC");
    assert_eq!(declined(|r| r.amount.minor = 4000), (ResponseCode::FORMAT_ERROR, false));
    assert_eq!(declined(|r| r.amount.currency = HKD), (ResponseCode::FORMAT_ERROR, false));
    assert_eq!(declined(|r| r.amount.minor = 0), (ResponseCode::INVALID_AMOUNT, false));
    assert_eq!(declined(|r| r.amount.minor = u64::MAX), (ResponseCode::INVALID_AMOUNT, false));
    assert_eq!(
        declined(|r| r.pan = "6299990000000018".to_owned().into()),
        (ResponseCode::NO_SUCH_CARD, false)
    );
    assert_eq!(declined(|r| r.psn = 1), (ResponseCode::NO_SUCH_CARD, false));
    for tag in [tag::ISSUER_APPLICATION_DATA, tag::ATC, tag::APPLICATION_CRYPTOGRAM, tag::AIP] {
        let code = declined(|r| drop(r.chip.remove(tag)));
        assert_eq!(code, (ResponseCode::FORMAT_ERROR, false), "{tag}");
    }
    let iad = tag::ISSUER_APPLICATION_DATA;
    for length in 0..8 {
        let (code, _) =
            declined(|r| drop(r.chip.put(iad, vec![7, 1, 1, 3, 0xA0, 0, 0, 1][..length].to_vec())));
        assert!(!code.is_approved(), "{length}");
    }
}

#[test]
fn a_counter_is_taken_once() {
    let mut world = World::new();
    let mut request = world.load(5000).0;
    request.key.trace = 900;
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::DO_NOT_HONOUR);
    assert_eq!(world.books().in_flight_minor, 5000);
}

#[test]
fn the_account_and_the_limits_bound_a_load() {
    let mut world = World::new();
    let (_, answer) = world.load(ACCOUNT_MINOR as u64 + 1);
    assert_eq!(answer.code, ResponseCode::INSUFFICIENT_FUNDS);
    world.card.check_arpc(&answer);
    assert_eq!(world.load(LIMIT_MINOR + 1).1.code, ResponseCode::LIMIT_EXCEEDED);
    assert_eq!(world.load(ACCOUNT_MINOR as u64).1.code, ResponseCode::APPROVED);
    assert_eq!(world.load(1).1.code, ResponseCode::APPROVED, "the first one never landed");
    world.assert_sound();
}

#[test]
fn the_pin_is_asked_and_a_wrong_one_costs_a_try() {
    let mut world = World::new();
    world.pin = None;
    assert_eq!(world.load(100).1.code, ResponseCode::WRONG_PIN);
    for (pin, code) in [
        ("000000", ResponseCode::WRONG_PIN),
        ("123456", ResponseCode::APPROVED),
        ("1234567", ResponseCode::WRONG_PIN),
        ("", ResponseCode::WRONG_PIN),
        ("000000", ResponseCode::PIN_TRIES_EXCEEDED),
        ("123456", ResponseCode::PIN_TRIES_EXCEEDED),
    ] {
        world.pin = Some(pin);
        assert_eq!(world.load(100).1.code, code, "{pin}");
    }
    world.assert_sound();
}

#[test]
fn an_expired_card_is_declined() {
    let mut world = World::new();
    world.context.elapse(std::time::Duration::from_secs(5 * 366 * 86_400));
    let (_, answer) = world.load(100);
    assert_eq!(answer.code, ResponseCode::EXPIRED);
    world.card.check_arpc(&answer);
}

#[test]
fn the_second_currency_has_its_own_account_and_balance() {
    let mut world = World::new();
    world.card.currency = HKD;
    let (request, answer) = world.load(5000);
    world.card.take_script(&answer);
    world.notice(&request, 0x20);
    assert_eq!(world.books().shadows_minor, 5000);
    world.assert_sound();
    world.card.currency = cardwright::words::iso4217::Currency::CNY;
    assert_eq!(world.books().shadows_minor, 0);
    world.card.currency = cardwright::words::iso4217::Currency::EUR;
    assert_eq!(world.load(100).1.code, ResponseCode::INVALID_TRANSACTION);
}

#[test]
fn every_pboc_version_loads() {
    for version in ["PBOC CVN 01", "PBOC CVN 17", "PBOC CVN 01 SM4", "UICS CVN 01 EMV"] {
        let mut world = World::with(version);
        let (_, answer) = world.load(5000);
        assert_eq!(answer.code, ResponseCode::APPROVED, "{version}: {}", answer.reason);
        world.card.take_script(&answer);
        assert_eq!(world.card.balance_minor, 5000, "{version}");
    }
}

#[test]
fn a_purchase_moves_money_to_the_merchant_and_back_by_reversal() {
    for version in ["PBOC CVN 01", "VIS CVN 10", "VIS CVN 18"] {
        purchase_and_back(World::with(version));
    }
}

fn purchase_and_back(mut world: World) {
    let chip = world.card.sign(1250, 0xA0, 0x00);
    let request = world.request(Kind::Purchase, 1250, chip);
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
    world.card.check_arpc(&answer);
    assert_eq!(world.books().merchants_minor, 1250);
    world.assert_sound();
    world.reverse(&request);
    world.reverse(&request);
    assert_eq!((world.books().accounts_minor, world.books().merchants_minor), (ACCOUNT_MINOR, 0));
    world.assert_sound();
}

#[test]
fn an_offline_sale_is_booked_once_whatever_way_it_comes() {
    let mut world = World::new();
    let (request, answer) = world.load(5000);
    world.card.take_script(&answer);
    world.notice(&request, 0x20);
    let chip = world.card.pay(1250);
    assert_eq!(world.upload(1250, chip.clone()).code, ResponseCode::APPROVED);
    let again = world.upload(1250, chip.clone());
    assert_eq!((again.code, again.reason.as_str()), (ResponseCode::APPROVED, "the sale was booked before"));
    assert_eq!((world.books().shadows_minor, world.books().merchants_minor), (3750, 1250));
    world.assert_sound();
}

#[test]
fn only_a_tc_is_a_sale() {
    let mut world = World::new();
    let (request, answer) = world.load(5000);
    world.card.take_script(&answer);
    world.notice(&request, 0x20);
    // The ARQC of the load itself, sent as if it were a sale.
    // The upload is taken, and nothing is booked for it.
    assert!(world.upload(5000, request.chip.clone()).reason.contains("the card gave no TC"));
    let mut chip = world.card.pay(100);
    chip.put(tag::APPLICATION_CRYPTOGRAM, [0; 8]);
    assert!(world.upload(100, chip).reason.contains("the application cryptogram (9F26) is wrong"));
    assert_eq!(world.books().merchants_minor, 0);
    world.assert_sound();
}

#[test]
fn a_sale_that_no_load_explains_is_held_with_an_alarm() {
    let mut world = World::new();
    world.card.balance_minor = 700;
    let chip = world.card.pay(700);
    let answer = world.upload(700, chip);
    assert_eq!(answer.code, ResponseCode::APPROVED);
    assert!(answer.reason.contains("held"));
    assert!(world.alarms() >= 1);
    assert_eq!(world.books().merchants_minor, 0);
    let violations = world.issuer.check(&mut world.context).unwrap();
    assert_eq!(violations.len(), 1, "{violations:?}");
}

#[test]
fn a_blocked_card_is_declined_until_the_block_is_lifted() {
    let mut world = World::new();
    let pan = world.card.pan.clone();
    for (active, code) in [(false, ResponseCode::RESTRICTED), (true, ResponseCode::APPROVED)] {
        assert!(world.issuer.set_card_active(&pan, 0, active, &mut world.context).unwrap());
        assert_eq!(world.load(100).1.code, code);
    }
    assert!(!world.issuer.set_card_active(&pan, 9, false, &mut world.context).unwrap());
}

#[test]
fn the_quick_path_signs_zeros_for_the_tvr_and_its_own_version() {
    use cardwright::words::emv::cryptogram::CryptogramVersion;
    for version in ["PBOC CVN 01", "PBOC CVN 17"] {
        // On file the card is of CVN 01 either way.
        let mut world = World::new();
        world.card.version = CryptogramVersion::by_name(version).unwrap();
        let mut chip = world.card.sign(1250, 0xA0, 0x00);
        chip.put(tag::TVR, [0, 0, 0, 0x80, 0]);
        let mut request = world.request(Kind::Purchase, 1250, chip);
        request.entry = cardwright::air::host::Entry::ContactlessQuick;
        let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
        assert_eq!(answer.code, ResponseCode::APPROVED, "{version}: {}", answer.reason);
    }
}
