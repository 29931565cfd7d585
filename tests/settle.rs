//! The end of a terminal's day: sums that agree, rows that one side lacks, messages that
//! are lost, and a terminal that stops between any two steps.

use cardwright::air::host::{BatchSums, Original};
use cardwright::air::link::{InProcess, Interface, T0};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::{Db, SealKey, Sqlite, transact};
use cardwright::roles::card::{Profile, Simulator};
use cardwright::roles::issuer::{BatchState, BatchSummary, Difference};
use cardwright::roles::terminal::journal::{BatchState as JournalState, Journal, State};
use cardwright::roles::terminal::{EndOfDay, Flow, Outcome, TerminalConfig};
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::world::tear::{
    CrashControl, CrashPlan, CrashingDb, HostControl, HostPlan, HostPoint, MutedHost,
};
use cardwright::world::{DEFAULT_PIN, NewCard, Stage, StoreAddress, WorldError, issue_card, open_books};

const CNY: Currency = Currency::CNY;

/// A terminal whose line and whose journal can fail, and a card of 100.00 with 500.00
/// behind it.
struct Shop {
    stage: Stage,
    context: Context,
    line: HostControl,
    crash: CrashControl,
    store: Box<dyn Db>,
    seal: SealKey,
}

impl Shop {
    fn new(profile: &str) -> Self {
        let mut context = Context::simulated(3, Discard);
        let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).unwrap();
        let profile = Profile::named(profile).unwrap();
        let new = NewCard::with_accounts(&mut issuer, profile, 50_000, 10_000, &mut context).unwrap();
        let memory = issue_card(&mut issuer, &new, &mut context).unwrap();
        let card = InProcess::connect(Simulator::in_memory(memory), Interface::Contact, &mut context);
        let store: Box<dyn Db> = Box::new(Sqlite::in_memory().unwrap());
        let (seal, line, crash) =
            (SealKey::random(&mut context), HostControl::default(), CrashControl::default());
        let journal = open(store.as_ref(), &seal, &crash);
        let host = MutedHost::new(issuer.handle().unwrap(), line.clone());
        let mut stage = Stage::new(Box::new(T0(card)), issuer, journal, TerminalConfig::default()).unwrap();
        stage.host = Box::new(host);
        Self { stage, context, line, crash, store, seal }
    }

    fn play(&mut self, flow: Flow, minor: u64) -> Outcome {
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let amount = Amount::new(minor, CNY);
        self.stage.transact(flow, amount, &mut pin, &mut self.context).unwrap().1
    }

    /// Debits: a load, a sale, a cash load, a second load whose answer is lost and which is
    /// therefore reversed and counts nowhere; credits: an unload.
    fn day(&mut self) {
        assert!(self.play(Flow::Load, 5_000).verdict.is_success());
        assert!(self.play(Flow::Pay, 1_250).verdict.is_success());
        assert!(self.play(Flow::CashLoad, 400).verdict.is_success());
        let lost = HostPlan { message: 0, point: HostPoint::AnswerLost };
        self.line.arm(Some(lost));
        self.play(Flow::Load, 7_000);
        self.line.arm(None);
        assert!(self.play(Flow::Unload, 1_000).verdict.is_success());
        assert!(self.stage.journal.rows().unwrap().iter().any(|row| row.state == State::Reversed));
    }

    /// Changes the journal behind the terminal's back: the sale is lost, the cash load is
    /// of another amount, the unload has another trace.
    fn spoil(&mut self) {
        for sql in [
            "DELETE FROM journal_row WHERE kind = 'offline sale'",
            "UPDATE journal_row SET amount = amount + 1 WHERE kind = 'cash load'",
            "UPDATE journal_row SET trace = trace + 500 WHERE kind = 'unload'",
        ] {
            let changed = transact(self.store.as_mut(), |tx| tx.execute(sql, &[])).unwrap();
            assert_eq!(changed, 1, "{sql}");
        }
    }

    fn end(&mut self) -> Result<EndOfDay, WorldError> {
        self.stage.end_day(&mut self.context)
    }

    /// The terminal is started again.
    fn restart(&mut self) {
        self.crash.arm(None);
        self.line.arm(None);
        self.stage.journal = open(self.store.as_ref(), &self.seal, &self.crash);
    }

    /// The host's batches, without their times; and the books are sound.
    fn host(&mut self) -> Vec<BatchSummary> {
        self.stage.check(&mut self.context).unwrap();
        let position = self.stage.position(CNY, &mut self.context).unwrap();
        assert_eq!(position.total_minor(), 60_000);
        let mut batches = self.stage.issuer.batches(10, &mut self.context).unwrap();
        batches.iter_mut().for_each(|batch| batch.at = Default::default());
        batches
    }
}

fn open(store: &dyn Db, seal: &SealKey, crash: &CrashControl) -> Journal {
    Journal::open(Box::new(CrashingDb::new(store.handle().unwrap(), crash.clone())), seal.clone()).unwrap()
}

const SUMS: BatchSums =
    BatchSums { debit_count: 3, debit_minor: 6_650, credit_count: 1, credit_minor: 1_000 };

#[test]
fn sums_that_agree_end_the_batch_once() {
    let mut shop = Shop::new("ecash");
    shop.day();
    let open = shop.host();
    assert_eq!((open.len(), open[0].state, open[0].own, open[0].told), (1, BatchState::Open, SUMS, None));
    let day = shop.end().unwrap();
    let states: Vec<_> = day.batches.iter().map(|row| (row.batch.batch, row.batch.state)).collect();
    assert_eq!(states, [(1, JournalState::Balanced)], "{day:?}");
    let settled = shop.host();
    assert_eq!((settled.len(), settled[0].state, settled[0].own), (1, BatchState::Balanced, SUMS));
    assert_eq!((settled[0].told, settled[0].differences.len()), (Some(SUMS), 0));

    assert_eq!(shop.end().unwrap().batches, [], "nothing is settled twice");
    assert_eq!(shop.host(), settled);
    let next = shop.play(Flow::CashLoad, 100);
    assert_eq!(next.trace.0, 2);
    let used: Vec<_> = shop.stage.journal.rows().unwrap().iter().map(|row| row.trace).collect();
    assert_eq!(used.iter().filter(|trace| **trace == next.trace.1).count(), 1, "{used:?}");
    let batches = shop.host();
    assert_eq!(
        (batches[0].batch, batches[0].state, batches[1].clone()),
        (2, BatchState::Open, settled[0].clone())
    );
    assert!(!shop.end().unwrap().is_due());
    assert!(shop.host().iter().all(|batch| batch.state == BatchState::Balanced));
}

#[test]
fn a_completed_hold_counts_and_a_cancelled_one_does_not() {
    let mut shop = Shop::new("debit");
    for take in [Some(2_500), None] {
        let (batch, trace) = shop.play(Flow::PreAuthorise, 3_000).trace;
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let take = take.map(|minor| Amount::new(minor, CNY));
        let (stage, context) = (&mut shop.stage, &mut shop.context);
        let (_, outcome) = stage.end_hold(Original { batch, trace }, take, &mut pin, context).unwrap();
        assert!(outcome.verdict.is_success(), "{}", outcome.reason);
    }
    assert!(shop.play(Flow::Pay, 700).verdict.is_success());
    let day = shop.end().unwrap();
    let sums = BatchSums { debit_count: 2, debit_minor: 3_200, ..BatchSums::default() };
    assert_eq!((day.batches[0].batch.sums, day.batches[0].batch.state), (sums, JournalState::Balanced));
    assert_eq!(shop.stage.issuer.batches(10, &mut shop.context).unwrap()[0].own, sums);
}

#[test]
fn what_differs_is_found_and_no_money_moves() {
    let mut shop = Shop::new("ecash");
    shop.day();
    let rows = shop.stage.journal.rows().unwrap();
    let trace = |kind: &str| rows.iter().find(|row| row.kind.word() == kind).unwrap().trace;
    let (sale, cash, unload) = (trace("offline sale"), trace("cash load"), trace("unload"));
    shop.spoil();
    let day = shop.end().unwrap();
    assert_eq!(day.batches[0].batch.state, JournalState::Ended, "{day:?}");
    assert!(!day.is_due());
    let batches = shop.stage.issuer.batches(10, &mut shop.context).unwrap();
    assert_eq!((batches.len(), batches[0].state, batches[0].own), (1, BatchState::Ended, SUMS));
    let found: Vec<_> = batches[0]
        .differences
        .iter()
        .map(|row| (row.trace, row.what, row.own_minor, row.told_minor))
        .collect();
    let expected = [
        (sale, Difference::OursOnly, Some(1_250), None),
        (cash, Difference::Amount, Some(400), Some(401)),
        (unload, Difference::OursOnly, Some(1_000), None),
        (unload + 500, Difference::TheirsOnly, None, Some(1_000)),
    ];
    assert_eq!(found, expected);
    shop.stage.check(&mut shop.context).unwrap();
    assert_eq!(shop.play(Flow::CashLoad, 100).trace.0, 2);
}

/// Plays the end of a day as it is disturbed, then undisturbed until nothing is due; what
/// the host then says must be what it says without any disturbance.
fn disturbed(expected: &[BatchSummary], spoiled: bool, disturb: impl FnOnce(&Shop)) {
    let mut shop = Shop::new("ecash");
    shop.day();
    if spoiled {
        shop.spoil();
    }
    disturb(&shop);
    // What breaks off is expected to, or to be due.
    let _ = shop.end();
    assert!(!shop.line.differed(), "a message that came twice was answered in two ways");
    shop.restart();
    let again = shop.end().unwrap();
    assert!(!again.is_due(), "{again:?}");
    assert_eq!(summaries(&mut shop), expected);
    assert_eq!(shop.play(Flow::CashLoad, 100).trace.0, 2);
}

fn summaries(shop: &mut Shop) -> Vec<BatchSummary> {
    let mut batches = shop.stage.issuer.batches(10, &mut shop.context).unwrap();
    batches.iter_mut().for_each(|batch| batch.at = Default::default());
    batches
}

#[test]
fn whatever_is_lost_or_stops_the_batch_is_settled_once() {
    for spoiled in [false, true] {
        let mut clean = Shop::new("ecash");
        clean.day();
        if spoiled {
            clean.spoil();
        }
        clean.line.arm(None);
        clean.crash.arm(None);
        clean.end().unwrap();
        let (messages, writes) = (clean.line.messages(), clean.crash.writes());
        let expected = summaries(&mut clean);
        assert_eq!((messages, expected.len()), (if spoiled { 5 } else { 1 }, 1));
        for message in 0..messages {
            for point in HostPoint::ALL {
                let plan = Some(HostPlan { message, point: *point });
                disturbed(&expected, spoiled, |shop| shop.line.arm(plan));
            }
        }
        for write in 0..writes {
            for committed in [false, true] {
                let plan = Some(CrashPlan { write, committed });
                disturbed(&expected, spoiled, |shop| shop.crash.arm(plan));
            }
        }
    }
}

#[test]
fn a_reversal_that_is_due_goes_first() {
    let mut shop = Shop::new("ecash");
    assert!(shop.play(Flow::CashLoad, 400).verdict.is_success());
    let down = Some(HostPlan { message: 0, point: HostPoint::Down });
    shop.line.arm(down);
    shop.play(Flow::Load, 7_000);
    let day = shop.end().unwrap();
    assert!(day.is_due() && day.batches.is_empty(), "{day:?}");
    shop.line.arm(None);
    let day = shop.end().unwrap();
    let sums = BatchSums { debit_count: 1, debit_minor: 400, ..BatchSums::default() };
    assert_eq!((day.batches[0].batch.sums, day.batches[0].batch.state), (sums, JournalState::Balanced));
    assert_eq!(shop.host()[0].own, sums);
}

#[test]
fn a_full_batch_ends_of_itself_and_is_settled_too() {
    let mut shop = Shop::new("ecash");
    assert!(shop.play(Flow::CashLoad, 400).verdict.is_success());
    for _ in 1..999 {
        assert_eq!(shop.stage.journal.next_trace().unwrap().0, 1);
    }
    assert_eq!(shop.play(Flow::CashLoad, 300).trace, (2, 1_000));
    let day = shop.end().unwrap();
    let told: Vec<_> = day
        .batches
        .iter()
        .map(|row| (row.batch.batch, row.batch.sums.debit_minor, row.batch.state))
        .collect();
    assert_eq!(told, [(1, 400, JournalState::Balanced), (2, 300, JournalState::Balanced)]);
    assert_eq!(shop.stage.journal.next_trace().unwrap().0, 3);
}
