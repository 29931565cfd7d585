//! What a phone and its host say to each other, in a touch or later. Either side may tell of
//! a transfer, as often as it likes: it is one row, and only the host's signature ends it.

use super::TransferError;
use super::book::Entry;
use super::phone::Phone;
use super::rules::TransferRule;
use super::state::{Transfer, TransferState, Way};
use crate::air::host::{
    Answer, Entry as ReadingWay, Host, HostError, Kind, MessageClass, MessageKey, Request,
};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::words::dictionary::tag;
use crate::words::tlv::TlvStore;
use crate::words::transfer::{Contents, HostOutcome, HostReceipt, Refusal, Signed, Withdrawal};

/// F60.2 of a phone: it has no batches.
const BATCH: u32 = 1;

/// What a settlement did about a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The transfer as it stands now.
    pub transfer: Transfer,
    /// Why it does not stand fast yet: the host was not reached, or did not say.
    pub trouble: Option<String>,
}

/// Tells the host of every transfer that has not ended, and withdraws offers that have run
/// out. A transfer whose end the holder is told here does not come first any more.
///
/// # Errors
/// The phone's store fails. A host that does not answer is told in [`Settled::trouble`].
pub fn settle(
    phone: &mut Phone,
    host: &mut dyn Host,
    context: &mut Context,
) -> Result<Vec<Settled>, TransferError> {
    let mut settled = Vec::new();
    for mut entry in phone
        .entries("WHERE state <> 'refused' AND (state <> 'booked' OR is_open = 1) ORDER BY at, id", &[])?
    {
        if entry.state == TransferState::Booked {
            phone.close(entry.id())?;
            continue;
        }
        if !phone.is_due(&entry, context) {
            continue;
        }
        let request = phone.request(&entry, context)?;
        let answer = host.authorise(&request, context);
        let trouble = phone.hear(&mut entry, &answer, context)?;
        if entry.state.is_final() && entry.is_open {
            phone.close(entry.id())?;
        }
        settled.push(Settled { transfer: entry.told(), trouble });
    }
    Ok(settled)
}

impl Phone {
    /// The question about a transfer: that it is agreed to, or that it is not wanted any more.
    pub(super) fn request(&mut self, entry: &Entry, context: &mut Context) -> Result<Request, TransferError> {
        let mut chip = TlvStore::new();
        chip.put(tag::TRANSFER_OFFER, entry.offer.to_bytes());
        let kind = match &entry.agreement {
            Some(agreement) => {
                chip.put(tag::TRANSFER_AGREEMENT, agreement.to_bytes());
                Kind::PhoneTransfer
            }
            None => {
                let withdrawal = Withdrawal { made: context.now() };
                let withdrawal = Signed::sign(withdrawal, &entry.id().0, &self.key)?;
                chip.put(tag::TRANSFER_WITHDRAWAL, withdrawal.to_bytes());
                Kind::PhoneTransferWithdrawal
            }
        };
        let (class, batch, trace) = (MessageClass::Request, BATCH, self.next_trace()?);
        let (merchant, terminal) = self.names.clone();
        Ok(Request {
            key: MessageKey { class, merchant, terminal, batch, trace },
            kind,
            amount: entry.offer.contents.amount,
            pan: Secret::new(String::new()),
            psn: 0,
            entry: ReadingWay::ContactlessQuick,
            at: context.now(),
            chip,
            pin: None,
            original: None,
            payer: None,
        })
    }

    /// Takes the host's answer; what is not signed ends nothing, and is told.
    pub(super) fn hear(
        &mut self,
        entry: &mut Entry,
        answer: &Result<Answer, HostError>,
        context: &mut Context,
    ) -> Result<Option<String>, TransferError> {
        self.write_late(entry, context)?;
        let trouble = match answer {
            Err(error) => error.to_string(),
            Ok(answer) => {
                let receipt = answer.chip.value(tag::TRANSFER_RECEIPT).map(Signed::<HostReceipt>::parse);
                entry.reason.clone_from(&answer.reason);
                match receipt {
                    Some(Ok(receipt)) => match self.believe(entry, &receipt)? {
                        Ok(()) => return Ok(None),
                        Err(_) => {
                            "the host's receipt is not signed by the host that opened this phone".into()
                        }
                    },
                    Some(Err(error)) => error.to_string(),
                    None => format!("{}: {}", answer.code, answer.reason),
                }
            }
        };
        if !self.rules.keeps(TransferRule::SignedOutcomes) {
            self.go(entry, TransferState::Refused)?;
        }
        Ok(Some(trouble))
    }

    /// Takes what the host has signed about a transfer; refuses what it has not.
    pub(super) fn believe(
        &mut self,
        entry: &mut Entry,
        receipt: &Signed<HostReceipt>,
    ) -> Result<Result<(), Refusal>, TransferError> {
        let Ok(told) = receipt.verify(&entry.id().0, &self.own()?.host_key).copied() else {
            return Ok(Err(Refusal::NOT_BELIEVED));
        };
        if entry.reason.is_empty() {
            entry.reason = format!("{} {}", HostReceipt::NAME, String::from_utf8_lossy(&told.code));
        }
        entry.receipt = Some(receipt.clone());
        let to = match told.outcome {
            HostOutcome::Booked => TransferState::Booked,
            HostOutcome::Refused => TransferState::Refused,
        };
        // Nothing is left to be told to the other side.
        entry.is_open &= to == TransferState::Booked;
        self.go(entry, to)?;
        Ok(Ok(()))
    }

    fn is_due(&self, entry: &Entry, context: &Context) -> bool {
        match (entry.way, entry.state) {
            (Way::Receives, TransferState::Offered) => {
                let has_lapsed = context.now() > entry.offer.contents.expires;
                has_lapsed && self.rules.keeps(TransferRule::WithdrawLapsed)
            }
            (Way::Pays, _) => self.rules.keeps(TransferRule::TellAgreed),
            (Way::Receives, _) => true,
        }
    }
}
