//! The token's number out, the card's in: what the issuer gets to see.

use super::VaultError;
use super::work::Work;
use crate::air::host::{FundingCard, Request};
use crate::base::bytes::Secret;

/// The request with the physical card's number in place of the token's.
pub(super) fn swapped(request: &Request, card: &FundingCard) -> Request {
    Request { pan: Secret::new(card.pan.expose().to_owned()), psn: card.psn, ..request.clone() }
}

impl Work<'_> {
    /// A reversal or notice of a token, in whatever state it is, as the issuer gets it;
    /// `None` where there is no such token.
    pub(super) fn swap(&mut self, request: &Request) -> Result<Option<Request>, VaultError> {
        let Some(token) = self.token_of_pan(request.pan.expose())? else { return Ok(None) };
        let card = self.card_for(request, &token)?;
        Ok(Some(swapped(request, &self.card(&card)?)))
    }
}
