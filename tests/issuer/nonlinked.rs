//! Loads that another card pays for, at the issuer: its account, its PIN, its blocks.

use super::kit::{ACCOUNT_MINOR, World};
use cardwright::air::host::{Answer, Host, Kind, Request, ResponseCode, Settlement};

/// A card, and another one on an account of 500.00 of its own.
fn two() -> (World, World) {
    let mut world = World::new();
    let balance = cardwright::words::iso4217::Amount::new(ACCOUNT_MINOR as u64, super::kit::CNY);
    world.issuer.open_account(Some("A3"), balance, "Li Si", &mut world.context).unwrap();
    let payer = world.beside_on(2, "A3");
    (world, payer)
}

fn request(world: &mut World, payer: Option<&World>, minor: u64) -> Request {
    let chip = world.card.sign(minor, 0xA0, 0x62);
    let mut request = world.request(Kind::NonLinkedLoad, minor, chip);
    request.payer = payer.map(|payer| payer.card.pan.expose().to_owned().into());
    request.pin = world.pin.map(|pin| pin.to_owned().into());
    request
}

fn ask(world: &mut World, payer: Option<&World>, minor: u64) -> (Request, Answer) {
    let request = request(world, payer, minor);
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    (request, answer)
}

/// What the two accounts hold.
fn accounts(world: &mut World) -> (i64, i64) {
    let accounts = world.issuer.accounts(&mut world.context).unwrap();
    let of = |id| accounts.iter().find(|account| account.id.0 == id).unwrap().balance.minor as i64;
    (of("A1"), of("A3"))
}

#[test]
fn the_payers_account_pays_and_gets_it_back() {
    let (mut world, payer) = two();
    let (first, answer) = ask(&mut world, Some(&payer), 5000);
    assert!(answer.code.is_approved(), "{}", answer.reason);
    assert_eq!(accounts(&mut world), (ACCOUNT_MINOR, ACCOUNT_MINOR - 5000));
    world.card.take_script(&answer);
    assert_eq!(world.notice(&first, 0x20).settlement, Some(Settlement::Landed));
    assert_eq!(world.books().shadows_minor, 5000);
    let (second, answer) = ask(&mut world, Some(&payer), 700);
    assert!(answer.code.is_approved());
    assert_eq!(world.reverse(&second).settlement, Some(Settlement::Returned));
    assert_eq!(accounts(&mut world), (ACCOUNT_MINOR, ACCOUNT_MINOR - 5000));
    // In doubt, and the card's next ARQC shows that it did not take the script.
    let (third, _) = ask(&mut world, Some(&payer), 900);
    let (load, _) = world.load(100);
    assert_eq!(world.notice(&third, 0x00).settlement, Some(Settlement::Returned));
    world.reverse(&load);
    assert_eq!(accounts(&mut world), (ACCOUNT_MINOR, ACCOUNT_MINOR - 5000));
    assert_eq!(world.issuer.check(&mut world.context).unwrap(), []);
}

#[test]
fn who_may_not_pay_is_told_why() {
    let (mut world, payer) = two();
    let told = |(_, answer): (Request, Answer), code: ResponseCode, part: &str| {
        assert_eq!(answer.code, code, "{}", answer.reason);
        assert!(answer.reason.contains(part), "{}", answer.reason);
    };
    told(ask(&mut world, None, 100), ResponseCode::INVALID_TRANSACTION, "not named");
    let mut own = request(&mut world, None, 100);
    own.payer = Some(own.pan.clone());
    let answer = world.issuer.authorise(&own, &mut world.context).unwrap();
    told((own, answer), ResponseCode::INVALID_TRANSACTION, "is the card to load");
    let mut nobody = request(&mut world, Some(&payer), 100);
    nobody.payer = Some("6299990000000000".to_owned().into());
    let answer = world.issuer.authorise(&nobody, &mut world.context).unwrap();
    told((nobody, answer), ResponseCode::NO_SUCH_CARD, "paying card");
    let too_much = ask(&mut world, Some(&payer), ACCOUNT_MINOR as u64 + 1);
    told(too_much, ResponseCode::INSUFFICIENT_FUNDS, "the account holds less");
    // The PIN is the payer's, and so are its tries.
    world.pin = Some("000000");
    for code in [ResponseCode::WRONG_PIN, ResponseCode::WRONG_PIN, ResponseCode::PIN_TRIES_EXCEEDED] {
        assert_eq!(ask(&mut world, Some(&payer), 100).1.code, code);
    }
    world.pin = Some("123456");
    assert_eq!(ask(&mut world, Some(&payer), 100).1.code, ResponseCode::PIN_TRIES_EXCEEDED);
    assert!(world.load(100).1.code.is_approved(), "the loaded card's own tries are whole");
    let pan = payer.card.pan.clone();
    world.issuer.set_card_active(&pan, 0, false, &mut world.context).unwrap();
    told(ask(&mut world, Some(&payer), 100), ResponseCode::RESTRICTED, "blocked");
    assert_eq!(accounts(&mut world).1, ACCOUNT_MINOR);
    assert_eq!(world.issuer.check(&mut world.context).unwrap(), []);
}

#[test]
fn the_same_request_with_another_payer_is_another_message() {
    let (mut world, payer) = two();
    let (first, answer) = ask(&mut world, Some(&payer), 100);
    assert_eq!(world.issuer.authorise(&first, &mut world.context).unwrap(), answer);
    let mut other = first;
    other.payer = Some("6299990000000000".to_owned().into());
    let answer = world.issuer.authorise(&other, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::DUPLICATE);
    assert_eq!(accounts(&mut world).1, ACCOUNT_MINOR - 100);
}
