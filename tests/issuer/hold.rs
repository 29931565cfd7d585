//! Holds at the issuer: each step and its reversal, once.

use super::kit::{ACCOUNT_MINOR, World};
use cardwright::air::host::{Host, Kind, MessageClass, Original, Request, ResponseCode};

/// Spendable, held, merchants.
fn parts(world: &mut World) -> (i64, i64, i64) {
    let books = world.books();
    (books.accounts_minor, books.held_minor, books.merchants_minor)
}

fn send(world: &mut World, kind: Kind, minor: u64, hold: Option<&Request>) -> (Request, ResponseCode) {
    let chip = world.card.sign(minor, 0xA0, 0x00);
    let mut request = world.request(kind, minor, chip);
    request.original = hold.map(|hold| Original { batch: hold.key.batch, trace: hold.key.trace });
    // Twice under one key: it acts once.
    let first = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(world.issuer.authorise(&request, &mut world.context).unwrap(), first);
    world.assert_sound();
    (request, first.code)
}

fn approved(world: &mut World, kind: Kind, minor: u64, hold: Option<&Request>) -> Request {
    let (request, code) = send(world, kind, minor, hold);
    assert_eq!(code, ResponseCode::APPROVED);
    request
}

fn undo(world: &mut World, request: &Request) -> ResponseCode {
    let code = world.reverse(request).code;
    assert_eq!(world.reverse(request).code, code);
    world.assert_sound();
    code
}

#[test]
fn a_hold_is_undone_by_its_reversal_until_it_is_complete() {
    let mut world = World::new();
    let hold = approved(&mut world, Kind::PreAuthorisation, 5000, None);
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 5000, 5000, 0));
    assert_eq!(undo(&mut world, &hold), ResponseCode::APPROVED);
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR, 0, 0));
    let completion = send(&mut world, Kind::PreAuthorisationCompletion, 5000, Some(&hold));
    assert_eq!(completion.1, ResponseCode::INVALID_TRANSACTION);

    let hold = approved(&mut world, Kind::PreAuthorisation, 5000, None);
    approved(&mut world, Kind::PreAuthorisationCompletion, 4000, Some(&hold));
    assert_eq!(undo(&mut world, &hold), ResponseCode::INVALID_TRANSACTION);
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 4000, 0, 4000));
}

#[test]
fn an_undone_completion_holds_what_it_took() {
    let mut world = World::new();
    let hold = approved(&mut world, Kind::PreAuthorisation, 5000, None);
    let completion = approved(&mut world, Kind::PreAuthorisationCompletion, 4000, Some(&hold));
    assert_eq!(undo(&mut world, &completion), ResponseCode::APPROVED);
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 4000, 4000, 0));
    approved(&mut world, Kind::PreAuthorisationCompletion, 4000, Some(&hold));
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 4000, 0, 4000));
    // The first completion's reversal is a message that has acted.
    assert_eq!(undo(&mut world, &completion), ResponseCode::APPROVED);
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 4000, 0, 4000));
}

#[test]
fn an_undone_cancellation_holds_again_where_the_account_covers_it() {
    for spent in [false, true] {
        let mut world = World::new();
        let hold = approved(&mut world, Kind::PreAuthorisation, 30_000, None);
        let other = send(&mut world, Kind::PreAuthorisationCancel, 29_999, Some(&hold));
        assert_eq!(other.1, ResponseCode::INVALID_AMOUNT);
        let cancel = approved(&mut world, Kind::PreAuthorisationCancel, 30_000, Some(&hold));
        assert_eq!(parts(&mut world), (ACCOUNT_MINOR, 0, 0));
        if spent {
            approved(&mut world, Kind::Purchase, 40_000, None);
        }
        assert_eq!(undo(&mut world, &cancel), ResponseCode::APPROVED);
        let held = if spent { (10_000, 0, 40_000) } else { (20_000, 30_000, 0) };
        assert_eq!(parts(&mut world), held);
    }
}

#[test]
fn a_hold_is_found_by_its_own_terminal_and_card_alone() {
    let mut world = World::new();
    let hold = approved(&mut world, Kind::PreAuthorisation, 5000, None);
    let chip = world.card.sign(5000, 0xA0, 0x00);
    let mut elsewhere = world.request(Kind::PreAuthorisationCompletion, 5000, chip);
    elsewhere.original = Some(Original { batch: hold.key.batch, trace: hold.key.trace });
    elsewhere.key.terminal = "T0000002".into();
    let answer = world.issuer.authorise(&elsewhere, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::NO_ORIGINAL);
    assert_eq!(send(&mut world, Kind::PreAuthorisationCancel, 5000, None).1, ResponseCode::NO_ORIGINAL);
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 5000, 5000, 0));
}

/// A completion that is told without the card.
fn told(world: &mut World, minor: u64, hold: &Request) -> (Request, ResponseCode) {
    let mut request = world.request(Kind::PreAuthorisationCompletion, minor, Default::default());
    request.key.class = MessageClass::Notice;
    request.original = Some(Original { batch: hold.key.batch, trace: hold.key.trace });
    let first = world.issuer.advise(&request, &mut world.context).unwrap();
    assert_eq!(world.issuer.advise(&request, &mut world.context).unwrap(), first, "it acts once");
    world.assert_sound();
    (request, first.code)
}

#[test]
fn a_completion_is_told_without_the_card_up_to_what_is_held() {
    let mut world = World::new();
    let hold = approved(&mut world, Kind::PreAuthorisation, 5000, None);
    assert_eq!(told(&mut world, 5001, &hold).1, ResponseCode::LIMIT_EXCEEDED);
    assert_eq!(told(&mut world, 0, &hold).1, ResponseCode::INVALID_AMOUNT);
    assert_eq!(told(&mut world, 4000, &hold).1, ResponseCode::APPROVED);
    assert_eq!(parts(&mut world), (ACCOUNT_MINOR - 4000, 0, 4000));
    assert_eq!(told(&mut world, 1000, &hold).1, ResponseCode::INVALID_TRANSACTION, "it is complete");
    // Another terminal has no such hold.
    let hold = approved(&mut world, Kind::PreAuthorisation, 5000, None);
    let (mut request, _) = told(&mut world, 1, &hold);
    request.key.terminal = "T0000099".into();
    let answer = world.issuer.advise(&request, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::NO_ORIGINAL);
}
