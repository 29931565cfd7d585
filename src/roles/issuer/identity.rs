//! The issuer as a token service meets it: the one who knows holders and cards, and
//! the host that takes a token's proof.

use super::hold::HoldStep;
use super::holder::Held;
use super::{AccountId, CardOrder, Issuer, IssuerError};
use crate::air::host::{
    Answer, BindingChange, CodeCheck, CodeSent, ElementCheck, FundingHost, Holder, HostError, Identity, Kind,
    MessageClass, Request, ResponseCode, Standing,
};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::words::emv::Pan;
use crate::words::pboc::VerifiedCryptogram;

impl Issuer {
    /// Says who holds an account, and so every card that is linked to it and has no
    /// holder of its own.
    pub fn set_account_holder(
        &mut self,
        account: &AccountId,
        holder: &Holder,
        context: &mut Context,
    ) -> Result<(), IssuerError> {
        self.work(context, |work| {
            work.account_currency(&account.0)?;
            work.set_holder(Held::Account(&account.0), holder)
        })
    }

    /// Says who holds a card.
    pub fn set_card_holder(
        &mut self,
        pan: &Pan,
        psn: u8,
        holder: &Holder,
        context: &mut Context,
    ) -> Result<(), IssuerError> {
        self.work(context, |work| {
            let card = work.find_card(pan.expose(), psn)?.ok_or(IssuerError::NoSuchCard { psn })?;
            work.set_holder(Held::Card(&card.id), holder)
        })
    }

    /// How the card of a number stands that is in use, else the last one; `None` where
    /// there never was one.
    pub fn card_standing(
        &mut self,
        pan: &Pan,
        context: &mut Context,
    ) -> Result<Option<Standing>, IssuerError> {
        self.work(context, |work| work.standing(pan))
    }

    /// Puts another card on file in the place of one, which is out of use from now on.
    /// Told twice, it acts once.
    pub fn replace_card(
        &mut self,
        pan: &Pan,
        psn: u8,
        order: &CardOrder,
        context: &mut Context,
    ) -> Result<(), IssuerError> {
        self.work(context, |work| work.replace_card(pan, psn, order))
    }

    /// Takes a card out of use for good; `false` where there is no such card.
    pub fn cancel_card(&mut self, pan: &Pan, psn: u8, context: &mut Context) -> Result<bool, IssuerError> {
        self.work(context, |work| work.cancel_card(pan, psn))
    }

    /// What the phone of a card's holder shows: the newest one-time code, while it is good.
    pub fn code_on_phone(
        &mut self,
        pan: &Pan,
        context: &mut Context,
    ) -> Result<Option<Secret<String>>, IssuerError> {
        self.work(context, |work| work.code_on_phone(pan))
    }

    /// How many bindings of a card are in effect, as token services have told.
    pub fn bindings(&mut self, pan: &Pan, context: &mut Context) -> Result<u64, IssuerError> {
        self.work(context, |work| work.bindings(pan))
    }
}

impl Identity for Issuer {
    fn standing(&mut self, pan: &Pan, context: &mut Context) -> Result<Option<Standing>, HostError> {
        Ok(self.card_standing(pan, context)?)
    }

    fn check(
        &mut self,
        pan: &Pan,
        holder: &Holder,
        context: &mut Context,
    ) -> Result<ElementCheck, HostError> {
        Ok(self.work(context, |work| work.check_elements(pan, holder))?)
    }

    fn send_code(
        &mut self,
        key: &str,
        pan: &Pan,
        context: &mut Context,
    ) -> Result<Option<CodeSent>, HostError> {
        Ok(self.work(context, |work| work.send_code(key, pan))?)
    }

    fn confirm_code(
        &mut self,
        key: &str,
        code: &Secret<String>,
        context: &mut Context,
    ) -> Result<CodeCheck, HostError> {
        Ok(self.work(context, |work| work.confirm_code(key, code))?)
    }

    fn binding_changed(
        &mut self,
        pan: &Pan,
        binding: &str,
        change: BindingChange,
        context: &mut Context,
    ) -> Result<(), HostError> {
        Ok(self.work(context, |work| work.note_binding(pan, binding, change))?)
    }
}

impl FundingHost for Issuer {
    fn authorise_for_token(
        &mut self,
        request: &Request,
        verified: &VerifiedCryptogram,
        context: &mut Context,
    ) -> Result<Answer, HostError> {
        let step = HoldStep::of(request.kind);
        let is_taken = matches!(request.kind, Kind::Purchase | Kind::BalanceInquiry) || step.is_some();
        if request.key.class != MessageClass::Request || !is_taken {
            let reason = "expected a purchase, inquiry or hold of class request for a token";
            return Ok(Answer::new(ResponseCode::INVALID_TRANSACTION, reason));
        }
        self.message(request, context, |work, request| {
            work.token = Some(verified.clone());
            match (request.kind, step) {
                (_, Some(step)) => work.authorise_hold(request, step),
                (Kind::BalanceInquiry, None) => work.authorise_inquiry(request),
                (_, None) => work.authorise_purchase(request),
            }
        })
    }
}
