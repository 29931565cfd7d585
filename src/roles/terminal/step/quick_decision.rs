//! The quick path after GET PROCESSING OPTIONS: JR/T 0025.12. The card has decided;
//! a debit becomes final with the last record, so what speaks against it is looked
//! at before that.

use super::balance_proof::{BalanceProof, nothing_moved};
use super::card_action_analysis::{REQUEST_CHIP, row};
use super::initiate_application_processing::Initiated;
use super::offline_data_authentication::may_approve_offline;
use super::processing_restrictions::is_expired;
use super::read_application_data::{card_number, take_record};
use crate::air::host::{HostError, Kind, MessageClass};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::config::Oda;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind};
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::{CryptogramType, Ctq, Tvr};
use crate::words::iso7816::ApduCommand;
use crate::words::iso7816::command::ReadRecord;
use crate::words::pboc::Iad;

const STEP: &str = "Quick path";
const CLAUSE: &str = "JR/T 0025.12";

/// Follows the card's decision.
pub(in crate::roles::terminal) fn begin(
    initiated: Initiated,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let afl = initiated.afl;
    let mut session = initiated.selected.session;
    let Oda::Skip = session.terms.config.oda;
    session.tvr.set(Tvr::ODA_NOT_PERFORMED);
    let (pan, psn) = card_number(&mut session)?;
    let card = CardMark { pan, psn };
    let given = decision(&session)?;
    context.emit(
        Event::new("terminal", format!("the card gave {given}"))
            .clause(CLAUSE)
            .because("from 9F27, or from the CVR in 9F10 where 9F27 is absent"),
    );
    match given {
        CryptogramType::Aac => Ok(refuse(&session, "declined by the card", context)),
        CryptogramType::Arqc => online(session, card, context),
        CryptogramType::Tc => {
            let afl = afl.ok_or(TerminalError::Missing {
                tag: tag::AFL,
                name: "Application File Locator",
                clause: CLAUSE,
            })?;
            let expired = is_expired(&session.store, session.terms.at.yymmdd()) == Some(true);
            let obstacle = match may_approve_offline(&card.pan) {
                _ if expired => Some("the application is expired"),
                Err(reason) => Some(reason),
                Ok(()) => None,
            };
            if let Some(reason) = obstacle {
                // The last record has not been read: the card keeps its money.
                return Ok(refuse(&session, reason, context));
            }
            let mut wanted: Vec<_> =
                afl.records().map(|(sfi, record, _)| ReadRecord { sfi, record }).collect();
            wanted.reverse();
            let opening = row(&mut session, EntryKind::OfflineSale, card);
            Ok(Reading { session, wanted }.next().after(Change::Open(Box::new(opening))))
        }
    }
}

/// Which cryptogram came: 9F27, else bits 6-5 of the first CVR byte.
fn decision(session: &Session) -> Result<CryptogramType, TerminalError> {
    let missing = |tag, name| TerminalError::Missing { tag, name, clause: CLAUSE };
    if let Some([cid]) = session.store.array::<1>(tag::CRYPTOGRAM_INFORMATION_DATA) {
        return CryptogramType::from_bits(cid)
            .ok_or(missing(tag::CRYPTOGRAM_INFORMATION_DATA, "Cryptogram Information Data"));
    }
    let name = "Issuer Application Data";
    let iad = session.store.value(tag::ISSUER_APPLICATION_DATA);
    let iad = Iad::parse(iad.ok_or(missing(tag::ISSUER_APPLICATION_DATA, name))?)?;
    iad.cvr.first_cryptogram().ok_or(missing(tag::ISSUER_APPLICATION_DATA, name))
}

fn refuse(session: &Session, reason: &'static str, context: &mut Context) -> Next {
    Next::done(session.outcome(Verdict::Declined, reason, session.balance_before_minor, context))
}

struct Reading {
    session: Session,
    /// Still to be read, the next one last.
    wanted: Vec<ReadRecord>,
}

impl Reading {
    fn next(self) -> Next {
        let last = self.wanted.len() == 1;
        // An AFL is never empty, so there is a first record.
        let ask = self.wanted.last().copied().unwrap_or(ReadRecord { sfi: 1, record: 1 });
        let next = Next::transmit(ask.to_apdu(), self);
        // With this record the card's money moves.
        if last { next.after(Change::Sending) } else { next }
    }
}

impl Phase for Reading {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        let asked = self.wanted.pop().ok_or(TerminalError::Reply { step: STEP })?;
        if !response.status.is_ok() {
            context.emit(
                Event::new("terminal", "record refused")
                    .clause(CLAUSE)
                    .because(format!("READ RECORD answered {}", response.status)),
            );
            if self.wanted.is_empty() {
                let proof = BalanceProof::of(&self.session);
                let said = format!("the card refused its last record ({})", response.status);
                return Ok(Next::transmit(proof.command(), Refused { session: self.session, proof, said }));
            }
            return Ok(record_refused(&self.session, context));
        }
        if !self.wanted.is_empty() {
            take_record(&mut self.session, asked, &response.data)?;
            return Ok(self.next());
        }
        // The money has moved, whatever the record holds.
        let chip = self.session.chip(REQUEST_CHIP);
        let atc = self.session.store.array(tag::ATC).map(u16::from_be_bytes);
        let amount = self.session.terms.amount.minor;
        let after = self.session.balance_before_minor.map(|before| before.saturating_sub(amount));
        let reason = "the card gave a transaction certificate, and its last record was read";
        let outcome = self.session.outcome(Verdict::ApprovedOffline, reason, after, context);
        Ok(Next::done(outcome).after(Change::CardUpdated { atc, chip: Some(chip) }))
    }
}

/// The last record was refused: the balance says whether the money moved.
struct Refused {
    session: Session,
    proof: BalanceProof,
    said: String,
}

impl Phase for Refused {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let told = self.proof.take(reply)?;
        nothing_moved(&self.session, &self.said, &told)?;
        Ok(record_refused(&self.session, context))
    }
}

fn record_refused(session: &Session, context: &mut Context) -> Next {
    let next = refuse(session, "the card refused a record: its money has not moved", context);
    next.after(Change::Declined { reason: "the card refused a record" })
}

/// The card asks its issuer; it may leave the field.
fn online(session: Session, card: CardMark, context: &mut Context) -> Result<Next, TerminalError> {
    let qualifiers = session.store.array(tag::CTQ).map(Ctq).unwrap_or_default();
    if qualifiers.has(Ctq::ONLINE_PIN_REQUIRED) {
        context.emit(Event::new("terminal", "online PIN").clause(CLAUSE).because("CTQ byte 1 bit 8"));
        let prompt = session.online_pin_prompt(&card.pan);
        return Ok(Next::wait(Io::EnterPin(prompt), EnteringPin { session, card }));
    }
    Ok(authorise(session, card, None))
}

fn authorise(mut session: Session, card: CardMark, pin: Option<Secret<String>>) -> Next {
    let opening = row(&mut session, EntryKind::OnlinePurchase, card.clone());
    let chip = opening.chip.clone();
    let request = session.request(MessageClass::Request, Kind::Purchase, &card, chip, pin);
    Next::wait(Io::Authorise(Box::new(request)), Waiting { session, card })
        .after(Change::Open(Box::new(opening)))
}

struct EnteringPin {
    session: Session,
    card: CardMark,
}

impl Phase for EnteringPin {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        match reply.pin(STEP)? {
            Some(pin) => Ok(authorise(self.session, self.card, Some(pin))),
            None => Ok(refuse(&self.session, "the online PIN is required and was not entered", context)),
        }
    }
}

struct Waiting {
    session: Session,
    card: CardMark,
}

impl Phase for Waiting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let before = self.session.balance_before_minor;
        match reply.answer(STEP)? {
            Ok(answer) if answer.code.is_approved() => {
                let atc = self.session.store.array(tag::ATC).map_or(0, u16::from_be_bytes);
                let chip = self.session.chip(REQUEST_CHIP);
                let outcome = self.session.outcome(Verdict::ApprovedOnline, answer.reason, before, context);
                Ok(Next::done(outcome).after(Change::Confirmed).after(Change::Authorised {
                    atc,
                    balance_after_minor: None,
                    chip,
                }))
            }
            Ok(answer) => {
                let reason = format!("the host answered {}: {}", answer.code, answer.reason);
                let outcome = self.session.outcome(Verdict::Declined, reason, before, context);
                Ok(Next::done(outcome).after(Change::Declined { reason: "declined by the host" }))
            }
            Err(error @ HostError::Unreachable { .. }) => {
                let outcome = self.session.outcome(Verdict::Declined, error.to_string(), before, context);
                Ok(Next::done(outcome)
                    .after(Change::Declined { reason: "the request never left the terminal" }))
            }
            Err(error) => {
                let chip = self.session.chip(REQUEST_CHIP);
                let reversal =
                    self.session.request(MessageClass::Reversal, Kind::Purchase, &self.card, chip, None);
                let reversing = Reversing { session: self.session, reason: error.to_string() };
                Ok(Next::wait(Io::Reverse(Box::new(reversal)), reversing)
                    .after(Change::ReversalDue { reason: "no usable answer from the host" }))
            }
        }
    }
}

struct Reversing {
    session: Session,
    reason: String,
}

impl Phase for Reversing {
    fn name(&self) -> &'static str {
        "Reversal"
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let undone = matches!(reply.answer(STEP)?, Ok(answer) if answer.code.is_approved());
        let before = self.session.balance_before_minor;
        let outcome = self.session.outcome(Verdict::Declined, self.reason, before, context);
        let next = Next::done(outcome);
        Ok(if undone { next.after(Change::Reversed) } else { next })
    }
}
