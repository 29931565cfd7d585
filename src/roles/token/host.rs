//! The token service as a host that stands before an issuer. What is no token goes
//! through as it is; a token's tap is checked, swapped and passed on with its proof.

use super::states::BindingEvent;
use super::swap::swapped;
use super::tap::Tapped;
use super::vault::Vault;
use crate::air::host::{
    Answer, BatchTotals, Delivery, FundingHost, Host, HostError, Kind, Request, ResponseCode,
};
use crate::base::context::Context;
use crate::words::emv::Pan;

/// What a token does: it pays, online.
const TAKEN: &[Kind] = &[
    Kind::Purchase,
    Kind::BalanceInquiry,
    Kind::PreAuthorisation,
    Kind::PreAuthorisationCompletion,
    Kind::PreAuthorisationCancel,
];

/// A token service before an issuer.
pub struct TokenHost {
    vault: Vault,
    issuer: Box<dyn FundingHost>,
}

impl TokenHost {
    /// Puts the service before an issuer.
    pub fn new(vault: Vault, issuer: Box<dyn FundingHost>) -> Self {
        Self { vault, issuer }
    }

    /// A message about something that was: the issuer gets it whatever the token's state.
    fn pass_on(
        &mut self,
        request: &Request,
        context: &mut Context,
        pass: fn(&mut dyn FundingHost, &Request, &mut Context) -> Result<Answer, HostError>,
    ) -> Result<Answer, HostError> {
        if !is_token(request) {
            return pass(self.issuer.as_mut(), request, context);
        }
        match self.vault.work(context, |work| work.swap(request))? {
            Some(swapped) => pass(self.issuer.as_mut(), &swapped, context),
            None => Ok(Answer::new(ResponseCode::NO_SUCH_CARD, "there is no such token")),
        }
    }
}

impl Host for TokenHost {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        if !is_token(request) {
            return self.issuer.authorise(request, context);
        }
        if !TAKEN.contains(&request.kind) {
            return Ok(pays_online_only());
        }
        let pass = match self.vault.work(context, |work| work.tap(request))? {
            Tapped::Refuse(answer) => return Ok(answer),
            Tapped::Pass(pass) => pass,
        };
        let swapped = swapped(request, &pass.card);
        let mut answer = self.issuer.authorise_for_token(&swapped, &pass.verified, context)?;
        if answer.code.is_approved() && pass.on_trial && request.kind == Kind::Purchase {
            self.vault.work(context, |work| {
                work.binding_event(&pass.binding, BindingEvent::Pay, "its first payment succeeded")
            })?;
        }
        pass.account.tell(&mut answer);
        Ok(answer)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        if is_token(request) && request.kind == Kind::OfflineSale {
            return Ok(pays_online_only());
        }
        self.pass_on(request, context, |issuer, request, context| issuer.advise(request, context))
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.pass_on(request, context, |issuer, request, context| issuer.reverse(request, context))
    }

    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        self.issuer.settle(totals, context)
    }

    fn delivery(&mut self) -> Delivery {
        self.issuer.delivery()
    }
}

fn is_token(request: &Request) -> bool {
    request.pan.expose().starts_with(Pan::TOKEN_BIN)
}

fn pays_online_only() -> Answer {
    Answer::new(ResponseCode::INVALID_TRANSACTION, "a token pays online and does nothing else")
}
