//! Bindings: a holder's identity and phone, bound to a card at one requestor. A card
//! has one identity everywhere; no requestor learns of another's bindings.

use super::VaultError;
use super::notice::BINDING_NOTICE;
use super::record::TokenRow;
use super::states::{BINDING_STATES, BINDING_TABLE, BindingEvent, BindingState, Step, Word, step};
use super::work::{Work, state};
use crate::air::host::{BindingChange, Holder, TokenError};
use crate::base::store::Value;

/// What an identity is sealed for: name and identity number.
pub(super) const IDENTITY: &str = "token_binding.identity";
/// What a phone number is sealed for.
pub(super) const PHONE: &str = "token_binding.phone";

/// A binding.
#[derive(Debug, Clone)]
pub(super) struct BindingRow {
    pub(super) id: String,
    pub(super) funding: String,
    pub(super) requestor: String,
    pub(super) state: BindingState,
}

/// What is bound to an account before an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bound {
    /// At any requestor, to another identity.
    pub(super) other_identity: bool,
    /// At this requestor, to another phone.
    pub(super) other_phone: bool,
    /// At this requestor, to anyone.
    pub(super) anyone: bool,
}

impl Work<'_> {
    /// What is in effect for an account.
    pub(super) fn bound(
        &mut self,
        funding: &str,
        requestor: &str,
        holder: &Holder,
    ) -> Result<Bound, VaultError> {
        let [identity, phone] = self.lookups(holder);
        let rows = self.tx.query(
            "SELECT requestor, identity_lookup, phone_lookup FROM token_binding \
             WHERE funding = $1 AND state IN ('bound', 'on trial')",
            &[funding.into()],
        )?;
        let mut bound = Bound::default();
        for row in rows {
            bound.other_identity |= !identity.contains(&row.0[1]);
            if row.text(0)? == requestor {
                bound.anyone = true;
                bound.other_phone |= !phone.contains(&row.0[2]);
            }
        }
        Ok(bound)
    }

    /// The binding of this holder at this requestor that has not ended, else a new one:
    /// the same phone again is the same binding.
    pub(super) fn open_binding(
        &mut self,
        funding: &str,
        requestor: &str,
        holder: &Holder,
    ) -> Result<String, VaultError> {
        let [[identity, old_identity], [phone, old_phone]] = self.lookups(holder);
        let rows = self.tx.query(
            "SELECT id FROM token_binding WHERE funding = $1 AND requestor = $2 AND identity_lookup IN ($3, $4) \
             AND phone_lookup IN ($5, $6) AND state IN ('bound', 'on trial') ORDER BY id",
            &[
                funding.into(),
                requestor.into(),
                identity.clone(),
                old_identity,
                phone.clone(),
                old_phone,
            ],
        )?;
        if let Some(row) = rows.first() {
            return Ok(row.text(0)?.to_owned());
        }
        let id = self.new_id();
        let sealed_identity =
            self.seals.seal(IDENTITY, identity_text(holder).expose().as_bytes(), self.context);
        let sealed_phone = self.seals.seal(PHONE, holder.phone.expose().as_bytes(), self.context);
        let at = self.now().micros();
        self.tx.execute(
            "INSERT INTO token_binding (id, funding, requestor, identity, identity_lookup, phone, \
             phone_lookup, state, at, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9)",
            &[
                id.as_str().into(),
                funding.into(),
                requestor.into(),
                sealed_identity,
                identity,
                sealed_phone,
                phone,
                at.into(),
                self.seals.name().into(),
            ],
        )?;
        self.note(&id, "Begin", BindingState::Pending.word(), requestor, "the terms are accepted")?;
        Ok(id)
    }

    /// A binding.
    pub(super) fn binding(&mut self, id: &str) -> Result<BindingRow, VaultError> {
        let rows = self
            .tx
            .query("SELECT id, funding, requestor, state FROM token_binding WHERE id = $1", &[id.into()])?;
        let row = rows.first().ok_or_else(|| super::funding::absent("token_binding", "a token's binding"))?;
        Ok(BindingRow {
            id: row.text(0)?.to_owned(),
            funding: row.text(1)?.to_owned(),
            requestor: row.text(2)?.to_owned(),
            state: state("token_binding", row.text(3)?)?,
        })
    }

    /// An event of a binding. Where it takes effect, the older one of the card at this
    /// requestor is released, and its tokens with it; what takes effect or ends, the
    /// issuer is told.
    pub(super) fn binding_event(
        &mut self,
        id: &str,
        event: BindingEvent,
        reason: &str,
    ) -> Result<BindingState, VaultError> {
        let row = self.binding(id)?;
        let next = match step(BINDING_TABLE, &BINDING_STATES, event, row.state) {
            Step::To(next) => next,
            Step::Stays => return Ok(row.state),
            Step::No(reason) => return Err(TokenError::State { step: "bind the card", reason }.into()),
        };
        if next == BindingState::Bound {
            self.release_others(&row)?;
        }
        self.tx
            .execute("UPDATE token_binding SET state = $1 WHERE id = $2", &[next.word().into(), id.into()])?;
        self.note(id, &format!("{event:?}"), next.word(), "service", reason)?;
        self.say("Binding Changed", format!("{}: {reason}", next.word()));
        match next {
            BindingState::Bound => self.owe_notice(&row, BindingChange::Bound)?,
            BindingState::Released => self.owe_notice(&row, BindingChange::Released)?,
            _ => {}
        }
        Ok(next)
    }

    /// Ends a binding whose last token is gone.
    pub(super) fn unbind_if_idle(&mut self, id: &str, reason: &str) -> Result<(), VaultError> {
        let live = self.tx.query(
            "SELECT id FROM token WHERE binding = $1 AND state <> 'terminated' LIMIT 1",
            &[id.into()],
        )?;
        if live.is_empty() {
            self.binding_event(id, BindingEvent::Unbind, reason)?;
        }
        Ok(())
    }

    fn release_others(&mut self, row: &BindingRow) -> Result<(), VaultError> {
        let others = self.tx.query(
            "SELECT id FROM token_binding WHERE funding = $1 AND requestor = $2 AND id <> $3 \
             AND state IN ('bound', 'on trial')",
            &[row.funding.as_str().into(), row.requestor.as_str().into(), row.id.as_str().into()],
        )?;
        for other in others {
            let other = other.text(0)?;
            let reason = "another binding of the card took effect";
            self.binding_event(other, BindingEvent::Supersede, reason)?;
            for token in self.tokens_where(TokenRow::LIVE_OF_BINDING, &[other.into()])? {
                self.token_event(&token, super::TokenEvent::Supersede, "service", reason)?;
            }
        }
        Ok(())
    }

    fn owe_notice(&mut self, row: &BindingRow, change: BindingChange) -> Result<(), VaultError> {
        let id = self.new_id();
        let word = BINDING_NOTICE.iter().find(|(known, _)| *known == change).map_or("", |row| row.1);
        self.tx.execute(
            "INSERT INTO token_notice (id, funding, binding, change) VALUES ($1, $2, $3, $4)",
            &[id.into(), row.funding.as_str().into(), row.id.as_str().into(), word.into()],
        )?;
        Ok(())
    }

    /// What identity and phone are found by.
    fn lookups(&self, holder: &Holder) -> [[Value; 2]; 2] {
        let identity = self.seals.found_by(IDENTITY, identity_text(holder).expose().as_bytes());
        [identity, self.seals.found_by(PHONE, holder.phone.expose().as_bytes())]
    }
}

fn identity_text(holder: &Holder) -> crate::base::bytes::Secret<String> {
    format!("{}\n{}", holder.name.expose(), holder.identity_number.expose()).into()
}
