//! What the data of a card prove of a journal row that is in doubt (design: money). Pure:
//! no card and no host is asked here.

use super::journal::{Entry, EntryKind};
use super::read::ApplicationFacts;

/// An entry of the log with the row's transaction counter.
pub(super) fn log_holds(own: &ApplicationFacts, row: &Entry) -> bool {
    let Some(atc) = row.atc else { return false };
    match row.kind {
        kind if kind.writes_card() => own.loads.known().is_some_and(|loads| {
            loads.iter().any(|entry| entry.atc == Some(atc) && entry.second_currency == row.second_currency)
        }),
        _ => own.payments.known().is_some_and(|payments| {
            payments.iter().any(|entry| {
                entry.atc == Some(atc) && entry.amount.map(|a| a.minor) == Some(row.amount.minor)
            })
        }),
    }
}

/// A log that would hold the row had it landed, and does not. The load log is
/// written with every load; the transaction log only where the card says so.
pub(super) fn log_lacks(own: &ApplicationFacts, row: &Entry) -> bool {
    let Some(atc) = row.atc else { return false };
    let (depth, entries): (_, Option<Vec<_>>) = match row.kind {
        kind if kind.writes_card() => {
            (own.log_depths.1, own.loads.known().map(|log| log.iter().map(|entry| entry.atc).collect()))
        }
        EntryKind::OfflineSale if own.logs_offline => {
            (own.log_depths.0, own.payments.known().map(|log| log.iter().map(|entry| entry.atc).collect()))
        }
        _ => return false,
    };
    let (Some(depth), Some(entries)) = (depth, entries) else { return false };
    // An entry without a counter could be this one.
    let Some(counters) = entries.into_iter().collect::<Option<Vec<u16>>>() else { return false };
    let reaches_back = counters.len() < usize::from(depth) || counters.iter().any(|counter| *counter < atc);
    let moved_on = own.atc.known().is_some_and(|now| *now >= atc);
    moved_on && reaches_back && !counters.contains(&atc)
}

/// Whether the balance shows that it landed, or that it did not; `None` when the
/// transaction counter has moved on, or the balance is neither.
pub(super) fn by_balance(own: &ApplicationFacts, row: &Entry) -> Option<bool> {
    if own.atc.known().copied()? != row.atc? {
        return None;
    }
    let set = own.ecash.iter().find(|set| set.currency == row.amount.currency)?;
    let balance = set.balance.known()?.minor;
    let before = row.balance_before_minor?;
    let after = match row.kind {
        kind if kind.writes_card() => row.balance_after_minor?,
        EntryKind::OfflineSale => before.checked_sub(row.amount.minor)?,
        _ => return None,
    };
    match balance {
        _ if balance == after => Some(true),
        _ if balance == before => Some(false),
        _ => None,
    }
}
