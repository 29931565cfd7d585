//! What the host makes of a transfer that it is told of, whoever tells it and how.

use super::kit::{CNY, NAMES, OFFLINE, Plan, Town};
use cardwright::air::host::{Attended, Host, Request, ResponseCode, Verb, from_message, to_message};
use cardwright::base::context::Context;
use cardwright::roles::p2p::transfer::{Phone, TouchEnd, TransferState, settle};
use cardwright::words::dictionary::tag;
use cardwright::words::iso4217::Amount;
use cardwright::words::iso8583::{DIALECTS, dialect, encode, parse};
use cardwright::words::transfer::Refusal;
use std::sync::{Arc, Mutex};

/// What a phone asks when it settles.
fn questions(town: &mut Town, phone: usize) -> Vec<Request> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let mut host = Attended::by(
        town.issuer.handle().unwrap(),
        move |_: &mut dyn Host, _: Verb, request: &Request, _: &mut Context| {
            kept.lock().unwrap().push(request.clone());
            Err(cardwright::air::host::HostError::NoAnswer { timeout_ms: 1 })
        },
    );
    let own: &mut Phone = &mut town.phones[phone];
    let settled = settle(own, &mut host, &mut town.context).unwrap();
    assert!(settled.iter().all(|row| row.trouble.is_some()), "{settled:?}");
    drop(host);
    Arc::try_unwrap(asked).unwrap().into_inner().unwrap()
}

#[test]
fn a_transfer_goes_over_every_line() {
    let mut town = Town::new();
    town.touch(OFFLINE);
    town.context.elapse(std::time::Duration::from_secs(600));
    town.touch_torn(OFFLINE, 0);
    town.context.elapse(std::time::Duration::from_secs(600));
    let mut all = questions(&mut town, 0);
    all.extend(questions(&mut town, 1));
    assert!(all.iter().any(|request| request.chip.has(tag::TRANSFER_AGREEMENT)), "{all:?}");
    assert!(all.iter().any(|request| request.chip.has(tag::TRANSFER_WITHDRAWAL)), "{all:?}");
    for request in all {
        for row in DIALECTS {
            let dialect = dialect(row.name).unwrap();
            let message = to_message(&request, dialect).unwrap();
            let bytes = encode(&message, dialect).unwrap();
            let read = from_message(&parse(&bytes, dialect).unwrap(), dialect, town.context.now()).unwrap();
            // Fields 12 and 13 are to the second.
            assert_eq!(Request { at: request.at, ..read }, request, "{}", row.name);
            assert!(!message.has(2) && request.chip.to_bytes().len() < 256, "{}", row.name);
        }
    }
}

#[test]
fn a_changed_question_moves_nothing() {
    let mut town = Town::new();
    town.touch(OFFLINE);
    let question = questions(&mut town, 1).remove(0);
    let mut asks = |change: &dyn Fn(&mut Request)| {
        let mut changed = question.clone();
        changed.key.trace += 1_000;
        changed.key.batch = u32::from(town.context.random::<1>()[0]);
        change(&mut changed);
        town.issuer.authorise(&changed, &mut town.context).unwrap()
    };
    for tag in [tag::TRANSFER_OFFER, tag::TRANSFER_AGREEMENT] {
        let whole = question.chip.value(tag).unwrap().to_vec();
        for at in (0..whole.len()).step_by(7) {
            let answer = asks(&|request| {
                let mut bytes = whole.clone();
                bytes[at] ^= 0x10;
                request.chip.put(tag, bytes);
            });
            assert!(!answer.code.is_approved(), "{tag:?} byte {at}: {answer:?}");
            assert!(!answer.chip.has(tag::TRANSFER_RECEIPT), "{tag:?} byte {at}: {answer:?}");
        }
    }
    let other = asks(&|request| request.amount = Amount::new(1, CNY));
    assert_eq!(other.code, ResponseCode::INVALID_AMOUNT);
    let none = asks(&|request| {
        request.chip.remove(tag::TRANSFER_AGREEMENT);
    });
    assert_eq!(none.code, ResponseCode::FORMAT_ERROR);
    assert_eq!(town.booked(), []);
    // The right one is booked all the same, and once, however often it comes.
    for go in 0..3 {
        let mut question = question.clone();
        question.key.trace += go;
        let answer = town.issuer.authorise(&question, &mut town.context).unwrap();
        assert!(answer.code.is_approved() && answer.chip.has(tag::TRANSFER_RECEIPT), "{answer:?}");
    }
    assert_eq!((town.minor(NAMES[0]), town.booked().len()), (8_000, 1));
    town.settle_all();
    town.assert_over();
}

#[test]
fn a_withdrawn_offer_is_never_booked() {
    let mut town = Town::new();
    // The payer has agreed, and nothing of it arrives.
    let torn = town.touch_torn(OFFLINE, 2);
    let id = torn[0].transfer.unwrap();
    town.context.elapse(std::time::Duration::from_secs(600));
    let settled = town.settle(1);
    assert_eq!(settled[0].transfer.reason, "withdrawn by the payee", "{settled:?}");
    let settled = town.settle(0);
    assert_eq!((settled[0].transfer.id, settled[0].transfer.reason.as_str()), (id, "withdrawn by the payee"));
    assert_eq!(town.booked(), []);
    town.assert_over();
}

#[test]
fn money_that_is_not_there_is_refused_for_good() {
    for asks in [[true, false], [false, true]] {
        let mut town = Town::new();
        let met = town.touch(Plan { minor: 10_001, asks, ..OFFLINE });
        for met in &met {
            let refused = matches!(met.end, Some(TouchEnd::Refused { why: Refusal::HOST_REFUSED, .. }));
            assert!(refused, "{asks:?}: {met:?}");
        }
        let id = met[0].transfer.unwrap();
        assert_eq!(town.transfer(0, id).state, TransferState::Refused);
        assert_eq!((town.minor(NAMES[0]), town.booked().len()), (10_000, 0));
        town.settle_all();
        town.assert_over();
    }
}

/// Both phones tell of the same transfers at the same moment, again and again.
#[cfg(all(feature = "postgres", target_os = "linux"))]
#[test]
fn both_sides_at_once_book_once_on_postgresql() {
    use crate::support::Skip;
    use crate::support::postgres::PrivatePostgres;
    let server = match PrivatePostgres::start(false) {
        Ok(server) => server,
        Err(Skip(reason)) if crate::support::is_required() => panic!("PostgreSQL is required, but {reason}"),
        Err(Skip(reason)) => {
            println!("not run: {reason}");
            return;
        }
    };
    let mut town =
        Town::in_store(Box::new(cardwright::base::store::Postgres::open(&server.address()).unwrap()));
    for minor in [100, 200, 300, 400, 500, 600] {
        town.touch(Plan { minor, ..OFFLINE });
        town.touch(Plan { minor, payer: 1, payee: 0, ..OFFLINE });
    }
    let questions = [questions(&mut town, 0), questions(&mut town, 1)];
    assert!(questions.iter().all(|asked| asked.len() == 12), "{questions:?}");
    let approved: usize = std::thread::scope(|scope| {
        // Each has randomness of its own, as two handles have.
        let mut seed = 0;
        let asking = questions.map(|asked| {
            seed += 1;
            let mut issuer = town.issuer.handle().unwrap();
            scope.spawn(move || {
                let mut context = Context::simulated(seed, cardwright::base::event::Discard);
                let mut answers = asked.iter().map(|one| issuer.authorise(one, &mut context).unwrap());
                answers.by_ref().filter(|answer| answer.code.is_approved()).count()
            })
        });
        asking.into_iter().map(|asking| asking.join().unwrap()).sum()
    });
    assert_eq!((approved, town.booked().len()), (24, 12));
    assert_eq!((town.minor(NAMES[0]), town.minor(NAMES[1])), (10_000, 10_000));
    town.settle_all();
    town.assert_over();
}
