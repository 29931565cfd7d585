//! What the verbs of a token's life do in the vault. Each is one transaction, acts
//! once, and is in the history.

use super::VaultError;
use super::record::{TokenRow, expiry};
use super::states::{BindingEvent, TokenEvent};
use super::work::{Work, by_whom, unknown};
use crate::air::host::{FundingCard, Party, RequestorId, TokenReference, TokenState, TokenVerb, TokenView};

/// Which event a verb is, by who says it.
pub(super) fn event_of(verb: TokenVerb, by: &Party) -> TokenEvent {
    match (verb, by) {
        (TokenVerb::Suspend, Party::Wallet(_)) => TokenEvent::Suspend,
        (TokenVerb::Suspend, Party::Issuer) => TokenEvent::Hold,
        (TokenVerb::Resume, Party::Wallet(_)) => TokenEvent::Resume,
        (TokenVerb::Resume, Party::Issuer) => TokenEvent::Release,
        (TokenVerb::Remove, _) => TokenEvent::Remove,
    }
}

impl Work<'_> {
    /// A token that a party may see, with its account held.
    pub(super) fn seen_by(&mut self, reference: &TokenReference, by: &Party) -> Result<TokenRow, VaultError> {
        let token = self.token(&reference.0)?.filter(|token| sees(by, &token.requestor));
        let token = token.ok_or_else(|| unknown("token"))?;
        self.funding(&token.funding)?;
        // Read again: whoever held the account may have changed it.
        self.token(&reference.0)?.ok_or_else(|| unknown("token"))
    }

    /// Suspends, resumes or removes.
    pub(super) fn change(
        &mut self,
        reference: &TokenReference,
        verb: TokenVerb,
        by: &Party,
    ) -> Result<TokenView, VaultError> {
        let token = self.seen_by(reference, by)?;
        let reason = match by {
            Party::Wallet(_) => "told by the wallet",
            Party::Issuer => "told by the issuer",
        };
        let next = self.token_event(&token, event_of(verb, by), by_whom(by), reason)?;
        if next == TokenState::Terminated {
            self.unbind_if_idle(&token.binding, "its last token is removed")?;
        }
        self.view(&token.id)
    }

    /// Holds every token on a device.
    pub(super) fn lose_device(
        &mut self,
        requestor: &RequestorId,
        device: &str,
        by: &Party,
    ) -> Result<Vec<TokenView>, VaultError> {
        if !sees(by, requestor) {
            return Err(unknown("token"));
        }
        let tokens = self.tokens_where(
            "requestor = $1 AND device = $2 AND state <> 'terminated'",
            &[requestor.digits().into(), device.into()],
        )?;
        for token in &tokens {
            self.token_event(token, TokenEvent::Hold, by_whom(by), "the device is lost")?;
        }
        self.views(&tokens)
    }

    /// Gives a token a later expiry.
    pub(super) fn renew(&mut self, reference: &TokenReference, by: &Party) -> Result<TokenRow, VaultError> {
        let token = self.seen_by(reference, by)?;
        self.token_event(&token, TokenEvent::Renew, by_whom(by), "renewed")?;
        let later = expiry(self.rules, self.now().date_number());
        if later > token.expiry {
            self.tx.execute(
                "UPDATE token SET expiry = $1 WHERE id = $2",
                &[later.into(), token.id.as_str().into()],
            )?;
            self.note(&token.id, "Renew", "active", by_whom(by), "a later expiry")?;
        }
        self.token(&token.id)?.ok_or_else(|| unknown("token"))
    }

    /// The tokens of an account move to another card. Where that card is in a device by
    /// itself already, its own token stays the only one there.
    pub(super) fn move_card(&mut self, funding: &str, card: &FundingCard) -> Result<(), VaultError> {
        let before = self.funding(funding)?;
        let after = self.move_funding(funding, card)?;
        if before.card == after.card {
            return Ok(());
        }
        for token in self.tokens_where(TokenRow::LIVE_OF_FUNDING, &[funding.into()])? {
            let reason = "the physical card is replaced; token and reference stay";
            self.token_event(&token, TokenEvent::MoveCard, "issuer", reason)?;
            self.note(&token.id, "MoveCard", super::states::Word::word(token.state), "issuer", reason)?;
            let others = self.of_card_on_device(&after.card, &token)?;
            if others.iter().any(|other| other.state == TokenState::Active) {
                let reason = "the new card is in the device already";
                self.token_event(&token, TokenEvent::Supersede, "service", reason)?;
                self.unbind_if_idle(&token.binding, reason)?;
            }
        }
        Ok(())
    }

    /// A cancelled card kills its tokens and ends its bindings.
    pub(super) fn cancel_card(&mut self, funding: &str) -> Result<(), VaultError> {
        self.cancel_funding(funding)?;
        let reason = "the physical card is cancelled";
        for token in self.tokens_where(TokenRow::LIVE_OF_FUNDING, &[funding.into()])? {
            self.token_event(&token, TokenEvent::CancelCard, "issuer", reason)?;
        }
        for open in self.unfinished("funding = $1", &[funding.into()])? {
            self.roll_back(&open, reason)?;
        }
        let rows = self.tx.query("SELECT id FROM token_binding WHERE funding = $1", &[funding.into()])?;
        for row in rows {
            self.binding_event(row.text(0)?, BindingEvent::Unbind, reason)?;
        }
        Ok(())
    }

    /// The tokens that a party may see, oldest first.
    pub(super) fn seen_tokens(&mut self, by: &Party) -> Result<Vec<TokenView>, VaultError> {
        let tokens = match by {
            Party::Wallet(requestor) => self.tokens_where("requestor = $1", &[requestor.digits().into()])?,
            Party::Issuer => self.tokens_where("1 = 1", &[])?,
        };
        self.views(&tokens)
    }

    /// The tokens of an account that a party may see.
    pub(super) fn tokens_of_funding(
        &mut self,
        funding: &str,
        by: &Party,
    ) -> Result<Vec<TokenView>, VaultError> {
        let mut tokens = self.tokens_where("funding = $1", &[funding.into()])?;
        tokens.retain(|token| sees(by, &token.requestor));
        self.views(&tokens)
    }

    fn views(&mut self, tokens: &[TokenRow]) -> Result<Vec<TokenView>, VaultError> {
        tokens.iter().map(|token| self.view(&token.id)).collect()
    }
}

fn sees(by: &Party, requestor: &RequestorId) -> bool {
    match by {
        Party::Wallet(own) => own == requestor,
        Party::Issuer => true,
    }
}
