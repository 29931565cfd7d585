//! The quick path after GET PROCESSING OPTIONS: JR/T 0025.12. The card has decided;
//! a debit becomes final with the last record, so what speaks against it is looked
//! at before that.

use super::application_selection::Selected;
use super::balance_proof::{BalanceProof, nothing_moved};
use super::card_action_analysis::{REQUEST_CHIP, row};
use super::initiate_application_processing::Initiated;
use super::online_request;
use super::processing_restrictions::is_expired;
use super::read_application_data::{self, card_number, take_record};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::authentication::{Weakness, quick_signature};
use crate::roles::terminal::entry_point::{self, OutcomeCvm};
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind};
use crate::roles::terminal::outcome::{ODA_NOT_PERFORMED, Verdict};
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::certificate::{IccDynamicData, StaticData};
use crate::words::emv::{Aip, CryptogramType, Ctq, TerminalCapabilities, Ttq, Tvr};
use crate::words::iso7816::ApduCommand;
use crate::words::iso7816::command::ReadRecord;
use crate::words::pboc::Iad;

const STEP: &str = "Quick path";
const CLAUSE: &str = "JR/T 0025.12";
/// Why a card that approves offline is declined.
const FDDA_FAILED: &str = "the card's signature over this payment is not authentic";
const RECORD_REFUSED: &str = "the card refused a record: its money has not moved";

/// Follows the card's decision.
pub(in crate::roles::terminal) fn begin(
    initiated: Initiated,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let Initiated { aip, afl, selected: Selected { mut session, fci, others } } = initiated;
    let (pan, psn) = card_number(&mut session)?;
    let card = CardMark { pan, psn };
    let given = cryptogram_given(&session)?;
    context.emit(
        Event::new("terminal", format!("the card gave {given}"))
            .clause(CLAUSE)
            .because("from 9F27, or from the CVR in 9F10 where 9F27 is absent"),
    );
    if given != CryptogramType::Aac {
        verification(&mut session, context);
    }
    match given {
        CryptogramType::Aac => Ok(refuse(&session, "declined by the card", context)),
        CryptogramType::Tc if session.terms.flow == Flow::Ride => {
            // Its last record has not been read: the card keeps its money.
            let reason = "the card approved where an online cryptogram was required (9F66 byte 2 bit 8)";
            Ok(refuse(&session, reason, context))
        }
        CryptogramType::Arqc if session.terms.flow == Flow::Ride => {
            let selected = Selected { session, fci, others };
            read_application_data::read(Initiated { selected, aip, afl }, ride, context)
        }
        CryptogramType::Arqc => Ok(online(session, card, context)),
        CryptogramType::Tc => {
            let afl = afl.ok_or(TerminalError::Missing {
                tag: tag::AFL,
                name: "Application File Locator",
                clause: CLAUSE,
            })?;
            if is_expired(&session.store, session.terms.at.yymmdd()) == Some(true) {
                // The last record has not been read: the card keeps its money.
                return Ok(refuse(&session, "the application is expired", context));
            }
            if !aip.has(Aip::DDA_SUPPORTED) || !session.can(TerminalCapabilities::DDA) {
                let reason = "card (82) and terminal (9F33) have no dynamic signature in common";
                let causes = [tag::AIP, tag::TERMINAL_CAPABILITIES];
                session.find(Tvr::ODA_NOT_PERFORMED, CLAUSE, reason, &causes, context);
                return not_authenticated(session, ODA_NOT_PERFORMED, context);
            }
            let records = afl.records().map(|(sfi, record, signed)| (ReadRecord { sfi, record }, signed));
            let mut wanted: Vec<_> = records.collect();
            wanted.reverse();
            let signed = StaticData::new();
            Reading { session, card, wanted, signed }.next(context)
        }
    }
}

/// Which cryptogram came: 9F27, else bits 6-5 of the first CVR byte.
pub(in crate::roles::terminal) fn cryptogram_given(
    session: &Session,
) -> Result<CryptogramType, TerminalError> {
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

/// A card that approves offline is not authentic. Its last record has not been read, so
/// its money has not moved, and its qualifiers (9F6C) say what is done instead.
fn not_authenticated(
    session: Session,
    reason: &'static str,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let card = session.store.array(tag::CTQ).map(Ctq).unwrap_or_default();
    let reader = session.store.array(tag::TTQ).map(Ttq).unwrap_or_default();
    let can_go_online = !reader.has(Ttq::OFFLINE_ONLY) && !reader.has(Ttq::ONLINE_REQUIRED);
    let asks_again = session.combination().is_none_or(|combination| combination.asks_again_online);
    if card.has(Ctq::ONLINE_IF_ODA_FAILS) && can_go_online && asks_again {
        // Asked once more, the card gives an ARQC: a certificate that it never completed
        // says nothing of its balance. Public sources leave open how it goes online.
        let reason = "the card's qualifiers want its issuer asked (9F6C byte 1 bit 6)";
        return entry_point::online_instead(session, reason, context);
    }
    if card.has(Ctq::SWITCH_IF_ODA_FAILS) && session.can(TerminalCapabilities::IC_WITH_CONTACTS) {
        let reason = format!("{reason}: the card asks for its other interface (9F6C byte 1 bit 5)");
        return Ok(entry_point::try_another_interface(session, reason, context));
    }
    Ok(Next::done(session.outcome(Verdict::Declined, reason, session.balance_before_minor, context)))
}

struct Reading {
    session: Session,
    card: CardMark,
    /// Still to be read, the next one last, and whether the issuer signed it.
    wanted: Vec<(ReadRecord, bool)>,
    /// The records that the issuer signed.
    signed: StaticData,
}

impl Reading {
    /// Reads the next record; before the last one, looks at the signature if it is there.
    fn next(mut self, context: &mut Context) -> Result<Next, TerminalError> {
        // An AFL is never empty, so there is a first record.
        let first = (ReadRecord { sfi: 1, record: 1 }, false);
        let (ask, _) = self.wanted.last().copied().unwrap_or(first);
        if self.wanted.len() != 1 {
            return Ok(Next::transmit(ask.to_apdu(), self));
        }
        let reader = self.session.store.array(tag::TTQ).map(Ttq).unwrap_or_default();
        let complete = self.session.store.has(tag::CARD_AUTHENTICATION_RELATED_DATA);
        if self.session.store.has(tag::SIGNED_DYNAMIC_APPLICATION_DATA) {
            match quick_signature(&self.session, &self.card.pan, &self.signed) {
                Ok(dynamic) => note_authentic(&mut self.session, dynamic, context),
                // What version 01 signs besides (9F69) may stand in the last record.
                Err(_) if reader.has(Ttq::FDDA_01) && !complete => {}
                Err(weakness) => {
                    note_failed(&mut self.session, &weakness, context);
                    return not_authenticated(self.session, FDDA_FAILED, context);
                }
            }
        }
        // With this record the card's money moves.
        let opening = row(&mut self.session, EntryKind::OfflineSale, self.card.clone());
        let next = Next::transmit(ask.to_apdu(), self);
        Ok(next.after(Change::Sending).after(Change::Open(Box::new(opening))))
    }
}

impl Phase for Reading {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        let (asked, signed) = self.wanted.pop().ok_or(TerminalError::Reply { step: STEP })?;
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
            return Ok(refuse(&self.session, RECORD_REFUSED, context));
        }
        let taken = take_record(&mut self.session, asked, &response.data);
        if !self.wanted.is_empty() {
            taken?;
            if signed {
                // It is one template 70: taking it has shown that.
                let _ = self.signed.add_record(asked.sfi, asked.record, &response.data);
            }
            return self.next(context);
        }
        // The money has moved, whatever the record holds.
        if !self.session.signed_dynamically {
            match quick_signature(&self.session, &self.card.pan, &self.signed) {
                Ok(dynamic) => note_authentic(&mut self.session, dynamic, context),
                Err(weakness) => note_failed(&mut self.session, &weakness, context),
            }
        }
        let chip = self.session.chip(REQUEST_CHIP);
        let atc = self.session.store.array(tag::ATC).map(u16::from_be_bytes);
        let amount = self.session.terms.amount.minor;
        let after = self.session.balance_before_minor.map(|before| before.saturating_sub(amount));
        let (verdict, reason) = match self.session.signed_dynamically {
            true => {
                let reason = "the card gave a transaction certificate, and its last record was read";
                (Verdict::ApprovedOffline, reason.to_owned())
            }
            // Its row says so: the sale is uploaded, and a refund gives the money back.
            false => (Verdict::Declined, format!("{FDDA_FAILED}; its money has moved: refund the payment")),
        };
        let outcome = self.session.outcome(verdict, reason, after, context);
        Ok(Next::done(outcome).after(Change::CardUpdated { atc, chip: Some(chip) }))
    }

    fn release(self: Box<Self>) -> Option<Session> {
        // The card's money moves with its last record.
        (self.wanted.len() > 1).then_some(self.session)
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
    let next = refuse(session, RECORD_REFUSED, context);
    next.after(Change::Declined { reason: "the card refused a record" })
}

/// The card has chosen how its holder is verified; there is no list.
fn verification(session: &mut Session, context: &mut Context) {
    let qualifiers = session.store.array(tag::CTQ).map(Ctq).unwrap_or_default();
    session.cvm = match () {
        () if qualifiers.has(Ctq::ONLINE_PIN_REQUIRED) => OutcomeCvm::OnlinePin,
        () if qualifiers.has(Ctq::CDCVM_PERFORMED) => OutcomeCvm::DeviceVerified,
        () if qualifiers.has(Ctq::SIGNATURE_REQUIRED) => OutcomeCvm::Signature,
        () => OutcomeCvm::NoCvm,
    };
    session.signature = session.cvm == OutcomeCvm::Signature;
    context.emit(
        Event::new("terminal", session.cvm.words()).clause(CLAUSE).because("the card's qualifiers (9F6C)"),
    );
}

/// The card asks its issuer.
fn online(mut session: Session, card: CardMark, context: &mut Context) -> Next {
    let reason = "the card asks its issuer, who judges the cryptogram; nobody looks at certificates";
    session.find(Tvr::ODA_NOT_PERFORMED, CLAUSE, reason, &[], context);
    online_request::begin(session, card, context)
}

/// The card asks its issuer, and has signed that: looked at now, and the issuer is asked later.
fn ride(initiated: Initiated, signed: StaticData, context: &mut Context) -> Result<Next, TerminalError> {
    let aip = initiated.aip;
    let mut session = initiated.selected.session;
    let (pan, psn) = card_number(&mut session)?;
    if !aip.has(Aip::DDA_SUPPORTED) || !session.can(TerminalCapabilities::DDA) {
        let reason = "card (82) and terminal (9F33) have no dynamic signature in common";
        let causes = [tag::AIP, tag::TERMINAL_CAPABILITIES];
        session.find(Tvr::ODA_NOT_PERFORMED, CLAUSE, reason, &causes, context);
    } else {
        match quick_signature(&session, &pan, &signed) {
            Ok(dynamic) => note_authentic(&mut session, dynamic, context),
            Err(weakness) => note_failed(&mut session, &weakness, context),
        }
    }
    Ok(online_request::begin(session, CardMark { pan, psn }, context))
}

fn note_authentic(session: &mut Session, dynamic: IccDynamicData, context: &mut Context) {
    session.signed_dynamically = true;
    session.store.put(tag::ICC_DYNAMIC_NUMBER, dynamic.number);
    let reason = "the card signed this payment with its own key";
    context.emit(Event::new("terminal", "fDDA succeeded").clause(CLAUSE).because(reason));
}

fn note_failed(session: &mut Session, weakness: &Weakness, context: &mut Context) {
    if weakness.is_missing() {
        session.find(Tvr::ICC_DATA_MISSING, "EMV Book 3 7.5", weakness, &[], context);
    }
    session.find(Tvr::DDA_FAILED, CLAUSE, weakness, &[tag::CA_PUBLIC_KEY_INDEX_CARD], context);
}
