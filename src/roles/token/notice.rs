//! What the issuer is still to be told of bindings: rows that stay until it has been.

use super::VaultError;
use super::work::Work;
use crate::air::host::{BindingChange, FundingCard};

/// Each change and its word in a column.
pub(super) const BINDING_NOTICE: &[(BindingChange, &str)] =
    &[(BindingChange::Bound, "bound"), (BindingChange::Released, "released")];

/// One thing to be told.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    pub(super) id: String,
    pub(super) card: FundingCard,
    pub(super) binding: String,
    pub(super) change: BindingChange,
}

impl Work<'_> {
    /// What is to be told, oldest first, a few at a time.
    pub(super) fn notices(&mut self) -> Result<Vec<Notice>, VaultError> {
        let rows = self.tx.query(
            "SELECT token_notice.id, token_funding.card, token_notice.binding, token_notice.change \
             FROM token_notice JOIN token_funding ON token_funding.id = token_notice.funding \
             ORDER BY token_notice.id LIMIT 16",
            &[],
        )?;
        let mut notices = Vec::with_capacity(rows.len());
        for row in rows {
            let word = row.text(3)?;
            let change = BINDING_NOTICE.iter().find(|(_, known)| *known == word).map(|row| row.0);
            notices.push(Notice {
                id: row.text(0)?.to_owned(),
                card: self.card(row.text(1)?)?,
                binding: row.text(2)?.to_owned(),
                change: change.ok_or_else(|| super::funding::absent("token_notice", "a change"))?,
            });
        }
        Ok(notices)
    }

    /// It has been told.
    pub(super) fn notice_told(&mut self, id: &str) -> Result<(), VaultError> {
        self.tx.execute("DELETE FROM token_notice WHERE id = $1", &[id.into()])?;
        Ok(())
    }
}
