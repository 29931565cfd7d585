//! The books beside a statement: every outcome, corrections, and many rows.

use std::io::Cursor;

use super::kit::{ACCOUNT_MINOR, CNY, World};
use cardwright::roles::issuer::reconciliation::{
    BadLine, Listener, Outcome, ReconciledRow, StatementFormat, Terms, Totals,
};
use cardwright::words::iso4217::Amount;

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
