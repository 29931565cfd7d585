//! Refunds of offline sales at the issuer: once each, of the right sale, and no more
//! than it.

use super::kit::{ACCOUNT_MINOR, CNY, World};
use cardwright::air::host::{Answer, Host, Kind, Original, Request, ResponseCode};
use cardwright::words::tlv::TlvStore;

/// A card that paid 30.00, uploaded under this trace.
fn sold() -> (World, Original) {
    let mut world = World::new();
    let (load, answer) = world.load(8000);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    let chip = world.card.pay(3000);
    let sale = world.request(Kind::OfflineSale, 3000, chip);
    assert!(world.issuer.advise(&sale, &mut world.context).unwrap().code.is_approved());
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 8000, 3000, 5000));
    (world, Original { batch: sale.key.batch, trace: sale.key.trace })
}

/// Accounts, merchants, shadows.
fn parts(world: &mut World) -> (i64, i64, i64) {
    let books = world.books();
    (books.accounts_minor, books.merchants_minor, books.shadows_minor)
}

fn refund_request(world: &mut World, minor: u64, sale: Option<Original>) -> Request {
    let mut request = world.request(Kind::EcashRefund, minor, TlvStore::new());
    request.original = sale;
    request
}

fn send(world: &mut World, request: &Request) -> Answer {
    world.issuer.advise(request, &mut world.context).unwrap()
}

fn refund(world: &mut World, minor: u64, sale: Option<Original>) -> Answer {
    let request = refund_request(world, minor, sale);
    send(world, &request)
}

#[test]
fn a_refund_acts_once_and_refunds_come_to_no_more_than_the_sale() {
    let (mut world, sale) = sold();
    let request = refund_request(&mut world, 1200, Some(sale));
    for _ in 0..2 {
        assert_eq!(send(&mut world, &request).code, ResponseCode::APPROVED);
        assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 6800, 1800, 5000), "the card is not raised");
    }
    let over = refund(&mut world, 1801, Some(sale));
    assert_eq!(over.code, ResponseCode::LIMIT_EXCEEDED, "{}", over.reason);
    assert!(refund(&mut world, 1800, Some(sale)).code.is_approved());
    assert_eq!(refund(&mut world, 1, Some(sale)).code, ResponseCode::LIMIT_EXCEEDED);
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 5000, 0, 5000));
    world.assert_sound();
    let (pan, context) = (world.card.pan.expose().to_owned(), &mut world.context);
    let history = world.issuer.history(&pan, context).unwrap().unwrap();
    assert_eq!(history.iter().filter(|row| row.what == "refund").count(), 2);
}

#[test]
fn what_is_wrong_with_a_refund_is_named() {
    let (mut world, sale) = sold();
    let told = |answer: Answer, part: &str| {
        assert!(
            !answer.code.is_approved() && answer.reason.contains(part),
            "{}: {}",
            answer.code,
            answer.reason
        );
    };
    told(refund(&mut world, 100, None), "must name the sale");
    told(refund(&mut world, 100, Some(Original { batch: 1, trace: 777 })), "upload it first");
    told(refund(&mut world, 0, Some(sale)), "amount is 0");
    let mut other = world.beside(2);
    let mut request = refund_request(&mut other, 100, Some(sale));
    told(send(&mut world, &request), "upload it first");
    request.key.terminal = "T0000001".into();
    request.key.trace = 500;
    told(send(&mut world, &request), "another card");
    let mut request = refund_request(&mut world, 100, Some(sale));
    request.key.merchant = "M00000000000002".into();
    told(send(&mut world, &request), "another merchant");
    let mut request = refund_request(&mut world, 100, Some(sale));
    request.amount.currency = super::kit::HKD;
    told(send(&mut world, &request), "another currency");
    // A claim is no sale before the card has proven it.
    let chip = world.card.pay(500);
    let claim = world.claim_request(500, chip);
    assert!(world.issuer.authorise(&claim, &mut world.context).unwrap().code.is_approved());
    let named = Original { batch: claim.key.batch, trace: claim.key.trace };
    told(refund(&mut world, 100, Some(named)), "claimed");
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 8000, 3000, 5000));
    world.assert_sound();
}

#[test]
fn without_a_linked_account_it_waits_for_the_card() {
    let (mut world, sale) = sold();
    world.execute("UPDATE card_account SET account = NULL WHERE currency = 156");
    assert!(refund(&mut world, 1000, Some(sale)).code.is_approved());
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 8000, 2000, 5000));
    let pan = world.card.pan.clone();
    assert_eq!(world.issuer.pending_of(&pan, 0, CNY, &mut world.context).unwrap().minor, 1000);
    let chip = world.card.sign(1000, 0xA0, 0x60);
    let mut load = world.request(Kind::PendingLoad, 1000, chip);
    load.pin = world.pin.map(|pin| pin.to_owned().into());
    let answer = world.issuer.authorise(&load, &mut world.context).unwrap();
    assert!(answer.code.is_approved(), "{}", answer.reason);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    assert_eq!((world.card.balance_minor, parts(&mut world).2), (6000, 6000));
    world.assert_sound();
}
