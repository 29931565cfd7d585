//! One touch, from one phone: what is said over SNEP, in which order, and what is kept
//! before. It is asked to go on after every turn of the link, and waits for nobody.

use super::ask::Ask;
use super::book::Entry;
use super::inbox::Inbox;
use super::payer::{Considered, Considering};
use super::phone::Phone;
use super::rules::TransferRule;
use super::state::{TransferState, Way};
use super::{PAYEE_SERVICE, PAYER_SERVICE, TransferError};
use crate::air::host::{Answer, HostError};
use crate::base::context::Context;
use crate::roles::p2p::llcp::{Link, LinkParameters};
use crate::roles::p2p::snep::{Client, Server};
use crate::words::iso4217::Amount;
use crate::words::transfer::{Certificate, Refusal, TouchMessage, TransferId};
use std::collections::VecDeque;
use std::time::Duration;

/// What a phone is told to do in a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Which side it is on.
    pub way: Way,
    /// How much; a payee may leave it to the payer.
    pub amount: Option<Amount>,
    /// Whether the host is asked during the touch.
    pub asks_host: bool,
}

/// How a touch ended for one phone. One that broke off has no end: the book says what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TouchEnd {
    /// This phone knows that both have it.
    Done {
        /// Which transfer.
        id: TransferId,
        /// Whether it was one of before, which came first; the new one was not agreed to.
        is_former: bool,
    },
    /// It did not go on.
    Refused {
        /// Why.
        why: Refusal,
        /// Whether the other phone says so.
        by_other: bool,
    },
}

#[derive(Debug)]
enum Stage {
    /// Whether the other phone is told the opposite is not known yet.
    Meeting,
    /// The payer has greeted.
    AwaitOffer,
    /// The holder is asked.
    AwaitYes(Box<Considered>),
    /// The payer's host is asked.
    PayerAwaitsHost(Box<Entry>),
    /// The agreement is out.
    AwaitReceipt { entry: Box<Entry>, is_former: bool },
    /// The payee waits to be greeted.
    AwaitGreeting,
    /// The offer is out.
    AwaitAgreement { payer: Box<Certificate>, offered: TransferId },
    /// The payee's host is asked.
    PayeeAwaitsHost(Box<Entry>),
    /// Nothing more is taken.
    Over,
}

/// One touch.
pub struct Touch {
    link: Link,
    server: Server,
    inbox: Inbox,
    outbox: VecDeque<Vec<u8>>,
    client: Option<Client>,
    task: Task,
    stage: Stage,
    ask: Option<Ask>,
    transfer: Option<TransferId>,
    end: Option<TouchEnd>,
    /// Whether the link is closed once all is said.
    closes: bool,
    /// What the payee has to keep once its receipt is delivered, without the rule to keep first.
    kept_late: Option<Box<Entry>>,
}

impl Touch {
    /// A touch that has not met anybody yet.
    ///
    /// # Errors
    /// The link has no point for the service, which cannot be.
    pub fn new(task: Task) -> Result<Self, TransferError> {
        let mut link = Link::new(LinkParameters::default());
        let inbox = Inbox::default();
        let name = if task.way == Way::Pays { PAYER_SERVICE } else { PAYEE_SERVICE };
        let server = Server::listen(&mut link, name, None, inbox.clone())?;
        Ok(Self {
            link,
            server,
            inbox,
            outbox: VecDeque::new(),
            client: None,
            task,
            stage: Stage::Meeting,
            ask: None,
            transfer: None,
            end: None,
            closes: false,
            kept_late: None,
        })
    }

    /// What the phone says of itself in NFC-DEP.
    pub fn general_bytes(&self) -> Vec<u8> {
        self.link.general_bytes()
    }

    /// Takes what the other phone said of itself.
    ///
    /// # Errors
    /// It does not speak LLCP.
    pub fn meet(&mut self, general: &[u8]) -> Result<(), TransferError> {
        Ok(self.link.meet(general)?)
    }

    /// How long the other phone may be silent.
    pub fn timeout(&self) -> Duration {
        self.link.timeout()
    }

    /// Whether the link is up.
    pub fn is_open(&self) -> bool {
        self.link.is_open()
    }

    /// How it ended, once it has.
    pub fn end(&self) -> Option<TouchEnd> {
        self.end
    }

    /// The transfer that it is about, once there is one.
    pub fn transfer(&self) -> Option<TransferId> {
        self.transfer
    }

    /// Takes what was heard.
    ///
    /// # Errors
    /// It is no unit of LLCP.
    pub fn take(&mut self, heard: &[u8]) -> Result<(), TransferError> {
        Ok(self.link.take(heard)?)
    }

    /// What is to be said next.
    pub fn say_next(&mut self) -> Vec<u8> {
        self.link.say_next()
    }

    /// Goes on as far as it can, and says what it wants to know.
    ///
    /// # Errors
    /// The phone's store fails, or the other phone does not take what is said.
    pub fn poll(&mut self, phone: &mut Phone, context: &mut Context) -> Result<Option<Ask>, TransferError> {
        if matches!(self.stage, Stage::Meeting) {
            self.find(phone)?;
        }
        self.server.poll(&mut self.link)?;
        while let Some(message) = self.inbox.next() {
            self.hear(&message, phone, context)?;
        }
        self.speak(phone)?;
        Ok(self.ask.take())
    }

    /// The holder has answered.
    ///
    /// # Errors
    /// The phone's store fails.
    pub fn confirmed(
        &mut self,
        yes: bool,
        phone: &mut Phone,
        context: &mut Context,
    ) -> Result<(), TransferError> {
        let considered = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::AwaitYes(considered) => considered,
            other => {
                self.stage = other;
                return Ok(());
            }
        };
        if !yes {
            return self.refuse(Refusal::DECLINED);
        }
        match phone.agree(&considered, context)? {
            Err(refusal) => self.refuse(refusal),
            Ok(entry) if self.task.asks_host => {
                self.transfer = Some(entry.id());
                self.ask = Some(Ask::Host(Box::new(phone.request(&entry, context)?)));
                self.stage = Stage::PayerAwaitsHost(Box::new(entry));
                Ok(())
            }
            Ok(entry) => self.promise(entry, false),
        }
    }

    /// The host has answered, or has not.
    ///
    /// # Errors
    /// The phone's store fails.
    pub fn host_answered(
        &mut self,
        answer: &Result<Answer, HostError>,
        phone: &mut Phone,
        context: &mut Context,
    ) -> Result<(), TransferError> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::PayerAwaitsHost(mut entry) => {
                phone.hear(&mut entry, answer, context)?;
                match entry.state {
                    TransferState::Refused => self.refuse(Refusal::HOST_REFUSED),
                    TransferState::Booked => self.promise(*entry, false),
                    // Nobody knows whether the host has it; what was agreed to counts already.
                    _ => match phone.may_promise(Amount::new(0, entry.offer.contents.amount.currency))? {
                        true => self.promise(*entry, false),
                        false => self.refuse(Refusal::OFFLINE_LIMIT),
                    },
                }
            }
            Stage::PayeeAwaitsHost(mut entry) => {
                phone.hear(&mut entry, answer, context)?;
                if entry.state == TransferState::Refused {
                    self.end = ended(&entry, false, false);
                }
                self.acknowledge(*entry, phone, context)
            }
            other => {
                self.stage = other;
                Ok(())
            }
        }
    }

    /// Looks whether the other phone is told the opposite.
    fn find(&mut self, phone: &Phone) -> Result<(), TransferError> {
        match (self.link.look_up(self.other_service()), self.task.way) {
            (None, _) => {}
            (Some(None), way) => {
                let why = if way == Way::Pays { Refusal::PAYS_TOO } else { Refusal::RECEIVES_TOO };
                self.end = Some(TouchEnd::Refused { why, by_other: true });
                self.stage = Stage::Over;
                self.closes = true;
            }
            (Some(Some(_)), Way::Receives) => self.stage = Stage::AwaitGreeting,
            (Some(Some(_)), Way::Pays) => {
                let certificate = phone.own()?.certificate.clone();
                let nothing = Amount::new(0, certificate.contents.offline_limit.currency);
                let amount = self.task.amount.unwrap_or(nothing);
                self.say(&TouchMessage::Greeting { certificate, amount })?;
                self.stage = Stage::AwaitOffer;
            }
        }
        Ok(())
    }

    fn hear(
        &mut self,
        message: &[u8],
        phone: &mut Phone,
        context: &mut Context,
    ) -> Result<(), TransferError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let message = match (TouchMessage::parse(message), &stage) {
            (_, Stage::Over) => return Ok(()),
            (Ok(TouchMessage::Refusal(why)), _) => {
                self.end = Some(TouchEnd::Refused { why, by_other: true });
                return Ok(());
            }
            (Ok(message), _) => message,
            (Err(_), _) => return self.refuse(Refusal::NOT_BELIEVED),
        };
        match (stage, message) {
            (Stage::AwaitGreeting, TouchMessage::Greeting { certificate, amount }) => {
                let wanted = self.task.amount;
                match phone.greeted(&certificate, amount, wanted, context)? {
                    Err(refusal) => self.refuse(refusal),
                    Ok(payer) => {
                        let message = phone.offer(&payer, amount, context)?;
                        let TouchMessage::Offer { offer, .. } = &message else { return Ok(()) };
                        self.transfer = Some(offer.id());
                        self.stage = Stage::AwaitAgreement { payer: Box::new(payer), offered: offer.id() };
                        self.say(&message)
                    }
                }
            }
            (Stage::AwaitOffer, TouchMessage::Offer { certificate, offer }) => {
                let Some(wanted) = self.task.amount else { return self.refuse(Refusal::OTHER_AMOUNT) };
                match phone.consider(&certificate, &offer, wanted, self.task.asks_host, context)? {
                    Considering::Refuse(refusal) => self.refuse(refusal),
                    Considering::Say(entry) => self.promise(*entry, true),
                    Considering::Confirm(considered) => {
                        self.ask = Some(Ask::Confirm(considered.confirmation()));
                        self.stage = Stage::AwaitYes(considered);
                        Ok(())
                    }
                }
            }
            (
                Stage::AwaitAgreement { payer, offered },
                TouchMessage::Agreement { offer, agreement, receipt },
            ) => {
                let asks_host = self.task.asks_host;
                let kept = phone.keep((&offer, &agreement), receipt.as_ref(), &payer, asks_host)?;
                let entry = match kept {
                    Err(refusal) => return self.refuse(refusal),
                    Ok(entry) => entry,
                };
                let (id, is_former) = (entry.id(), entry.id() != offered);
                self.transfer = Some(id);
                self.end = ended(&entry, is_former, false);
                if asks_host && !entry.state.is_final() {
                    self.ask = Some(Ask::Host(Box::new(phone.request(&entry, context)?)));
                    self.stage = Stage::PayeeAwaitsHost(Box::new(entry));
                    return Ok(());
                }
                self.acknowledge(entry, phone, context)
            }
            (
                Stage::AwaitReceipt { mut entry, is_former },
                TouchMessage::Receipt { offer, receipt, host },
            ) => {
                if offer.id() != entry.id() {
                    return self.refuse(Refusal::NOT_BELIEVED);
                }
                match phone.acknowledge(&mut entry, &receipt, host.as_ref(), context)? {
                    Err(refusal) => self.refuse(refusal),
                    Ok(()) => {
                        self.end = ended(&entry, is_former, true);
                        Ok(())
                    }
                }
            }
            _ => self.refuse(Refusal::NOT_BELIEVED),
        }
    }

    /// Says what was agreed to.
    fn promise(&mut self, entry: Entry, is_former: bool) -> Result<(), TransferError> {
        let Some(message) = Phone::agreement_message(&entry) else {
            return self.refuse(Refusal::CANNOT_KEEP);
        };
        self.transfer = Some(entry.id());
        self.stage = Stage::AwaitReceipt { entry: Box::new(entry), is_former };
        self.say(&message)
    }

    /// Says that an agreement is kept, and ends the link after that.
    fn acknowledge(&mut self, entry: Entry, phone: &Phone, context: &Context) -> Result<(), TransferError> {
        let message = phone.receipt_message(&entry, context)?;
        if !phone.rules.keeps(TransferRule::KeepBeforeReceipt) {
            self.kept_late = Some(Box::new(entry));
        }
        self.closes = true;
        self.say(&message)
    }

    fn refuse(&mut self, why: Refusal) -> Result<(), TransferError> {
        self.stage = Stage::Over;
        self.end = Some(TouchEnd::Refused { why, by_other: false });
        self.closes = true;
        self.say(&TouchMessage::Refusal(why))
    }

    fn say(&mut self, message: &TouchMessage) -> Result<(), TransferError> {
        self.outbox.push_back(message.to_ndef()?);
        Ok(())
    }

    /// Puts what is to be said, one after another.
    fn speak(&mut self, phone: &mut Phone) -> Result<(), TransferError> {
        if let Some(client) = &mut self.client {
            match client.poll(&mut self.link) {
                None => return Ok(()),
                Some(put) => {
                    self.client = None;
                    put?;
                }
            }
        }
        if let Some(message) = self.outbox.pop_front() {
            let service = self.other_service();
            self.client = Some(Client::put_to(&mut self.link, service, &message)?);
        } else if self.closes {
            if let Some(mut entry) = self.kept_late.take()
                && entry.state == TransferState::Offered
            {
                phone.go(&mut entry, TransferState::Kept)?;
            }
            self.closes = false;
            self.link.close();
        }
        Ok(())
    }

    fn other_service(&self) -> &'static str {
        match self.task.way {
            Way::Pays => PAYEE_SERVICE,
            Way::Receives => PAYER_SERVICE,
        }
    }
}

/// How a touch ended whose transfer both phones have: done, unless the host refuses it.
fn ended(entry: &Entry, is_former: bool, by_other: bool) -> Option<TouchEnd> {
    Some(match entry.state {
        TransferState::Refused => TouchEnd::Refused { why: Refusal::HOST_REFUSED, by_other },
        _ => TouchEnd::Done { id: entry.id(), is_former },
    })
}
