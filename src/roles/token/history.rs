//! What happened to tokens, bindings and provisionings, on whose word and why. Rows
//! are added and never changed; they hold no card data.

use super::VaultError;
use super::work::Work;
use crate::base::env::Timestamp;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// What happened, as the state tables name it.
    pub what: String,
    /// The state since.
    pub state: String,
    /// On whose word: a requestor, `issuer`, or `service`.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Work<'_> {
    /// Adds a row.
    pub(super) fn note(
        &mut self,
        subject: &str,
        what: &str,
        state: &str,
        by: &str,
        reason: &str,
    ) -> Result<(), VaultError> {
        let id = self.new_id();
        let at = self.now().micros();
        self.tx.execute(
            "INSERT INTO token_history (id, subject, what, state, by_whom, reason, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[id.into(), subject.into(), what.into(), state.into(), by.into(), reason.into(), at.into()],
        )?;
        Ok(())
    }

    /// The history of a token, binding or provisioning, oldest first.
    pub(super) fn history(&mut self, subject: &str) -> Result<Vec<HistoryRow>, VaultError> {
        let rows = self.tx.query(
            "SELECT what, state, by_whom, reason, at FROM token_history WHERE subject = $1 ORDER BY id",
            &[subject.into()],
        )?;
        let mut history = Vec::with_capacity(rows.len());
        for row in rows {
            history.push(HistoryRow {
                what: row.text(0)?.to_owned(),
                state: row.text(1)?.to_owned(),
                by: row.text(2)?.to_owned(),
                reason: row.text(3)?.to_owned(),
                at: Timestamp::from_micros(row.int(4)?),
            });
        }
        Ok(history)
    }
}
