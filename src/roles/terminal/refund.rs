//! The refund of an offline payment (电子现金脱机退货): a notice to the host, which moves the
//! money. The card is not raised; where one is there, it must be the card that paid.

use super::config::TerminalConfig;
use super::error::TerminalError;
use super::journal::{Change, Entry, EntryKind, Journal, Opening};
use super::outcome::{Outcome, Verdict};
use super::read::{Depth, read};
use crate::air::host::{Answer, Host, HostError, Original, ResponseCode};
use crate::air::link::Card;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::iso4217::Amount;
use crate::words::tlv::TlvStore;

/// What became of the notice of a refund.
pub(super) enum Told {
    /// The host has booked it.
    Booked,
    /// The host refuses it for good.
    Refused(String),
    /// The host may or may not have heard of it: it is told again.
    Unknown(String),
}

/// Gives the money of an uploaded payment back, or a part of it. `sale` is its row in the
/// journal.
pub fn refund(
    sale: &Entry,
    amount: Amount,
    card: Option<&mut (dyn Card + '_)>,
    journal: &mut Journal,
    host: &mut dyn Host,
    config: &TerminalConfig,
    context: &mut Context,
) -> Result<Outcome, TerminalError> {
    let trace = journal.next_trace()?;
    if let Some(card) = card {
        let facts = read(card, config, Depth::Quick, context)?;
        let is_it = facts
            .applications
            .iter()
            .any(|own| own.pan.known() == Some(&sale.card.pan) && own.psn == sale.card.psn);
        if !is_it {
            let reason = "the card that is there did not pay this sale";
            return Ok(outcome(sale, Verdict::Refused, reason, amount, trace, context));
        }
    }
    let opening = Opening {
        kind: EntryKind::Refund,
        amount,
        card: sale.card.clone(),
        mode: sale.mode,
        batch: trace.0,
        trace: trace.1,
        at: context.now(),
        balance_before_minor: None,
        atc: None,
        chip: TlvStore::new(),
        second_currency: sale.second_currency,
        original: Some(Original { batch: sale.batch, trace: sale.trace }),
    };
    journal.write(trace, &Change::Open(Box::new(opening)), context)?;
    let row = journal.row(trace.0, trace.1)?;
    let (verdict, reason) = match tell(&row, host, config, context) {
        Told::Booked => {
            journal.write(trace, &Change::Confirmed, context)?;
            let reason = "the host took note; the card is not raised, its account or pending credit is";
            (Verdict::Refunded, reason.to_owned())
        }
        Told::Refused(reason) => {
            journal.write(trace, &Change::Declined { reason: REFUSED }, context)?;
            (Verdict::Declined, reason)
        }
        Told::Unknown(reason) => (Verdict::RefundUnconfirmed, reason),
    };
    Ok(outcome(sale, verdict, reason, amount, trace, context))
}

/// Why a row ends whose refund the host refuses.
pub(super) const REFUSED: &str = "the host refused the refund";

/// Tells the host of a refund, for the first time or again: under its key it acts once.
pub(super) fn tell(row: &Entry, host: &mut dyn Host, config: &TerminalConfig, context: &mut Context) -> Told {
    let request = row.refund(&config.merchant, &config.terminal);
    let answer: Result<Answer, HostError> = host.advise(&request, context);
    match answer {
        Ok(answer) if answer.code.is_approved() => Told::Booked,
        // Nothing was decided.
        Ok(answer) if [ResponseCode::MALFUNCTION, ResponseCode::MAC_FAILED].contains(&answer.code) => {
            Told::Unknown(format!("the host answered {}", answer.code))
        }
        Ok(answer) => Told::Refused(format!("the host answered {}: {}", answer.code, answer.reason)),
        Err(error) => Told::Unknown(error.to_string()),
    }
}

fn outcome(
    sale: &Entry,
    verdict: Verdict,
    reason: impl Into<String>,
    amount: Amount,
    trace: (u32, u32),
    context: &mut Context,
) -> Outcome {
    let reason = reason.into();
    context.emit(Event::new("terminal", verdict.word()).because(reason.clone()));
    Outcome {
        verdict,
        language: String::new(),
        reason,
        amount,
        balance_before: None,
        balance_after: None,
        account_balance: None,
        trace,
        atc: None,
        pan: Some(sale.card.pan.clone()),
        funding_last_four: None,
        parameters: None,
        remarks: Vec::new(),
        deferred: None,
        refused_with: None,
        account_reference: None,
    }
}
