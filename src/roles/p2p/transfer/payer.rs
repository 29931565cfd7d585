//! The payer's side: what it agrees to, and that it never agrees twice to what it meant once.

use super::TransferError;
use super::ask::Confirmation;
use super::book::Entry;
use super::phone::Phone;
use super::rules::TransferRule;
use super::state::{TransferState, Way};
use crate::base::context::Context;
use crate::words::iso4217::Amount;
use crate::words::transfer::{
    Agreement, Certificate, HostReceipt, Offer, PhoneReceipt, Refusal, Signed, TouchMessage,
};

/// An offer that the holder may confirm.
#[derive(Debug)]
pub(super) struct Considered {
    offer: Signed<Offer>,
    payee: Certificate,
}

/// What a payer does about an offer.
#[derive(Debug)]
pub(super) enum Considering {
    /// It refuses.
    Refuse(Refusal),
    /// It has agreed before, to this or to a former offer of the same payee: that comes first.
    Say(Box<Entry>),
    /// The holder is asked.
    Confirm(Box<Considered>),
}

impl Considered {
    /// What the holder is shown.
    pub fn confirmation(&self) -> Confirmation {
        let amount = self.offer.contents.amount;
        Confirmation { payee_name: self.payee.name.clone(), payee: self.payee.phone(), amount }
    }
}

impl Phone {
    /// Considers an offer. `wanted` is what the holder wants to pay; `asks_host` says whether
    /// the host is asked in this touch.
    pub(super) fn consider(
        &mut self,
        certificate: &Signed<Certificate>,
        offer: &Signed<Offer>,
        wanted: Amount,
        asks_host: bool,
        context: &Context,
    ) -> Result<Considering, TransferError> {
        if !self.believes(certificate, context)? {
            return Ok(Considering::Refuse(Refusal::OTHER_HOST));
        }
        let (payee, terms) = (&certificate.contents, &offer.contents);
        let is_meant =
            (terms.host, terms.payee, terms.payer) == (self.own()?.host(), payee.phone(), self.id());
        let is_signed = offer.verify(&[], &payee.key).is_ok();
        if !is_meant || !is_signed || terms.payee == terms.payer {
            return Ok(Considering::Refuse(Refusal::NOT_BELIEVED));
        }
        if let Some(known) = self.entry(offer.id())? {
            return Ok(match (&known.agreement, known.state) {
                (_, TransferState::Refused) => Considering::Refuse(Refusal::HOST_REFUSED),
                (Some(_), _) => Considering::Say(Box::new(known)),
                (None, _) => Considering::Refuse(Refusal::NOT_BELIEVED),
            });
        }
        if let Some(former) = self.former(payee)? {
            return Ok(Considering::Say(Box::new(former)));
        }
        let refusal = if self.has_lapsed(terms, context) {
            Refusal::EXPIRED
        } else if terms.amount != wanted {
            Refusal::OTHER_AMOUNT
        } else if !asks_host && !self.may_promise(wanted)? {
            Refusal::OFFLINE_LIMIT
        } else {
            let considered = Considered { offer: offer.clone(), payee: payee.clone() };
            return Ok(Considering::Confirm(Box::new(considered)));
        };
        Ok(Considering::Refuse(refusal))
    }

    /// Agrees: from here on the money may move.
    pub(super) fn agree(
        &mut self,
        considered: &Considered,
        context: &mut Context,
    ) -> Result<Result<Entry, Refusal>, TransferError> {
        let Considered { offer, payee } = considered;
        // The holder may have taken a while.
        if self.has_lapsed(&offer.contents, context) {
            return Ok(Err(Refusal::EXPIRED));
        }
        let made = context.now();
        let entry = Entry::new(Way::Pays, TransferState::Agreed, offer.clone(), payee);
        let (key, id) = (self.key.clone(), entry.id());
        let sign = |sequence| Ok(Signed::sign(Agreement { sequence, made }, &id.0, &key)?);
        if self.rules.keeps(TransferRule::KeepAgreement) {
            return Ok(Ok(self.write_agreement(entry, sign, context)?));
        }
        let agreement = Some(sign(self.sequence()?)?);
        Ok(Ok(Entry { agreement, ..entry }))
    }

    fn has_lapsed(&self, offer: &Offer, context: &Context) -> bool {
        context.now() > offer.expires && self.rules.keeps(TransferRule::RefuseLapsed)
    }

    /// What the payer says of an agreement; none of an entry without one.
    pub(super) fn agreement_message(entry: &Entry) -> Option<TouchMessage> {
        let agreement = entry.agreement.clone()?;
        Some(TouchMessage::Agreement {
            offer: entry.offer.clone(),
            agreement,
            receipt: entry.receipt.clone(),
        })
    }

    /// The payee says that it keeps the agreement.
    pub(super) fn acknowledge(
        &mut self,
        entry: &mut Entry,
        receipt: &Signed<PhoneReceipt>,
        host: Option<&Signed<HostReceipt>>,
        context: &mut Context,
    ) -> Result<Result<(), Refusal>, TransferError> {
        if receipt.verify(&entry.id().0, &entry.other_key).is_err() {
            return Ok(Err(Refusal::NOT_BELIEVED));
        }
        self.write_late(entry, context)?;
        if entry.state == TransferState::Agreed {
            entry.is_open = false;
            self.go(entry, TransferState::Acknowledged)?;
        } else {
            self.close(entry.id())?;
        }
        match host {
            Some(host) if !entry.state.is_final() => self.believe(entry, host),
            _ => Ok(Ok(())),
        }
    }

    /// Without the rule to keep agreements first, they are kept when it is too late.
    pub(super) fn write_late(&mut self, entry: &Entry, context: &mut Context) -> Result<(), TransferError> {
        if !self.rules.keeps(TransferRule::KeepAgreement) && self.entry(entry.id())?.is_none() {
            self.write(entry, context)?;
        }
        Ok(())
    }

    /// Whether so much more may be promised before the host has heard of it.
    pub(super) fn may_promise(&mut self, more: Amount) -> Result<bool, TransferError> {
        let limit = self.own()?.certificate.contents.offline_limit;
        let promised = self.entries("WHERE way = 'pays' AND state IN ('agreed', 'acknowledged')", &[])?;
        let sum = promised.iter().map(|entry| entry.offer.contents.amount.minor).sum::<u64>();
        Ok(more.currency == limit.currency && sum.saturating_add(more.minor) <= limit.minor)
    }

    /// The eldest agreement with a payee of which the holder does not know how it ended.
    fn former(&mut self, payee: &Certificate) -> Result<Option<Entry>, TransferError> {
        if !self.rules.keeps(TransferRule::FormerFirst) {
            return Ok(None);
        }
        let which = "WHERE other = $1 AND is_open = 1 AND way = 'pays' ORDER BY at, id";
        Ok(self.entries(which, &[payee.phone().to_string().into()])?.into_iter().next())
    }
}
