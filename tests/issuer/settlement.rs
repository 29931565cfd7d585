//! Batches at the issuer, on either engine: what is counted, and that a batch is settled
//! once.

use super::kit::{CNY, World};
use cardwright::air::host::{
    Answer, BatchStep, BatchSums, BatchTotals, Host, Kind, MessageClass, MessageKey, Request, ResponseCode,
};
use cardwright::roles::issuer::{BatchState, Difference};
use cardwright::words::tlv::TlvStore;

/// Tells the sums of batch 1 under a trace.
fn tell(world: &mut World, of: &Request, trace: u32, step: BatchStep, sums: BatchSums) -> Answer {
    let key = MessageKey { class: MessageClass::Batch, trace, ..of.key.clone() };
    let totals = BatchTotals { key, currency: CNY, sums, step };
    world.issuer.settle(&totals, &mut world.context).unwrap()
}

/// Tells a transaction as a detail.
fn detail(world: &mut World, of: &Request, trace: u32, minor: u64) -> Answer {
    let mut request = of.clone();
    request.kind = Kind::BatchUpload;
    (request.key.class, request.key.trace) = (MessageClass::Batch, trace);
    request.amount.minor = minor;
    (request.chip, request.pin) = (TlvStore::new(), None);
    world.issuer.advise(&request, &mut world.context).unwrap()
}

#[test]
fn what_was_approved_and_not_undone_counts_and_a_batch_is_settled_once() {
    let mut world = World::new();
    let (load, answer) = world.load(5_000);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    let (undone, _) = world.load(700);
    world.reverse(&undone);
    let chip = world.card.pay(1_200);
    world.upload(1_200, chip);
    let (declined, answer) = world.load(90_000_000);
    assert!(!answer.code.is_approved());
    let sums = BatchSums { debit_count: 2, debit_minor: 6_200, ..BatchSums::default() };
    let compare = BatchStep::Compare;

    let first = tell(&mut world, &load, 900, compare, sums);
    assert_eq!(first.code, ResponseCode::APPROVED, "{}", first.reason);
    assert_eq!(tell(&mut world, &load, 900, compare, sums), first, "the same message again");
    assert_eq!(tell(&mut world, &load, 901, compare, sums), first, "the same sums under another trace");
    let other = BatchSums { debit_minor: 1, ..sums };
    assert_eq!(tell(&mut world, &load, 900, compare, other).code, ResponseCode::DUPLICATE);
    assert_eq!(tell(&mut world, &load, 902, compare, other).code, ResponseCode::DUPLICATE);
    let ended = tell(&mut world, &load, 903, BatchStep::End, sums);
    assert_eq!(ended.code, ResponseCode::INVALID_TRANSACTION, "{}", ended.reason);
    let batches = world.issuer.batches(5, &mut world.context).unwrap();
    assert_eq!((batches.len(), batches[0].state, batches[0].own), (1, BatchState::Balanced, sums));
    assert_eq!(declined.key.batch, 1);
    world.assert_sound();
}

#[test]
fn details_tell_where_the_sums_differ_and_only_then() {
    let mut world = World::new();
    let (load, answer) = world.load(5_000);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    let early = detail(&mut world, &load, load.key.trace, 5_000);
    assert_eq!(early.code, ResponseCode::INVALID_TRANSACTION, "{}", early.reason);
    // The refusal is what that key says for good: details of other traces follow.
    let sums = BatchSums { debit_count: 2, debit_minor: 900, ..BatchSums::default() };
    let answer = tell(&mut world, &load, 900, BatchStep::Compare, sums);
    assert_eq!(answer.code, ResponseCode::NOT_BALANCED);
    for (trace, minor) in [(50, 300), (51, 600)] {
        let answer = detail(&mut world, &load, trace, minor);
        assert!(answer.code.is_approved(), "{}", answer.reason);
        assert_eq!(detail(&mut world, &load, trace, minor), answer, "the same again");
    }
    let end = tell(&mut world, &load, 901, BatchStep::End, sums);
    assert!(end.code.is_approved() && end.reason.ends_with("differ: 3"), "{}", end.reason);
    let late = detail(&mut world, &load, 52, 100);
    assert_eq!(late.code, ResponseCode::INVALID_TRANSACTION);
    let batches = world.issuer.batches(5, &mut world.context).unwrap();
    let whats: Vec<_> = batches[0].differences.iter().map(|row| (row.trace, row.what)).collect();
    let expected =
        [(load.key.trace, Difference::OursOnly), (50, Difference::TheirsOnly), (51, Difference::TheirsOnly)];
    assert_eq!((batches[0].state, whats), (BatchState::Ended, expected.to_vec()));
    world.assert_sound();
}
