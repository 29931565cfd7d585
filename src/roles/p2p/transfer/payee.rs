//! The payee's side: what it offers to whom, and that it says what it keeps only once it
//! keeps it.

use super::TransferError;
use super::book::Entry;
use super::phone::Phone;
use super::rules::TransferRule;
use super::state::{TransferState, Way};
use crate::base::context::Context;
use crate::words::iso4217::Amount;
use crate::words::transfer::{
    Agreement, Certificate, HostReceipt, Offer, PhoneReceipt, Refusal, Signed, TouchMessage,
};
use std::time::Duration;

/// How long an offer may be agreed to: the holder has to look and to say yes.
const OFFER_LIFE: Duration = Duration::from_secs(120);

impl Phone {
    /// Believes whoever greets, or says why not. `wanted` is what the holder wants to be
    /// paid, where it was told.
    pub(super) fn greeted(
        &mut self,
        certificate: &Signed<Certificate>,
        amount: Amount,
        wanted: Option<Amount>,
        context: &Context,
    ) -> Result<Result<Certificate, Refusal>, TransferError> {
        if !self.believes(certificate, context)? {
            return Ok(Err(Refusal::OTHER_HOST));
        }
        let payer = &certificate.contents;
        if wanted.is_some_and(|wanted| wanted != amount) || amount.minor == 0 {
            return Ok(Err(Refusal::OTHER_AMOUNT));
        }
        match payer.phone() == self.id() {
            true => Ok(Err(Refusal::NOT_BELIEVED)),
            false => Ok(Ok(payer.clone())),
        }
    }

    /// Offers this payer to pay so much.
    pub(super) fn offer(
        &mut self,
        payer: &Certificate,
        amount: Amount,
        context: &mut Context,
    ) -> Result<TouchMessage, TransferError> {
        let own = self.own()?;
        let (certificate, host) = (own.certificate.clone(), own.host());
        let made = context.now();
        let offer = Offer {
            host,
            payee: self.id(),
            payer: payer.phone(),
            nonce: context.random(),
            amount,
            made,
            expires: made.plus(OFFER_LIFE),
        };
        let offer = Signed::sign(offer, &[], &self.key)?;
        self.write(&Entry::new(Way::Receives, TransferState::Offered, offer.clone(), payer), context)?;
        Ok(TouchMessage::Offer { certificate, offer })
    }

    /// Keeps an agreement, or says why not. It may be to an offer of before.
    pub(super) fn keep(
        &mut self,
        (offer, agreement): (&Signed<Offer>, &Signed<Agreement>),
        host: Option<&Signed<HostReceipt>>,
        payer: &Certificate,
        asks_host: bool,
    ) -> Result<Result<Entry, Refusal>, TransferError> {
        let id = offer.id();
        let known =
            self.entry(id)?.filter(|entry| entry.way == Way::Receives && entry.other == payer.phone());
        let Some(mut entry) = known else { return Ok(Err(Refusal::NOT_BELIEVED)) };
        if agreement.verify(&id.0, &entry.other_key).is_err() {
            return Ok(Err(Refusal::NOT_BELIEVED));
        }
        let terms = &entry.offer.contents;
        if agreement.contents.made > terms.expires {
            return Ok(Err(Refusal::EXPIRED));
        }
        match entry.state {
            TransferState::Refused => return Ok(Err(Refusal::HOST_REFUSED)),
            TransferState::Offered => {
                let limit = payer.offline_limit;
                let fits = terms.amount.currency == limit.currency && terms.amount.minor <= limit.minor;
                if host.is_none() && !asks_host && !fits {
                    return Ok(Err(Refusal::OFFLINE_LIMIT));
                }
                entry.agreement = Some(agreement.clone());
                if self.rules.keeps(TransferRule::KeepBeforeReceipt) {
                    self.go(&mut entry, TransferState::Kept)?;
                }
            }
            _ => {}
        }
        match host {
            Some(host) if !entry.state.is_final() => {
                let believed = self.believe(&mut entry, host)?;
                Ok(believed.map(|()| entry))
            }
            _ => Ok(Ok(entry)),
        }
    }

    /// What the payee says of what it keeps.
    pub(super) fn receipt_message(
        &self,
        entry: &Entry,
        context: &Context,
    ) -> Result<TouchMessage, TransferError> {
        let receipt = Signed::sign(PhoneReceipt { made: context.now() }, &entry.id().0, &self.key)?;
        Ok(TouchMessage::Receipt { offer: entry.offer.clone(), receipt, host: entry.receipt.clone() })
    }
}
