//! The comparison: both sides come sorted, so that the days of one trace of one channel
//! stand together, and nothing else is held in memory.

use super::record::{Key, ReconciliationError, Record, UNTOLD};
use super::sort::Sorted;
use crate::base::env::Timestamp;

/// Records of one key at most that are told apart by amount; what comes above that is a
/// duplicate on any statement.
const SAME_KEY: usize = 256;

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Both sides say the same.
    Matched,
    /// Another amount or currency.
    AmountDiffers,
    /// The amount is the same, another account or name: the statement wins.
    PartyDiffers {
        /// The account.
        account: bool,
        /// The name.
        name: bool,
    },
    /// The statement does not know it.
    OursOnly,
    /// The books do not know it.
    TheirsOnly,
    /// After the cut-off of the last day: the next statement will tell.
    Due,
}

/// One line of the result. It holds no account and no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconciledRow {
    /// Date, trace and channel; ours where both sides have it.
    pub key: Key,
    /// Whether it is a refund or reversal, keyed by its original.
    pub refund: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether the statement has it a day later, since it came after the cut-off.
    pub next_day: bool,
    /// Our amount.
    pub ours_minor: Option<u64>,
    /// Their amount.
    pub theirs_minor: Option<u64>,
    /// ISO 4217 number; ours where both sides have one.
    pub currency: u16,
    /// The statement's line, from 1.
    pub line: Option<u64>,
    /// What was booked, or why nothing was, where the statement wins.
    pub correction: Option<&'static str>,
}

/// How many came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// See [`Outcome::Matched`].
    pub matched: u64,
    /// See [`Outcome::AmountDiffers`].
    pub amount_differs: u64,
    /// See [`Outcome::PartyDiffers`].
    pub party_differs: u64,
    /// See [`Outcome::OursOnly`].
    pub ours_only: u64,
    /// See [`Outcome::TheirsOnly`].
    pub theirs_only: u64,
    /// See [`Outcome::Due`].
    pub due: u64,
    /// Of all these, on the statement a day later.
    pub next_day: u64,
    /// Lines that cannot be read.
    pub bad_lines: u64,
}

impl Totals {
    pub(super) fn count(&mut self, row: &ReconciledRow) {
        let counter = match row.outcome {
            Outcome::Matched => &mut self.matched,
            Outcome::AmountDiffers => &mut self.amount_differs,
            Outcome::PartyDiffers { .. } => &mut self.party_differs,
            Outcome::OursOnly => &mut self.ours_only,
            Outcome::TheirsOnly => &mut self.theirs_only,
            Outcome::Due => &mut self.due,
        };
        *counter += 1;
        self.next_day += u64::from(row.next_day);
    }
}

/// What both sides have of a transaction.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) row: ReconciledRow,
    pub(super) ours: Option<Record>,
    pub(super) theirs: Option<Record>,
}

/// Days and the time after which a transaction may stand on the next day's statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) cut_off_second: u32,
}

/// Compares two sorted sides and gives each transaction out once.
pub(super) fn compare(
    mut ours: Sorted,
    mut theirs: Sorted,
    period: Period,
    give: &mut dyn FnMut(Pair) -> Result<(), ReconciliationError>,
) -> Result<(), ReconciliationError> {
    let mut late: Vec<Record> = Vec::new();
    loop {
        let next = [ours.peek(), theirs.peek()].into_iter().flatten().min_by_key(|record| place(record));
        let Some(next) = next.cloned() else { break };
        let follows = late.first().is_some_and(|late| {
            late.group() == next.group()
                && day_number(next.key.date) == day_number(late.key.date).map(|day| day + 1)
        });
        if !follows {
            give_up(std::mem::take(&mut late), period, give)?;
        }
        let (mut our_day, surplus) = same_place(&mut ours, &next)?;
        give_up(surplus, period, give)?;
        let (mut their_day, surplus) = same_place(&mut theirs, &next)?;
        give_theirs(surplus, give)?;
        // The same amount first: of several with one key, each finds its own.
        for same_amount in [true, false] {
            for own in std::mem::take(&mut our_day) {
                match their_day.iter().position(|other| !same_amount || same_money(&own, other)) {
                    Some(at) => give(pair(own, their_day.remove(at), false))?,
                    None => our_day.push(own),
                }
            }
        }
        for own in std::mem::take(&mut late) {
            match their_day.iter().position(|other| same_money(&own, other)) {
                Some(at) => give(pair(own, their_day.remove(at), true))?,
                None => give_up(vec![own], period, give)?,
            }
        }
        give_theirs(their_day, give)?;
        let (waiting, settled): (Vec<_>, Vec<_>) =
            our_day.into_iter().partition(|own| own.second >= period.cut_off_second);
        late = waiting;
        give_up(settled, Period { cut_off_second: u32::MAX, ..period }, give)?;
    }
    give_up(late, period, give)
}

fn place(record: &Record) -> (&str, u32, bool, u32) {
    (&record.key.channel, record.key.trace, record.refund, record.key.date)
}

/// The records of one key, and those above the bound.
fn same_place(side: &mut Sorted, of: &Record) -> Result<(Vec<Record>, Vec<Record>), ReconciliationError> {
    let (mut found, mut surplus) = (Vec::new(), Vec::new());
    while side.peek().is_some_and(|record| place(record) == place(of)) {
        let Some(record) = side.next().transpose()? else { break };
        if found.len() < SAME_KEY { found.push(record) } else { surplus.push(record) }
    }
    Ok((found, surplus))
}

/// Ours that found nobody. Days before the period belong to the statement before.
fn give_up(
    ours: Vec<Record>,
    period: Period,
    give: &mut dyn FnMut(Pair) -> Result<(), ReconciliationError>,
) -> Result<(), ReconciliationError> {
    for own in ours.into_iter().filter(|own| (period.from..=period.to).contains(&own.key.date)) {
        let is_due = own.key.date == period.to && own.second >= period.cut_off_second;
        let outcome = if is_due { Outcome::Due } else { Outcome::OursOnly };
        give(Pair { row: row(&own, outcome, Some(own.amount_minor), None), ours: Some(own), theirs: None })?;
    }
    Ok(())
}

fn give_theirs(
    theirs: Vec<Record>,
    give: &mut dyn FnMut(Pair) -> Result<(), ReconciliationError>,
) -> Result<(), ReconciliationError> {
    for other in theirs {
        let row = row(&other, Outcome::TheirsOnly, None, Some(other.amount_minor));
        give(Pair { row, ours: None, theirs: Some(other) })?;
    }
    Ok(())
}

fn pair(ours: Record, theirs: Record, next_day: bool) -> Pair {
    let differs = |ours, theirs| theirs != UNTOLD && ours != UNTOLD && ours != theirs;
    let (account, name) = (differs(ours.account, theirs.account), differs(ours.name, theirs.name));
    let outcome = match (same_money(&ours, &theirs), account || name) {
        (false, _) => Outcome::AmountDiffers,
        (true, true) => Outcome::PartyDiffers { account, name },
        (true, false) => Outcome::Matched,
    };
    let mut row = row(&ours, outcome, Some(ours.amount_minor), Some(theirs.amount_minor));
    (row.line, row.next_day) = (Some(theirs.line), next_day);
    Pair { row, ours: Some(ours), theirs: Some(theirs) }
}

fn same_money(ours: &Record, theirs: &Record) -> bool {
    (ours.amount_minor, ours.currency) == (theirs.amount_minor, theirs.currency)
}

fn row(of: &Record, outcome: Outcome, ours_minor: Option<u64>, theirs_minor: Option<u64>) -> ReconciledRow {
    ReconciledRow {
        key: of.key.clone(),
        refund: of.refund,
        outcome,
        next_day: false,
        ours_minor,
        theirs_minor,
        currency: of.currency,
        line: (of.line > 0).then_some(of.line),
        correction: None,
    }
}

/// Days since 1970 of a date YYYYMMDD; `None` where there is no such day.
pub(super) fn day_number(date: u32) -> Option<i64> {
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    let at = Timestamp::from_civil(year as i32, month as u8, day as u8, 0, 0, 0)?;
    Some(at.micros().div_euclid(86_400_000_000))
}

/// The date YYYYMMDD of a day since 1970.
pub(super) fn date_of_day(day: i64) -> u32 {
    Timestamp::from_micros(day.saturating_mul(86_400_000_000)).date_number() as u32
}
