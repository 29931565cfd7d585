//! The end of a terminal's day: batches are closed, their sums told to the host, and
//! their details where it does not agree. Each step is in the journal before it is
//! taken, so that whatever breaks off goes on where it was.

use super::config::TerminalConfig;
use super::error::TerminalError;
use super::journal::{Batch, BatchState, Journal};
use super::recovery::{Recovered, settle};
use super::recovery_rule::RecoveryRules;
use crate::air::host::{Answer, BatchStep, Host, HostError, ResponseCode};
use crate::air::link::Card;
use crate::base::context::Context;
use crate::base::event::Event;

/// What became of the settlement of one batch in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchSettled {
    /// The batch as it stands now.
    pub batch: Batch,
    /// What led there, or what it waits for.
    pub why: String,
}

/// What the end of a day came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndOfDay {
    /// The rows that were open.
    pub recovered: Recovered,
    /// The batches; none where the host gave no answer to what was due, since it would
    /// be missing in one of the two sums.
    pub batches: Vec<BatchSettled>,
}

impl EndOfDay {
    /// Whether the host gave no answer to what was due, so that no batch was closed.
    pub fn is_held(&self) -> bool {
        self.recovered.rows.iter().any(|row| row.unanswered)
    }

    /// Whether something is left to be settled.
    pub fn is_due(&self) -> bool {
        self.recovered.due().next().is_some() || self.batches.iter().any(|row| !row.batch.state.is_final())
    }
}

/// Ends the day: settles what is open, with the card that is there now, if any, then
/// the batches.
pub fn end_day(
    journal: &mut Journal,
    card: Option<&mut (dyn Card + '_)>,
    host: &mut dyn Host,
    config: &TerminalConfig,
    rules: RecoveryRules,
    context: &mut Context,
) -> Result<EndOfDay, TerminalError> {
    let recovered = settle(journal, card, host, config, rules, context)?;
    let mut day = EndOfDay { recovered, batches: Vec::new() };
    if !day.is_held() {
        day.batches = settle_batches(journal, host, config, context)?;
    }
    Ok(day)
}

/// Closes the batches that have rows, and settles every closed one that is not settled
/// yet, oldest first.
fn settle_batches(
    journal: &mut Journal,
    host: &mut dyn Host,
    config: &TerminalConfig,
    context: &mut Context,
) -> Result<Vec<BatchSettled>, TerminalError> {
    journal.close_batches(config.currency, context)?;
    let mut run = Run { journal, host, config, context };
    let mut settled = Vec::new();
    for batch in run.journal.batches()?.into_iter().filter(|batch| !batch.state.is_final()) {
        let row = run.settle(batch)?;
        let event = Event::new("terminal", "settlement").because(row.why.clone());
        run.context.emit(event.with_named("batch", row.batch.batch.to_be_bytes()));
        settled.push(row);
    }
    Ok(settled)
}

struct Run<'a> {
    journal: &'a mut Journal,
    host: &'a mut dyn Host,
    config: &'a TerminalConfig,
    context: &'a mut Context,
}

impl Run<'_> {
    fn settle(&mut self, mut batch: Batch) -> Result<BatchSettled, TerminalError> {
        let waits = |batch, why| Ok(BatchSettled { batch, why });
        if batch.state == BatchState::Closed {
            let to = match self.tell(&batch, BatchStep::Compare) {
                Ok(answer) if answer.code.is_approved() => BatchState::Balanced,
                Ok(answer) if answer.code == ResponseCode::NOT_BALANCED => BatchState::Uploading,
                Ok(answer) => return waits(batch, refused("the sums", &answer)),
                Err(error) => return waits(batch, error.to_string()),
            };
            batch = self.journal.write_batch(&batch, to, self.context)?;
        }
        if batch.state == BatchState::Balanced {
            return waits(batch, "the host has the same sums".into());
        }
        let mut details = 0;
        for row in self.journal.batch_rows(batch.batch)? {
            if row.amount.currency != batch.currency || row.side().is_none() {
                continue;
            }
            let detail = row.detail(&self.config.merchant, &self.config.terminal);
            match self.host.advise(&detail, self.context) {
                Ok(answer) if answer.code.is_approved() => details += 1,
                Ok(answer) => return waits(batch, refused("a detail", &answer)),
                Err(error) => return waits(batch, error.to_string()),
            }
        }
        match self.tell(&batch, BatchStep::End) {
            Ok(answer) if answer.code.is_approved() => {
                batch = self.journal.write_batch(&batch, BatchState::Ended, self.context)?;
                waits(batch, format!("details told: {details}; the host: {}", answer.reason))
            }
            Ok(answer) => waits(batch, refused("the end of the details", &answer)),
            Err(error) => waits(batch, error.to_string()),
        }
    }

    fn tell(&mut self, batch: &Batch, step: BatchStep) -> Result<Answer, HostError> {
        let totals = batch.totals(step, &self.config.merchant, &self.config.terminal);
        self.host.settle(&totals, self.context)
    }
}

fn refused(what: &str, answer: &Answer) -> String {
    format!("the host answered {} to {what}: {}", answer.code, answer.reason)
}
