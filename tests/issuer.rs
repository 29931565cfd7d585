//! The issuer against cards that are made of the words alone: cryptograms from
//! diversified keys, balances in issuer application data.

mod claim;
mod evidence;
mod flags;
mod hold;
pub(crate) mod kit;
mod late;
mod limits;
mod money;
mod nonlinked;
mod reconciliation;
mod refund;
mod sequences;
mod settlement;
mod unload;

use cardwright::air::host::{Host, MessageClass, ResponseCode, Settlement};
use cardwright::roles::issuer::{Recovery, Rules};
use kit::{ACCOUNT_MINOR, CNY, World};

#[test]
fn a_load_debits_flies_and_lands() {
    let mut world = World::new();
    let (request, answer) = world.load(5000);
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
    assert_eq!(answer.authorisation_code.as_ref().map(String::len), Some(6));
    let books = world.books();
    assert_eq!((books.accounts_minor, books.in_flight_minor), (ACCOUNT_MINOR - 5000, 5000));
    assert_eq!(world.issuer.open_loads(&mut world.context).unwrap()[0].new_minor, 5000);

    world.card.take_script(&answer);
    assert_eq!(world.card.balance_minor, 5000);
    let answer = world.notice(&request, 0x20);
    assert_eq!((answer.code, answer.settlement), (ResponseCode::APPROVED, Some(Settlement::Landed)));
    let books = world.books();
    assert_eq!((books.in_flight_minor, books.shadows_minor), (0, 5000));
    world.assert_sound();
}

#[test]
fn the_same_message_twice_acts_once_and_answers_the_same() {
    let mut world = World::new();
    let (request, first) = world.load(5000);
    let second = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(first, second);
    assert_eq!(world.books().in_flight_minor, 5000);
    // A day later it is still the same message.
    world.context.elapse(std::time::Duration::from_secs(86_400));
    assert_eq!(world.issuer.authorise(&request, &mut world.context).unwrap(), first);
    assert_eq!(world.books().in_flight_minor, 5000);
    world.assert_sound();
}

#[test]
fn a_key_with_other_content_is_a_duplicate_today_and_new_tomorrow() {
    let mut world = World::new();
    let (first, _) = world.load(5000);
    let mut other = world.load_request(100);
    other.key = first.key.clone();
    let answer = world.issuer.authorise(&other, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::DUPLICATE);
    assert_eq!(world.books().in_flight_minor, 5000);
    world.context.elapse(std::time::Duration::from_secs(86_400));
    let answer = world.issuer.authorise(&other, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
}

#[test]
fn a_reversal_before_its_original_bars_it() {
    let mut world = World::new();
    let request = world.load_request(5000);
    let answer = world.reverse(&request);
    assert_eq!(answer.code, ResponseCode::APPROVED);
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::INVALID_TRANSACTION);
    assert_eq!(world.books().accounts_minor, ACCOUNT_MINOR);
    world.assert_sound();
}

#[test]
fn a_reversal_gives_back_once() {
    let mut world = World::new();
    let (request, _) = world.load(5000);
    let first = world.reverse(&request);
    assert_eq!((first.code, first.settlement), (ResponseCode::APPROVED, Some(Settlement::Returned)));
    assert_eq!(world.reverse(&request), first);
    assert_eq!(world.books().accounts_minor, ACCOUNT_MINOR);
    assert_eq!(world.books().in_flight_minor, 0);
    // The request, repeated after its reversal, answers as it did and moves nothing.
    world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(world.books().accounts_minor, ACCOUNT_MINOR);
    world.assert_sound();
}

#[test]
fn a_reversal_or_notice_written_anew_is_the_same_message() {
    let mut world = World::new();
    let (request, answer) = world.load(5000);
    world.card.take_script(&answer);
    let mut notice = world.notice_request(&request, 0x20);
    let first = world.issuer.advise(&notice, &mut world.context).unwrap();
    notice.chip.put(cardwright::words::dictionary::tag::TVR, [0; 5]);
    notice.chip.put(cardwright::words::dictionary::tag::ISSUER_SCRIPT_RESULTS, [0x20, 0, 0, 0, 0]);
    assert_eq!(world.issuer.advise(&notice, &mut world.context).unwrap(), first);
    notice.chip.put(cardwright::words::dictionary::tag::ISSUER_SCRIPT_RESULTS, [0x11, 0, 0, 0, 1]);
    let other = world.issuer.advise(&notice, &mut world.context).unwrap();
    assert_eq!(other.code, ResponseCode::DUPLICATE);

    let (request, _) = world.load(1000);
    let mut reversal = request.clone();
    reversal.key.class = MessageClass::Reversal;
    let first = world.issuer.reverse(&reversal, &mut world.context).unwrap();
    assert!(first.code.is_approved());
    assert_eq!(world.reverse(&request), first);
    world.assert_sound();
}

#[test]
fn a_reversal_of_what_has_landed_gives_nothing() {
    let mut world = World::new();
    let (request, answer) = world.load(5000);
    world.card.take_script(&answer);
    world.load(100);
    let answer = world.reverse(&request);
    assert_eq!(answer.settlement, Some(Settlement::Landed));
    assert!(!answer.code.is_approved());
    assert_eq!(world.books().accounts_minor, ACCOUNT_MINOR - 5100);
    world.assert_sound();
}

#[test]
fn a_reversal_of_another_amount_finds_no_original() {
    let mut world = World::new();
    let (mut request, _) = world.load(5000);
    request.amount.minor = 4000;
    assert_eq!(world.reverse(&request).code, ResponseCode::NO_ORIGINAL);
    assert_eq!(world.books().in_flight_minor, 5000);
}

#[test]
fn a_refused_script_gives_the_money_back_and_an_unperformed_one_only_asks() {
    let mut world = World::new();
    let (request, _) = world.load(5000);
    let asked = world.notice(&request, 0x00);
    assert_eq!(asked.settlement, Some(Settlement::Open));
    assert_eq!(world.books().in_flight_minor, 5000);
    let refused = world.notice(&request, 0x11);
    assert_eq!(refused.settlement, Some(Settlement::Returned));
    assert_eq!(world.books().accounts_minor, ACCOUNT_MINOR);
    // A success that comes after contradicts it and moves nothing.
    assert_eq!(world.notice(&request, 0x20).settlement, Some(Settlement::Returned));
    assert_eq!(world.books().accounts_minor, ACCOUNT_MINOR);
    world.assert_sound();
}

#[test]
fn a_question_asked_again_under_its_key_learns_what_was_proven_since() {
    let mut world = World::new();
    let (request, answer) = world.load(5000);
    let question = world.notice_request(&request, 0x00);
    let ask = |world: &mut World| world.issuer.advise(&question, &mut world.context).unwrap().settlement;
    assert_eq!(ask(&mut world), Some(Settlement::Open));
    world.card.take_script(&answer);
    world.notice(&request, 0x20);
    assert_eq!(ask(&mut world), Some(Settlement::Landed));
}

#[test]
fn a_notice_for_nothing_finds_no_original() {
    let mut world = World::new();
    let request = world.load_request(5000);
    assert_eq!(world.notice(&request, 0x20).code, ResponseCode::NO_ORIGINAL);
    world.assert_sound();
}

#[test]
fn a_message_of_the_wrong_class_or_kind_is_refused() {
    let mut world = World::new();
    let mut request = world.load_request(5000);
    request.key.class = MessageClass::Notice;
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::INVALID_TRANSACTION);
    assert_eq!(world.issuer.advise(&request, &mut world.context).unwrap().code, answer.code);
    assert_eq!(world.issuer.reverse(&request, &mut world.context).unwrap().code, answer.code);
    request.key.trace = 1_000_000;
    request.key.class = MessageClass::Request;
    let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(answer.code, ResponseCode::FORMAT_ERROR);
}

#[test]
fn two_handles_on_one_store_act_once() {
    let mut world = World::new();
    let mut other = world.issuer.handle().unwrap();
    let request = world.load_request(5000);
    let first = world.issuer.authorise(&request, &mut world.context).unwrap();
    assert_eq!(other.authorise(&request, &mut world.context).unwrap(), first);
    assert_eq!(world.books().in_flight_minor, 5000);
    world.assert_sound();
}

#[test]
fn each_recovery_rule_is_needed() {
    // With every rule on, nothing is in flight at the end and no money has gone astray.
    assert_eq!(in_flight_after_recovery(Recovery::default()), 0);
    let all = Recovery::default;
    for (name, rules) in [
        ("settle_by_evidence", Recovery { settle_by_evidence: false, ..all() }),
        ("return_on_refusal", Recovery { return_on_refusal: false, ..all() }),
        ("bar_unknown_originals", Recovery { bar_unknown_originals: false, ..all() }),
    ] {
        assert_ne!(in_flight_after_recovery(rules), 0, "{name} is not needed");
    }
}

/// A landed load whose notice is lost, a refused script, and a request that its
/// reversal overtakes. The last is last, so that no later ARQC settles it.
fn in_flight_after_recovery(recovery: Recovery) -> i64 {
    let mut world = World::ruled(Rules { recovery, ..Rules::default() });
    let (_, answer) = world.load(200);
    world.card.take_script(&answer);
    let (refused, _) = world.load(100);
    world.notice(&refused, 0x11);
    let overtaken = world.load_request(300);
    world.reverse(&overtaken);
    world.issuer.authorise(&overtaken, &mut world.context).unwrap();
    world.books().in_flight_minor
}

#[test]
fn check_finds_a_tampered_book() {
    let tampers = [
        "UPDATE posting SET minor = minor + 1 WHERE kind = 'account'",
        "UPDATE balance SET minor = minor + 1 WHERE kind = 'account'",
        "DELETE FROM posting WHERE kind = 'in_flight'",
        "UPDATE load SET state = 'landed'",
        "UPDATE posting SET minor = minor * 2 WHERE entry IN (SELECT id FROM entry WHERE what = 'load')",
        "INSERT INTO posting (entry, line, kind, holder, currency, minor) SELECT id, 3, 'merchant', 'M', 156, 0 \
         FROM entry",
    ];
    for tamper in tampers {
        let mut world = World::new();
        world.load(5000);
        world.assert_sound();
        world.execute(tamper);
        let violations = world.issuer.check(&mut world.context).unwrap();
        assert!(!violations.is_empty(), "{tamper}");
    }
}

#[test]
fn nothing_readable_stands_in_the_store() {
    let mut world = World::new();
    let (request, _) = world.load(5000);
    let mut seen = Vec::new();
    for table in ["card", "account", "message", "load", "entry", "posting", "sighting"] {
        seen.extend(world.dump(table));
    }
    let text = String::from_utf8_lossy(&seen);
    assert!(text.len() > 500, "the dump must see the rows");
    for secret in [request.pan.expose().as_str(), "Zhang San", "\"pin\""] {
        assert!(!text.contains(secret), "{secret} stands in the store");
    }
    for event in world.events.events() {
        assert!(!event.reason.contains(request.pan.expose().as_str()), "{}", event.reason);
    }
}

#[test]
fn accounts_and_cards_are_opened_once() {
    let mut world = World::new();
    let again = world.order.clone();
    assert!(world.issuer.order_card(&again, &mut world.context).is_err());
    let amount = cardwright::words::iso4217::Amount::new(1, CNY);
    assert!(world.issuer.open_account(Some("A1"), amount, "x", &mut world.context).is_err());
    let accounts = world.issuer.accounts(&mut world.context).unwrap();
    assert_eq!(accounts[0].id.0, "A1");
    assert_eq!(accounts[0].holder.expose(), "Zhang San");
    assert_eq!(accounts[0].balance.minor as i64, ACCOUNT_MINOR);
    world.assert_sound();
}
