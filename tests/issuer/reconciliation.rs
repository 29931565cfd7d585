//! The books beside a statement: every outcome, corrections, and many rows.

use std::io::Cursor;

use super::kit::{ACCOUNT_MINOR, CNY, World};
use cardwright::air::host::{Host, Kind, Original, Request};
use cardwright::roles::issuer::reconciliation::{
    BadLine, Listener, Outcome, ReconciledRow, StatementFormat, Terms, Totals,
};
use cardwright::words::dictionary::tag;
use cardwright::words::iso4217::Amount;
use cardwright::words::tlv::TlvStore;

const HEADER: &str = "date,trace,channel,amount,currency,kind,account,name,original_date,original_trace\n";

fn reconcile(
    world: &mut World,
    statement: &str,
    correct: bool,
) -> (Vec<ReconciledRow>, Vec<BadLine>, Totals) {
    let folder = tempfile::tempdir().unwrap();
    let terms = Terms { period: None, cut_off_second: 22 * 3600, correct, scratch: folder.path().to_owned() };
    let format = StatementFormat::by_name("csv").unwrap();
    let (mut rows, mut bad, mut last) = (Vec::new(), Vec::new(), None);
    let totals = world
        .issuer
        .reconcile(
            Cursor::new(statement.as_bytes()),
            &format,
            &terms,
            &mut Listener {
                row: &mut |row| rows.push(row),
                bad: &mut |line| bad.push(line),
                progress: &mut |progress| last = Some(progress),
            },
            &mut world.context,
        )
        .unwrap();
    let last = last.unwrap();
    assert!(rows.is_empty() || (last.stage, last.rows) == ("compare", rows.len() as u64), "{last:?}");
    (rows, bad, totals)
}

fn outcomes(rows: &[ReconciledRow]) -> Vec<(u32, bool, Outcome)> {
    rows.iter().map(|row| (row.key.trace, row.refund, row.outcome)).collect()
}

#[test]
fn every_outcome_is_told_and_the_statement_corrects() {
    let mut world = World::new();
    let amount = Amount::new(1000, CNY);
    world.issuer.open_account(Some("A9"), amount, "Li Si", &mut world.context).unwrap();
    let day = world.context.now().date_number();
    for amount_minor in [100, 200, 300, 400, 500] {
        let (_, answer) = world.load(amount_minor);
        assert!(answer.code.is_approved(), "{}", answer.reason);
        world.card.take_script(&answer);
    }
    // Trace 6 is reversed; trace 7 is its card's next ARQC, a purchase of the books alone.
    let (request, _) = world.load(600);
    assert!(world.reverse(&request).code.is_approved());
    let statement = format!(
        "{HEADER}{day},1,T0000001,1.00,156,,A1,Zhang San,,\n\
         {day},2,T0000001,2.50,156,,A1,Zhang San,,\n\
         {day},3,T0000001,3.00,156,,A9,,,\n\
         {day},4,T0000001,4.00,156,,A1,Zhang Sanfeng,,\n\
         {day},6,T0000001,6.00,156,,,,,\n\
         ,,T0000001,6.00,156,R,,,{day},6\n\
         {day},77,T0000001,7.00,156,,,,,\n\
         {day},8,T0000001,seven,156,,,,,\n"
    );
    let account = Outcome::PartyDiffers { account: true, name: false };
    let name = Outcome::PartyDiffers { account: false, name: true };
    let expected = |third, fourth| {
        vec![
            (1, false, Outcome::Matched),
            (2, false, Outcome::AmountDiffers),
            (3, false, third),
            (4, false, fourth),
            (5, false, Outcome::OursOnly),
            (6, false, Outcome::Matched),
            (6, true, Outcome::Matched),
            (77, false, Outcome::TheirsOnly),
        ]
    };
    let (rows, bad, totals) = reconcile(&mut world, &statement, false);
    assert_eq!(outcomes(&rows), expected(account, name));
    assert_eq!((bad.len(), bad[0].line, totals.bad_lines), (1, 9, 1));
    assert_eq!((rows[1].ours_minor, rows[1].theirs_minor, rows[1].line), (Some(200), Some(250), Some(3)));
    assert!(rows.iter().all(|row| row.correction.is_none()), "nothing was to be booked");

    // What was booked is in order, and so is what it left.
    let (rows, ..) = reconcile(&mut world, &statement, true);
    assert_eq!((rows[2].correction, rows[3].correction), (Some("booked"), Some("booked")));
    assert_eq!(world.issuer.check(&mut world.context).unwrap(), []);
    assert_eq!(world.books().total_minor(), ACCOUNT_MINOR + 1000);
    let accounts = world.issuer.accounts(&mut world.context).unwrap();
    assert_eq!(accounts[2].balance.minor, 700, "the load of 3.00 was moved to A9");
    assert_eq!(accounts[0].holder.expose(), "Zhang Sanfeng");
    // The name is now the statement's; the first line still has the old one.
    let (rows, ..) = reconcile(&mut world, &statement.replace("Zhang San,", "Zhang Sanfeng,"), true);
    assert_eq!(outcomes(&rows), expected(Outcome::Matched, Outcome::Matched));
    let text = String::from_utf8_lossy(&world.dump("correction")).into_owned();
    assert!(!text.is_empty() && !text.contains("Zhang"), "names are sealed");
}

#[test]
fn an_account_that_is_not_ours_or_holds_less_is_shown_and_not_booked() {
    let mut world = World::new();
    let amount = Amount::new(50, CNY);
    world.issuer.open_account(Some("A9"), amount, "Li Si", &mut world.context).unwrap();
    let day = world.context.now().date_number();
    world.load(100);
    for (account, reason) in [("A7", "not one of ours"), ("A9", "holds less"), ("A2", "another currency")] {
        let statement = format!("{HEADER}{day},1,T0000001,1.00,156,,{account},,,\n");
        let (rows, ..) = reconcile(&mut world, &statement, true);
        assert!(rows[0].correction.unwrap().contains(reason), "{rows:?}");
        assert_eq!(world.issuer.check(&mut world.context).unwrap(), []);
    }
}

/// The script alone moves nothing: others know an unload by the message that confirms it.
#[test]
fn an_unload_is_known_by_its_confirmation() {
    let mut world = World::new();
    let amount = Amount::new(0, CNY);
    world.issuer.open_account(Some("A9"), amount, "Li Si", &mut world.context).unwrap();
    let day = world.context.now().date_number();
    let (load, answer) = world.load(8000);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    let unload = |world: &mut World, minor| {
        let chip = world.card.sign(minor, 0xA0, 0x61);
        let request = world.request(Kind::UnloadScript, minor, chip);
        let answer = world.issuer.authorise(&request, &mut world.context).unwrap();
        (request, answer)
    };
    let confirm = |world: &mut World, of: &Request| {
        let mut chip = TlvStore::new();
        chip.put(tag::ISSUER_SCRIPT_RESULTS, [0x20, 0, 0, 0, 1]);
        let mut request = world.request(Kind::Unload, of.amount.minor, chip);
        request.original = Some(Original { batch: of.key.batch, trace: of.key.trace });
        assert!(world.issuer.authorise(&request, &mut world.context).unwrap().code.is_approved());
        request.key.trace
    };
    // Confirmed twice, as after a lost answer; reversed; proven by the next ARQC alone; open.
    let (request, answer) = unload(&mut world, 2000);
    world.card.take_script(&answer);
    let first = confirm(&mut world, &request);
    confirm(&mut world, &request);
    let (returned, _) = unload(&mut world, 300);
    world.reverse(&returned);
    let (proven, answer) = unload(&mut world, 400);
    world.card.take_script(&answer);
    unload(&mut world, 500);
    let statement = |account: &str| {
        format!(
            "{HEADER}{day},1,T0000001,80.00,156,,,,,\n\
             {day},{first},T0000001,20.00,156,,{account},,,\n"
        )
    };
    let (rows, ..) = reconcile(&mut world, &statement("A1"), true);
    let expected = vec![
        (1, false, Outcome::Matched),
        (first, false, Outcome::Matched),
        (proven.key.trace, false, Outcome::OursOnly),
    ];
    assert_eq!(outcomes(&rows), expected);

    // The statement says that another account was credited.
    let before = world.issuer.accounts(&mut world.context).unwrap()[0].balance.minor;
    let (rows, ..) = reconcile(&mut world, &statement("A9"), true);
    assert_eq!(rows[1].outcome, Outcome::PartyDiffers { account: true, name: false });
    assert_eq!(rows[1].correction, Some("booked"));
    let accounts = world.issuer.accounts(&mut world.context).unwrap();
    assert_eq!((accounts[0].balance.minor, accounts[2].balance.minor), (before - 2000, 2000));
    assert_eq!(world.issuer.check(&mut world.context).unwrap(), []);
    let (rows, ..) = reconcile(&mut world, &statement("A9"), true);
    assert_eq!(outcomes(&rows), expected);
}

/// A refund without a time is matched by its original's key; a claim only once it is booked.
#[test]
fn refunds_stand_by_their_sale_and_claims_once_they_are_booked() {
    let mut world = World::new();
    let day = world.context.now().date_number();
    let (load, answer) = world.load(8000);
    world.card.take_script(&answer);
    world.notice(&load, 0x20);
    let chip = world.card.pay(3000);
    let sale = world.request(Kind::OfflineSale, 3000, chip);
    world.issuer.advise(&sale, &mut world.context).unwrap();
    for minor in [1000, 500] {
        let mut refund = world.request(Kind::EcashRefund, minor, TlvStore::new());
        refund.original = Some(Original { batch: sale.key.batch, trace: sale.key.trace });
        assert!(world.issuer.advise(&refund, &mut world.context).unwrap().code.is_approved());
    }
    let chip = world.card.pay(700);
    let claim = world.claim_request(700, chip);
    world.issuer.authorise(&claim, &mut world.context).unwrap();
    let (sold, claimed) = (sale.key.trace, claim.key.trace);
    let statement = format!(
        "{HEADER}{day},1,T0000001,80.00,156,,A1,,,\n{day},{sold},T0000001,30.00,156,,,,,\n\
         ,,T0000001,5.00,156,R,A1,,{day},{sold}\n,,T0000001,10.00,156,R,,,{day},{sold}\n\
         {day},{claimed},T0000001,7.00,156,,,,,\n"
    );
    for booked in [false, true] {
        let (rows, ..) = reconcile(&mut world, &statement, true);
        let last = if booked { Outcome::Matched } else { Outcome::TheirsOnly };
        let expected = [
            (1, false, Outcome::Matched),
            (sold, false, Outcome::Matched),
            (sold, true, Outcome::Matched),
            (sold, true, Outcome::Matched),
            (claimed, false, last),
        ];
        let own: Vec<_> = outcomes(&rows).into_iter().filter(|row| row.0 <= claimed).collect();
        assert_eq!(own, expected);
        let (load, _) = world.load(100);
        world.reverse(&load);
    }
}

#[test]
fn nothing_and_a_wrong_header_are_no_trouble() {
    let mut world = World::new();
    let (rows, bad, totals) = reconcile(&mut world, HEADER, true);
    assert_eq!((rows.len(), bad.len(), totals), (0, 0, Totals::default()));
}

/// `count` sales of two days in the books, and their statement, scrambled. Of each
/// thousand: 1 has another amount, 2 is ours only, 3 theirs only, 4 came late, 5 is
/// unreadable.
fn many(count: u64) {
    let mut world = World::new();
    world.execute(&format!(
        "INSERT INTO offline_sale (id, card, atc, tc, currency, amount, merchant, state, at) \
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count}) \
         SELECT 'g' || i, card.id, i, card.pan, 156, 1000 + i, 'M', 'held', 0 FROM n, card"
    ));
    let day_micros: i64 = 86_400_000_000;
    let first = cardwright::base::env::Timestamp::from_civil(2026, 11, 20, 0, 0, 0).unwrap().micros();
    world.execute(&format!(
        "INSERT INTO message (class, merchant, terminal, batch, trace, business_date, fingerprint, subject, \
         barred, acted_on, answer, at) \
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count}) \
         SELECT 'notice', 'M', 'T' || (i % 7), 1, i, 20261120 + i % 2, card.pan, card.pan, 0, 'g' || i, '{{}}', \
         {first} + (i % 2) * {day_micros} + CASE i % 1000 WHEN 4 THEN 82800000000 ELSE 36000000000 END \
         FROM n, card"
    ));
    let mut statement = String::from(HEADER);
    for at in 0..count {
        let i = at * 7919 % count;
        let (mut day, mut cents, mut trace) = (20_261_120 + i % 2, 1000 + i, i.to_string());
        match i % 1000 {
            1 => cents += 1,
            2 => continue,
            3 => trace = format!("{},T9", (i + 1) % 1_000_000),
            4 => day += 1,
            5 => trace = "?".into(),
            _ => {}
        }
        let channel = if trace.contains(',') { String::new() } else { format!(",T{}", i % 7) };
        let line = format!("{day},{trace}{channel},{}.{:02},156,,,,,\n", cents / 100, cents % 100);
        statement.push_str(&line);
    }
    let begin = std::time::Instant::now();
    let (rows, bad, totals) = reconcile(&mut world, &statement, true);
    let took = begin.elapsed();
    let part = count / 1000;
    let expected = Totals {
        matched: count - 4 * part,
        amount_differs: part,
        party_differs: 0,
        // Of each thousand 2, what 3 and 5 stand for.
        ours_only: 3 * part,
        theirs_only: part,
        due: 0,
        next_day: part,
        bad_lines: part,
    };
    assert_eq!(totals, expected);
    assert_eq!((rows.len() as u64, bad.len() as u64), (count + part, part));
    let key = |row: &ReconciledRow| (row.key.channel.clone(), row.key.trace);
    assert!(rows.is_sorted_by_key(key), "the order is the same every time");
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
    println!("{count} rows a side in {took:?}; of the whole test with its rows {peak}");
}

#[test]
fn a_hundred_thousand_rows_a_side() {
    many(100_000);
}

/// `cargo test --release --test tests -- --ignored --nocapture a_million_rows`
#[test]
#[ignore = "a minute without optimisation; its figures are for people"]
fn a_million_rows_a_side() {
    many(1_000_000);
}
