//! Settling what is open: reads the card and asks the host, and never guesses. What
//! is in doubt stays so until something proves it (design: money).

use super::config::TerminalConfig;
use super::error::TerminalError;
use super::journal::{Change, Entry, EntryKind, Journal, State};
use super::proof::{by_balance, log_holds, log_lacks};
use super::read::{CardFacts, Depth, read};
use super::recovery_rule::{RecoveryRule, RecoveryRules};
use super::refund::{self, Told};
use crate::air::host::{Host, Settlement};
use crate::air::link::Card;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::iso4217::Amount;

/// Most ways that one row is taken in one run; the longest is three.
const WAY_LIMIT: usize = 8;

/// What became of one open row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Batch and trace number.
    pub trace: (u32, u32),
    /// The card; printed, it is masked.
    pub pan: Pan,
    /// What it was.
    pub kind: EntryKind,
    /// The amount.
    pub amount: Amount,
    /// Its state before.
    pub from: State,
    /// Its state now.
    pub to: State,
    /// What led there, or what it waits for.
    pub why: String,
    /// Whether the host gave no answer to what was due.
    pub unanswered: bool,
}

/// What a run of recovery did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Every row that was open.
    pub rows: Vec<Settled>,
}

impl Recovered {
    /// The rows on which something is still due.
    pub fn due(&self) -> impl Iterator<Item = &Settled> {
        self.rows.iter().filter(|row| !row.to.is_final())
    }
}

/// Settles every open row as far as it can be proven. `card` is the card that is
/// there now, if any.
pub fn settle(
    journal: &mut Journal,
    mut card: Option<&mut (dyn Card + '_)>,
    host: &mut dyn Host,
    config: &TerminalConfig,
    rules: RecoveryRules,
    context: &mut Context,
) -> Result<Recovered, TerminalError> {
    let open = journal.open_rows()?;
    if open.is_empty() {
        return Ok(Recovered::default());
    }
    let wants_card = open.iter().any(|row| row.sent && row.state != State::CardUpdated);
    let (facts, no_card) = match &mut card {
        Some(card) if wants_card => match read(*card, config, Depth::Quick, context) {
            Ok(facts) => (Some(facts), String::new()),
            Err(error) => (None, error.to_string()),
        },
        _ => (None, "the card is away".to_owned()),
    };
    let mut run = Run { journal, card, host, config, rules, facts, no_card, context };
    let rows = open.into_iter().map(|row| run.row(row)).collect::<Result<_, _>>()?;
    Ok(Recovered { rows })
}

pub(super) struct Run<'a, 'c> {
    pub(super) journal: &'a mut Journal,
    /// For what a purse proves: it is asked for each row by itself.
    pub(super) card: Option<&'a mut (dyn Card + 'c)>,
    pub(super) host: &'a mut dyn Host,
    pub(super) config: &'a TerminalConfig,
    pub(super) rules: RecoveryRules,
    facts: Option<CardFacts>,
    /// Why there are no facts.
    pub(super) no_card: String,
    pub(super) context: &'a mut Context,
}

/// What is to be done with a row now.
pub(super) enum Way {
    Write(Change, String),
    Wait(String),
    /// The host gave no answer.
    Unanswered(String),
}

impl Run<'_, '_> {
    fn row(&mut self, opened: Entry) -> Result<Settled, TerminalError> {
        let from = opened.state;
        let mut row = opened;
        let (mut why, mut unanswered) = (String::new(), false);
        for _ in 0..WAY_LIMIT {
            if row.state.is_final() {
                break;
            }
            let (change, reason) = match self.way(&row)? {
                Way::Write(change, reason) => (Some(change), reason),
                Way::Wait(reason) => (None, reason),
                Way::Unanswered(reason) => {
                    unanswered = true;
                    (None, reason)
                }
            };
            why = if why.is_empty() { reason } else { format!("{why}; {reason}") };
            let Some(change) = change else { break };
            self.journal.write((row.batch, row.trace), &change, self.context)?;
            row = self.journal.row(row.batch, row.trace)?;
        }
        self.context.emit(
            Event::new("terminal", "recovery")
                .because(format!("{from} -> {}: {why}", row.state))
                .with_named("trace", row.trace.to_be_bytes()),
        );
        Ok(Settled {
            trace: (row.batch, row.trace),
            pan: row.card.pan.clone(),
            kind: row.kind,
            amount: row.amount,
            from,
            to: row.state,
            why,
            unanswered,
        })
    }

    fn way(&mut self, row: &Entry) -> Result<Way, TerminalError> {
        use RecoveryRule::{CloseUnsent, ReverseUnanswered, ReverseUnsent};
        if row.kind.is_purse() {
            return self.purse_way(row);
        }
        Ok(match (row.state, row.kind) {
            (State::Started, EntryKind::OfflineSale) if row.sent => doubt(),
            (State::Started, EntryKind::OfflineSale) => {
                let reason = "the card was never asked to pay";
                self.if_allowed(CloseUnsent, Change::Declined { reason }, reason)
            }
            (State::Started, EntryKind::Refund) => self.refund(row),
            (State::Started, EntryKind::AccountSale) => {
                let reason = "the card's certificate never came: the account owes nothing";
                self.if_allowed(CloseUnsent, Change::Declined { reason }, reason)
            }
            (State::Started, _) => {
                let reason = "no usable answer from the host";
                self.if_allowed(ReverseUnanswered, Change::ReversalDue { reason }, reason)
            }
            (State::Authorised, _) if row.sent => doubt(),
            (State::Authorised, _) => {
                let reason = "the script was never sent";
                self.if_allowed(ReverseUnsent, Change::ReversalDue { reason }, reason)
            }
            (State::InDoubt, _) => self.prove(row)?,
            (State::ReversalDue, _) => self.reverse(row),
            (State::AdviceDue, _) => self.advise(row),
            (State::CardUpdated, kind) if kind.is_offline_sale() => self.upload(row),
            (State::CardUpdated, _) => self.notify(row)?,
            (state, _) => Way::Wait(format!("{state}: nothing to do")),
        })
    }

    pub(super) fn if_allowed(&self, rule: RecoveryRule, change: Change, reason: &str) -> Way {
        if self.rules.has(rule) { Way::Write(change, reason.into()) } else { Way::Wait(reason.into()) }
    }

    /// In doubt: the card's log, then its balance, then the host.
    fn prove(&mut self, row: &Entry) -> Result<Way, TerminalError> {
        let own = self.facts.as_ref().and_then(|facts| {
            facts.applications.iter().find(|a| a.pan.known() == Some(&row.card.pan) && a.psn == row.card.psn)
        });
        let landed = || Change::CardUpdated { atc: row.atc, chip: None };
        let mut why = match (&self.facts, own) {
            (None, _) => self.no_card.clone(),
            (Some(_), None) => "another card is there".to_owned(),
            (Some(_), Some(_)) => "the card is there and its data prove nothing yet".to_owned(),
        };
        if let Some(own) = own {
            if self.rules.has(RecoveryRule::ProveByLog) && log_holds(own, row) {
                return Ok(Way::Write(landed(), "the card's log holds it".into()));
            }
            if self.rules.has(RecoveryRule::ProveByBalance) {
                match by_balance(own, row) {
                    Some(true) => {
                        return Ok(Way::Write(landed(), "the balance shows that it landed".into()));
                    }
                    Some(false) => return Ok(Way::Write(not_landed(row), "the balance is unchanged".into())),
                    None => {}
                }
            }
            if self.rules.has(RecoveryRule::ProveByAbsence) && log_lacks(own, row) {
                let reason = "the card's log reaches back beyond it and does not hold it";
                return Ok(Way::Write(not_landed(row), reason.into()));
            }
        }
        if row.kind.writes_card() && self.rules.has(RecoveryRule::AskHost) {
            let trace = self.journal.next_trace()?;
            let inquiry = row.inquiry(trace, &self.config.merchant, &self.config.terminal);
            match self.host.advise(&inquiry, self.context).map(|answer| answer.settlement) {
                Ok(Some(Settlement::Landed)) => {
                    let reason = "the host saw the new balance in the card's next cryptogram";
                    return Ok(Way::Write(Change::Confirmed, reason.into()));
                }
                Ok(Some(Settlement::Returned)) => {
                    let reason = "the host saw the old balance in the card's next cryptogram";
                    return Ok(Way::Write(Change::Reversed, reason.into()));
                }
                Ok(_) => why.push_str(", and the host has not seen it since"),
                Err(error) => why = format!("{why}; {error}"),
            }
        }
        Ok(Way::Wait(why))
    }

    pub(super) fn reverse(&mut self, row: &Entry) -> Way {
        if !self.rules.has(RecoveryRule::SendReversal) {
            return Way::Wait("a reversal is due".into());
        }
        let request = row.reversal(&self.config.merchant, &self.config.terminal);
        match self.host.reverse(&request, self.context) {
            Ok(answer) if answer.settlement == Some(Settlement::Landed) => {
                let reason = "the host has proof that the card holds the money";
                Way::Write(Change::Confirmed, reason.into())
            }
            Ok(answer) if answer.code.is_approved() => Way::Write(Change::Reversed, "reversed".into()),
            Ok(answer) => Way::Wait(format!("the host answered {} to the reversal", answer.code)),
            Err(error) => Way::Unanswered(error.to_string()),
        }
    }

    /// Nothing depends on what the issuer says to an advice.
    fn advise(&mut self, row: &Entry) -> Way {
        if !self.rules.has(RecoveryRule::SendNotice) {
            return Way::Wait("an advice is due".into());
        }
        let request = row.advice(&self.config.merchant, &self.config.terminal);
        match self.host.advise(&request, self.context) {
            Ok(answer) => Way::Write(Change::Advised, format!("told; the host answered {}", answer.code)),
            Err(error) => Way::Unanswered(error.to_string()),
        }
    }

    fn notify(&mut self, row: &Entry) -> Result<Way, TerminalError> {
        if !self.rules.has(RecoveryRule::SendNotice) {
            return Ok(Way::Wait("a notice is due".into()));
        }
        let unload = row.kind == EntryKind::Unload;
        let mut request = match unload {
            true => {
                let trace = self.journal.next_trace()?;
                row.confirmation(trace, &self.config.merchant, &self.config.terminal)
            }
            false => row.notice(&self.config.merchant, &self.config.terminal),
        };
        if !request.chip.has(tag::ISSUER_SCRIPT_RESULTS) {
            let result = crate::words::emv::ScriptResult::Succeeded.to_bytes([0; 4]);
            request.chip.put(tag::ISSUER_SCRIPT_RESULTS, result);
        }
        let answer = match unload {
            true => self.host.authorise(&request, self.context),
            false => self.host.advise(&request, self.context),
        };
        Ok(match answer {
            Ok(answer) if answer.code.is_approved() => {
                Way::Write(Change::Confirmed, "the host took note".into())
            }
            // No money depends on what became of the scripts of a purchase.
            Ok(answer) if !row.kind.writes_card() => {
                Way::Write(Change::Confirmed, format!("told; the host answered {}", answer.code))
            }
            Ok(answer) => Way::Wait(format!("the host answered {} to the notice", answer.code)),
            Err(error) => Way::Unanswered(error.to_string()),
        })
    }

    fn upload(&mut self, row: &Entry) -> Way {
        if !row.chip.has(tag::APPLICATION_CRYPTOGRAM) {
            return self.claim(row);
        }
        if !self.rules.has(RecoveryRule::UploadSale) {
            return Way::Wait("an upload is due".into());
        }
        let request = row.upload(&self.config.merchant, &self.config.terminal);
        match self.host.advise(&request, self.context) {
            Ok(answer) if answer.code.is_approved() => Way::Write(Change::Confirmed, "uploaded".into()),
            Ok(answer) => Way::Wait(format!("the host answered {} to the upload", answer.code)),
            Err(error) => Way::Unanswered(error.to_string()),
        }
    }

    /// The card has paid and its certificate was lost with the answer. The host pays nobody
    /// on the terminal's word: it waits for the card's next proven balance.
    pub(super) fn claim(&mut self, row: &Entry) -> Way {
        if !self.rules.has(RecoveryRule::ClaimSale) {
            return Way::Wait("the certificate was lost with the card's answer".into());
        }
        let request = row.claim(&self.config.merchant, &self.config.terminal);
        match self.host.authorise(&request, self.context) {
            Ok(answer) if answer.code.is_approved() => match answer.settlement {
                Some(Settlement::Landed) => {
                    Way::Write(Change::Confirmed, "claimed, and the card's balance proved it".into())
                }
                Some(Settlement::Returned) => {
                    let reason = "the card's next proven balance shows that it did not pay";
                    Way::Write(Change::Declined { reason }, reason.into())
                }
                _ => Way::Wait("claimed: the host waits for the card's next proven balance".into()),
            },
            Ok(answer) => Way::Wait(format!("the host answered {} to the claim", answer.code)),
            Err(error) => Way::Wait(error.to_string()),
        }
    }

    fn refund(&mut self, row: &Entry) -> Way {
        if !self.rules.has(RecoveryRule::SendNotice) {
            return Way::Wait("a refund is due".into());
        }
        match refund::tell(row, self.host, self.config, self.context) {
            Told::Booked => Way::Write(Change::Confirmed, "the host took note".into()),
            Told::Refused(reason) => Way::Write(Change::Declined { reason: refund::REFUSED }, reason),
            Told::Unknown(reason) => Way::Wait(reason),
        }
    }
}

pub(super) fn doubt() -> Way {
    Way::Write(Change::InDoubt, "the card was told to change and no answer came".into())
}

/// It is proven that the card has not changed.
fn not_landed(row: &Entry) -> Change {
    match row.kind {
        EntryKind::OfflineSale => Change::Declined { reason: "the card has not paid" },
        _ => Change::ReversalDue { reason: "the card has not changed" },
    }
}
